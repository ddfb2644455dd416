/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/bench/store_layout.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/staging.h"

bool store_is_name(const char *name)
{
	static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._-";

	return name && *name && !strchr("._-", *name) && !name[strspn(name, rest)] &&
	       strlen(name) <= STORE_MAX_NAME;
}

unsigned int store_number(const char *name, const char *prefix, const char *suffix)
{
	size_t n = strlen(prefix), digits;
	unsigned int number = 0;

	if (strncmp(name, prefix, n))
		return 0;
	name += n;
	digits = strspn(name, "0123456789");
	if (digits < 4 || digits > 6 || (digits > 4 && *name == '0') ||
	    strcmp(name + digits, suffix))
		return 0;
	for (; isdigit((unsigned char)*name); name++)
		number = 10 * number + (*name - '0');
	return number;
}

int store_last_number(int folder, const char *prefix, const char *suffix, unsigned int *ret)
{
	DIR *dir = staging_list(folder, ".");
	const struct dirent *entry;
	unsigned int last = 0;

	if (!dir)
		return errf(-errno, "cannot list a folder of the store: %m");
	while ((entry = readdir(dir))) {
		unsigned int number = store_number(entry->d_name, prefix, suffix);

		if (number > last)
			last = number;
	}
	closedir(dir);
	*ret = last;
	return 0;
}

int store_open_folder(int parent, const char *name)
{
	int fd;

	if (parent < 0)
		return -EBADF;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
