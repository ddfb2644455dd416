/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_image: an ELF file, read by libelf within our bounds, since somebody hostile may have made it
 * and may write to it while it is read. Nothing is mapped (a file cut short would be SIGBUS), and
 * headers are read once: what was checked is what is used. ELF32 and ELF64 of this machine's byte
 * order; headers are given in their 64-bit form. Source: System V ABI, chapter 4 and 5; elf(5).
 *
 * elf_begin() allocates some 200 bytes for each section that a file says it has; not more than
 * 65536 are let through to it. Who raises their number between that check and elf_begin() costs
 * memory and no more, until the call fails: for as many as there are 40 bytes for in the file, and
 * less than 2^32.
 */
#pragma once

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

#define ELF_BUILD_ID_MAX 64

struct elf_image {
	Elf *elf;	  /* NULL when it is detached */
	int fd;		  /* it was opened from, -1 if from memory; until it is detached */
	int own_fd;	  /* closed with the image; -1 if what it was opened from is not ours */
	void *own_memory; /* freed with the image, or NULL */
	char *name;	  /* for sentences */
	bool is_64;
	uint16_t machine;
	uint64_t entry;
	Elf64_Phdr *phdrs;
	size_t n_phdrs;
	Elf64_Shdr *shdrs;
	size_t n_shdrs;
	const char *section_names;
	size_t section_names_len;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len; /* 0 if it has none */
};

/*
 * Reads the headers. The file or the memory stay the caller's and must stay until the image is
 * detached or freed, unless they are put into own_fd or own_memory. -ENOEXEC: not ELF, or not of
 * this machine's byte order; -EINVAL: broken; -EFBIG: too many sections.
 */
int elf_image_open(int fd, const char *name, struct elf_image **ret);
int elf_image_open_memory(const void *memory, size_t len, const char *name, struct elf_image **ret);
void elf_image_free(struct elf_image *image);
DEFINE_FREEP(struct elf_image, elf_image_free)

/*
 * The same file once more, with sections of its own: what is read through it is given back when it
 * is freed. The first one must not be detached before. -ENOTSUP if that was opened from memory.
 */
int elf_image_again(const struct elf_image *image, struct elf_image **ret);

/* Gives back what sections need: entry, build ID and segments stay, sections are gone. */
void elf_image_detach(struct elf_image *image);

/*
 * All of a section, which lives until the image is detached. More than 'max' bytes are -EFBIG;
 * -EINVAL if it has no bytes in the file, -EIO if libelf cannot read them (behind the file's end,
 * broken, no memory).
 */
int elf_image_data(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
		   Elf_Data **ret);

/* The same for a section of strings, up to the last NUL in it: *ret_len counts that NUL. */
int elf_image_strings(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
		      const char **ret, size_t *ret_len);

/* The first section with that name, or NULL. */
const Elf64_Shdr *elf_image_section(const struct elf_image *image, const char *name);
/* A section's name, "" if it has none. */
const char *elf_image_section_name(const struct elf_image *image, const Elf64_Shdr *shdr);
/* Section number i, or NULL. */
const Elf64_Shdr *elf_image_section_at(const struct elf_image *image, size_t i);
/* The first section of that type (SHT_SYMTAB ...), or NULL. */
const Elf64_Shdr *elf_image_section_of_type(const struct elf_image *image, uint32_t type);

/* The first segment of that type (PT_INTERP ...), or NULL. */
const Elf64_Phdr *elf_image_segment_of_type(const struct elf_image *image, uint32_t type);

/*
 * The bytes from a virtual address to the end of what its segment has in the file, and not more
 * than 'max' of them; they live until the image is detached. -EINVAL if no segment has that
 * address, -EIO if libelf cannot read them.
 */
int elf_image_bytes_at(const struct elf_image *image, uint64_t address, size_t max, Elf_Data **ret);

/*
 * The virtual address at which a loader puts the byte at 'offset', executable segments first since
 * pages at the borders of segments are in memory twice. False if no segment has it.
 */
bool elf_image_address(const struct elf_image *image, uint64_t offset, uint64_t *ret);
