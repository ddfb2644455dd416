/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cmd/profile_comments.h"

#include <inttypes.h>
#include <string.h>

#include "user/base/str.h"

#define COMMAND_MAX 1000 /* bytes after which no other word follows */

int profile_comment_host(struct profile *p, const struct host_info *host)
{
	_cleanup_(str_release) struct str text = { 0 };
	int err =
		str_addf(&text, "host: Linux %s %s, %u CPUs, %s", host->kernel ? host->kernel : "?",
			 host->architecture ? host->architecture : "?", host->cpus_online,
			 host->cpu_model ? host->cpu_model : "?");

	return err ? err : profile_add_comment(p, str_text(&text));
}

int profile_comment_ledger(struct profile *p, const struct ledger *ledger)
{
	_cleanup_(str_release) struct str text = { 0 };
	int err = str_addf(&text, "ledger: fired %" PRIu64 ", kept %" PRIu64, ledger->fired,
			   ledger->kept);
	size_t i;

	for (i = 0; i < ledger->n_causes && !err; i++) {
		if (ledger->causes[i].n)
			err = str_addf(&text, ", %s %" PRIu64, ledger->causes[i].name,
				       ledger->causes[i].n);
	}
	return err ? err : profile_add_comment(p, str_text(&text));
}

int profile_comment_command(struct profile *p, char *const *words)
{
	_cleanup_(str_release) struct str text = { 0 };
	int err = str_add(&text, "command:");

	if (!words)
		return 0;
	for (; *words && text.len < COMMAND_MAX && !err; words++) {
		err = str_add(&text, " ");
		if (!err)
			err = str_add_clean(&text, *words, strlen(*words), 0);
	}
	return err ? err : profile_add_comment(p, str_text(&text));
}
