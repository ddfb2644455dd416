/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_known.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"

int shim_known_place(const char *folder, struct shim_known *ret)
{
	_cleanup_(closep) int fd = -1;
	struct shim_known k = { 0 };
	void *at = MAP_FAILED;

	if (asprintf(&k.path, "%s/known", folder) < 0)
		return errf(-ENOMEM, "no memory for a path");
	fd = open(k.path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && !fchmod(fd, 0644) && !ftruncate(fd, sizeof(*k.until_ns)))
		at = mmap(NULL, sizeof(*k.until_ns), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		int err = errf(-errno, "cannot create '%s': %m", k.path);

		if (fd >= 0)
			unlink(k.path);
		free(k.path);
		return err;
	}
	k.until_ns = at;
	*ret = k;
	return 0;
}

void shim_known_set(struct shim_known *k, uint64_t until_ns)
{
	if (k->path)
		__atomic_store_n(k->until_ns, until_ns, __ATOMIC_RELEASE);
}

void shim_known_remove(struct shim_known *k)
{
	if (!k->path)
		return;
	/* Whoever has it open reads on. */
	shim_known_set(k, UINT64_MAX);
	munmap(k->until_ns, sizeof(*k->until_ns));
	unlink(k->path);
	free(k->path);
	*k = (struct shim_known){ 0 };
}
