/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/sym/elf_candidates.h"

#define MAX_HEADER_BYTES (64u << 20)

/* LSB 5.0 Core, 10.5.1: how pointers are written. All linkers write these. */
#define PE_PCREL_SDATA4	  0x1b
#define PE_UDATA4	  0x03
#define PE_DATAREL_SDATA4 0x3b

/* .eh_frame_hdr, LSB 5.0 Core, 10.6.2. */
struct header {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
};

/* Relative to the header. */
struct header_entry {
	int32_t function, fde;
};

static const Elf64_Phdr *segment_of(const struct elf_image *image, uint64_t address)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_memsz)
			return p;
	}
	return NULL;
}

int elf_candidates_add_unnamed(struct elf_candidates *c, const struct elf_image *image)
{
	const Elf64_Phdr *p = elf_image_segment_of_type(image, PT_GNU_EH_FRAME), *code;
	struct elf_candidate candidate = { .name = "", .binding = ELF_LOCAL, .underscores = 255 };
	struct header_entry entry;
	struct header h;
	Elf_Data *data;
	size_t i, n;
	int err;

	if (!p)
		return -ENOENT;
	err = elf_image_bytes_at(image, p->p_vaddr, MAX_HEADER_BYTES, &data);
	if (err)
		return err;
	if (data->d_size < sizeof(h))
		return errf(-EINVAL, "'%s' is broken: its .eh_frame_hdr", image->name);
	memcpy(&h, data->d_buf, sizeof(h));
	if (h.version != 1 || h.frame_encoding != PE_PCREL_SDATA4 ||
	    h.count_encoding != PE_UDATA4 || h.table_encoding != PE_DATAREL_SDATA4)
		return -ENOENT;
	n = (data->d_size - sizeof(h)) / sizeof(entry);
	if (h.count < n)
		n = h.count;
	for (i = 0; i < n; i++) {
		memcpy(&entry, (const char *)data->d_buf + sizeof(h) + i * sizeof(entry),
		       sizeof(entry));
		candidate.start = p->p_vaddr + (int64_t)entry.function;
		code = segment_of(image, candidate.start);
		if (!code)
			continue;
		candidate.end = code->p_vaddr + code->p_memsz;
		if (elf_candidates_add(c, &candidate))
			return errf(-ENOMEM, "no memory for the symbols of '%s'", image->name);
	}
	return 0;
}
