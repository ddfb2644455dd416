/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/frame_section.h"

#include <dwarf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "user/base/err.h"

#define MAX_BYTES (128u << 20) /* browsers have some 20 MiB */

/* zlib makes at most 1032 bytes of one: more is a lie, and would be allocated. */
#define MAX_RATIO 1032

void frame_section_release(struct frame_section *fs)
{
	free(fs->own);
	*fs = (struct frame_section){ .is_eh = false };
}

static const Elf64_Shdr *section_with_bytes(const struct elf_image *image, const char *name)
{
	const Elf64_Shdr *s = elf_image_section(image, name);

	return s && s->sh_type != SHT_NOBITS && s->sh_size ? s : NULL;
}

/* .eh_frame_hdr: LSB 5.0 Core, 10.6.2. Only the number of FDEs is taken from its table. */
static int eh_by_segment(const struct elf_image *image, struct frame_section *ret)
{
	const Elf64_Phdr *p = elf_image_segment_of_type(image, PT_GNU_EH_FRAME);
	struct cfi_section header, all;
	uint8_t address_encoding, count_encoding;
	uint64_t address, count;
	struct cursor c;
	Elf_Data *data;
	int err;

	if (!p)
		return -ENODATA;
	err = elf_image_bytes_at(image, p->p_vaddr, MAX_BYTES, &data);
	if (err)
		return err;
	header = (struct cfi_section){ data->d_buf, data->d_size, p->p_vaddr };
	c = (struct cursor){ .at = header.bytes, .end = header.bytes + header.len };
	if (cursor_u8(&c) != 1)
		return errf(-EINVAL, "'%s' is broken: its .eh_frame_hdr", image->name);
	address_encoding = cursor_u8(&c);
	count_encoding = cursor_u8(&c);
	cursor_u8(&c); /* of the table */
	if (!cfi_read_address(&c, &header, address_encoding, &address))
		return errf(-EINVAL, "'%s' is broken: its .eh_frame_hdr", image->name);
	if (count_encoding == DW_EH_PE_omit ||
	    !cfi_read_address(&c, &header, count_encoding, &count))
		count = 0;
	err = elf_image_bytes_at(image, address, MAX_BYTES, &data);
	if (err)
		return err;
	all = (struct cfi_section){ data->d_buf, data->d_size, address };
	*ret = (struct frame_section){ .section = all, .is_eh = true, .fdes_before_end = count };
	return 0;
}

int frame_section_eh(const struct elf_image *image, struct frame_section *ret)
{
	const Elf64_Shdr *s = section_with_bytes(image, ".eh_frame");
	Elf_Data *data;
	int err;

	if (!s)
		return eh_by_segment(image, ret);
	err = elf_image_data(image, s, MAX_BYTES, &data);
	if (err)
		return err;
	*ret = (struct frame_section){ .section = { data->d_buf, data->d_size, s->sh_addr },
				       .is_eh = true,
				       .end_known = true };
	return 0;
}

static int decompress(const struct elf_image *image, const uint8_t *bytes, size_t len,
		      uint64_t size, struct frame_section *ret)
{
	_cleanup_(freep) uint8_t *own = NULL;
	uLongf got = size;

	if (size > MAX_BYTES || size / MAX_RATIO > len)
		return errf(-EFBIG, "'%s' has a .debug_frame of %llu bytes", image->name,
			    (unsigned long long)size);
	own = malloc(size + 1);
	if (!own)
		return errf(-ENOMEM, "no memory for the .debug_frame of '%s'", image->name);
	if (uncompress(own, &got, bytes, len) != Z_OK)
		return errf(-EINVAL, "'%s' is broken: its .debug_frame", image->name);
	ret->section = (struct cfi_section){ own, got, 0 };
	ret->own = take(own);
	return 0;
}

/* The old form: "ZLIB", and the size as 8 bytes, highest first. */
static int decompress_gnu(const struct elf_image *image, const Elf_Data *data,
			  struct frame_section *ret)
{
	const uint8_t *bytes = data->d_buf;
	uint64_t size;

	if (data->d_size < 12 || memcmp(bytes, "ZLIB", 4))
		return errf(-EINVAL, "'%s' is broken: its .zdebug_frame", image->name);
	memcpy(&size, bytes + 4, sizeof(size));
	return decompress(image, bytes + 12, data->d_size - 12, be64toh(size), ret);
}

static int decompress_elf(const struct elf_image *image, const Elf_Data *data,
			  struct frame_section *ret)
{
	const uint8_t *bytes = data->d_buf;
	Elf64_Chdr h;

	if (data->d_size < sizeof(h))
		return errf(-EINVAL, "'%s' is broken: its .debug_frame", image->name);
	memcpy(&h, bytes, sizeof(h));
	if (h.ch_type != ELFCOMPRESS_ZLIB)
		return errf(-EINVAL,
			    "'%s' has a .debug_frame in compression type %u: only zlib is known",
			    image->name, h.ch_type);
	return decompress(image, bytes + sizeof(h), data->d_size - sizeof(h), h.ch_size, ret);
}

int frame_section_debug(const struct elf_image *image, struct frame_section *ret)
{
	const Elf64_Shdr *s = section_with_bytes(image, ".debug_frame");
	bool is_gnu = !s;
	Elf_Data *data;
	int err;

	if (!s)
		s = section_with_bytes(image, ".zdebug_frame");
	if (!s)
		return -ENODATA;
	err = elf_image_data(image, s, MAX_BYTES, &data);
	if (err)
		return err;
	*ret = (struct frame_section){ .end_known = true };
	if (is_gnu)
		return decompress_gnu(image, data, ret);
	if (s->sh_flags & SHF_COMPRESSED)
		return decompress_elf(image, data, ret);
	ret->section = (struct cfi_section){ data->d_buf, data->d_size, 0 };
	return 0;
}
