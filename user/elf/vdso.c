/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/elf/vdso.h"

#include <errno.h>
#include <link.h>
#include <sys/auxv.h>

#include "user/base/err.h"

/* Nothing says how long it is: as far as its headers point, and its header is the kernel's. */
static size_t image_size(const ElfW(Ehdr) * e)
{
	const ElfW(Phdr) *p = (const void *)((const char *)e + e->e_phoff);
	size_t size = e->e_shoff + (size_t)e->e_shnum * e->e_shentsize, i;

	for (i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD && p[i].p_offset + p[i].p_filesz > size)
			size = p[i].p_offset + p[i].p_filesz;
	}
	return size;
}

int vdso_open(struct elf_image **ret)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives it as a number */
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);

	if (!image)
		return errf(-ENOENT, "this kernel has no vDSO");
	return elf_image_open_memory(image, image_size(image), "[vdso]", ret);
}
