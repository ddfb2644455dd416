/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_file.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/err.h"

#define GNU_HEADER 12 /* "ZLIB" and the size, most significant byte first */

/* libdw's own prints and runs what the parent has left for its exit. */
static void __attribute__((noreturn)) no_memory(void)
{
	_exit(ENOMEM);
}

static bool starts_with(const char *text, const char *start)
{
	return text && !strncmp(text, start, strlen(start));
}

static uint64_t uncompressed_size(Elf_Scn *scn, const GElf_Shdr *shdr, bool is_gnu)
{
	uint64_t size = shdr->sh_size;
	GElf_Chdr chdr;
	Elf_Data *raw;

	if (shdr->sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(scn, &chdr) ? chdr.ch_size : size;
	raw = is_gnu ? elf_rawdata(scn, NULL) : NULL;
	if (!raw || raw->d_size < GNU_HEADER || memcmp(raw->d_buf, "ZLIB", 4))
		return size;
	memcpy(&size, (const char *)raw->d_buf + 4, sizeof(size));
	return be64toh(size);
}

static int measure(Elf *elf, uint64_t max_bytes)
{
	uint64_t sum = 0, size;
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr shdr;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return errf(-EINVAL, "no section has a name");
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!starts_with(name, ".debug_") && !starts_with(name, ".zdebug_"))
			continue;
		size = uncompressed_size(scn, &shdr, name[1] == 'z');
		if (size > max_bytes - sum)
			return errf(-EFBIG, "the debug information is large");
		sum += size;
	}
	return 0;
}

static int open_file(struct dwarf_file *file, int fd, uint64_t max_bytes)
{
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size <= 0)
		return -EINVAL;
	/* Some of libelf writes to what it uncompresses or aligns: never to the file. */
	file->map =
		mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (file->map == MAP_FAILED) {
		file->map = NULL;
		return -errno;
	}
	file->size = st.st_size;
	elf_version(EV_CURRENT);
	file->elf = elf_memory(file->map, file->size);
	if (!file->elf)
		return errf(-EINVAL, "no ELF file: %s", elf_errmsg(-1));
	err = measure(file->elf, max_bytes);
	if (err)
		return err;
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return errf(-EINVAL, "no debug information: %s", dwarf_errmsg(-1));
	dwarf_new_oom_handler(file->dwarf, no_memory);
	return 0;
}

int dwarf_file_open(struct dwarf_file *file, int fd, uint64_t max_bytes)
{
	int err;

	*file = (struct dwarf_file){ 0 };
	err = open_file(file, fd, max_bytes);
	if (err)
		dwarf_file_close(file);
	return err;
}

void dwarf_file_close(struct dwarf_file *file)
{
	if (file->dwarf)
		dwarf_end(file->dwarf);
	if (file->elf)
		elf_end(file->elf);
	if (file->map)
		munmap(file->map, file->size);
	*file = (struct dwarf_file){ 0 };
}
