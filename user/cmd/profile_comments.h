/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_comments: what our profiles say of where they come from, as profile_provenance reads it.
 */
#pragma once

#include "user/model/profile.h"
#include "user/model/summary.h"

/* "host: Linux 6.1.0 x86_64, 8 CPUs, NAME". 0 or -ENOMEM. */
int profile_comment_host(struct profile *p, const struct host_info *host);

/* "ledger: fired N, kept N, CAUSE N". 0 or -ENOMEM. */
int profile_comment_ledger(struct profile *p, const struct ledger *ledger);

/* "command: " and the words, as far as they are of use in a line; nothing for NULL. 0 or -ENOMEM.
 */
int profile_comment_command(struct profile *p, char *const *words);
