/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_kallsyms: any bytes as /proc/kallsyms. */
#include <stdlib.h>
#include <sys/mman.h>

#include "user/base/file.h"
#include "user/sym/ksyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_(ksyms_freep) struct ksyms *syms = NULL;
	struct ksym k;
	uint64_t i;

	if (fd < 0 || file_write_all(fd, "fuzz", data, size) || lseek(fd, 0, SEEK_SET))
		abort();
	if (ksyms_load_fd(fd, "fuzz", &syms))
		return 0;
	for (i = 0; i < 64; i++) {
		if (ksyms_find(syms, 0xffffffff81000000ull + i * 64, &k) &&
		    (!k.name[0] || k.module[0] != '['))
			abort();
		ksyms_find(syms, 1ull << i, &k);
	}
	return 0;
}
