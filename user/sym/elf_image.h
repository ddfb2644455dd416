/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_image: an ELF file's headers, read once and checked, and bounded reading of what they point
 * to. The file may be written by somebody hostile while it is read, so nothing is mapped (a file
 * cut short would be SIGBUS) and nothing is read twice: what was checked is what is used. ELF32
 * and ELF64 of this machine's byte order; headers are given in their 64-bit form.
 * Source: System V ABI, chapter 4 and 5; elf(5).
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/cleanup.h"

#define ELF_BUILD_ID_MAX 64

struct elf_image {
	int fd;		       /* borrowed, or -1 */
	const uint8_t *memory; /* borrowed; where the file is in memory if fd is -1 */
	uint64_t size;	       /* bytes */
	const char *name;      /* ours; for sentences */
	bool is_64;
	uint16_t machine;
	uint64_t entry;
	Elf64_Phdr *phdrs;
	size_t n_phdrs;
	Elf64_Shdr *shdrs;
	size_t n_shdrs;
	char *section_names;
	size_t section_names_len;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len; /* 0 if it has none */
};

/*
 * Reads the headers. The file or the memory stay the caller's and must stay as long as sections
 * are read. -ENOEXEC: not ELF, or not of this machine's byte order; -EINVAL: broken.
 */
int elf_image_open(int fd, const char *name, struct elf_image **ret);
int elf_image_open_memory(const void *memory, size_t len, const char *name, struct elf_image **ret);
void elf_image_free(struct elf_image *image);
DEFINE_FREEP(struct elf_image, elf_image_free)

/* 'len' bytes of the file from 'offset' into 'buffer'. -EINVAL beyond its end, or -EIO. */
int elf_image_read(const struct elf_image *image, uint64_t offset, void *buffer, size_t len);

/*
 * All of a section in a block of the caller's, with a NUL behind it that *ret_len does not count.
 * More than 'max' bytes are -EFBIG; a section without bytes in the file is empty.
 */
int elf_image_read_section(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
			   char **ret, size_t *ret_len);

/* The first section with that name, or NULL. */
const Elf64_Shdr *elf_image_section(const struct elf_image *image, const char *name);
/* A section's name, "" if it has none. */
const char *elf_image_section_name(const struct elf_image *image, const Elf64_Shdr *shdr);
/* Section number i, or NULL. */
const Elf64_Shdr *elf_image_section_at(const struct elf_image *image, size_t i);

/*
 * The virtual address at which a loader puts the byte at 'offset', executable segments first since
 * pages at the borders of segments are in memory twice. False if no segment has it.
 */
bool elf_image_address(const struct elf_image *image, uint64_t offset, uint64_t *ret);
