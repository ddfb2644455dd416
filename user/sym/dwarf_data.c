/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/dwarf_data.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "user/base/err.h"
#include "user/base/str.h"

#define MAX_LINK 4096 /* bytes of .gnu_debugaltlink */

static const char *const names[DWARF_SECTIONS] = {
	[DWARF_INFO] = "debug_info",	     [DWARF_ABBREV] = "debug_abbrev",
	[DWARF_LINE] = "debug_line",	     [DWARF_STR] = "debug_str",
	[DWARF_LINE_STR] = "debug_line_str", [DWARF_STR_OFFSETS] = "debug_str_offsets",
	[DWARF_ADDR] = "debug_addr",	     [DWARF_RANGES] = "debug_ranges",
	[DWARF_RNGLISTS] = "debug_rnglists",
};

/* "debug_x" of ".debug_x" and of ".zdebug_x", which is how GNU compressed them before
 * SHF_COMPRESSED. */
static bool is_named(const struct elf_image *image, const Elf64_Shdr *shdr, const char *name,
		     bool *ret_is_gnu)
{
	const char *of = elf_image_section_name(image, shdr);

	if (shdr->sh_type == SHT_NOBITS || shdr->sh_type == SHT_NULL || of[0] != '.')
		return false;
	*ret_is_gnu = of[1] == 'z';
	return !strcmp(of + 1 + *ret_is_gnu, name);
}

static const Elf64_Shdr *find(const struct elf_image *image, enum dwarf_section_id id,
			      bool *ret_is_gnu)
{
	size_t i;

	for (i = 1; i < image->n_shdrs; i++) {
		if (is_named(image, &image->shdrs[i], names[id], ret_is_gnu))
			return &image->shdrs[i];
	}
	return NULL;
}

bool dwarf_data_is_in(const struct elf_image *image)
{
	bool is_gnu;

	return image->elf && find(image, DWARF_INFO, &is_gnu) && find(image, DWARF_ABBREV, &is_gnu);
}

/* Before it is uncompressed: how much that makes. The packed bytes are read once, and stay. */
static int size_of(const struct elf_image *image, const Elf64_Shdr *shdr, bool is_gnu, size_t max,
		   uint64_t *ret)
{
	Elf_Data *data;
	GElf_Chdr chdr;
	int err;

	*ret = shdr->sh_size;
	if (!is_gnu && !(shdr->sh_flags & SHF_COMPRESSED))
		return 0;
	err = elf_image_data(image, shdr, max, &data);
	if (err)
		return err;
	if (!is_gnu) {
		if (!gelf_getchdr(elf_getscn(image->elf, shdr - image->shdrs), &chdr))
			return errf(-EINVAL, "a compressed section of '%s' is broken", image->name);
		*ret = chdr.ch_size;
	} else if (data->d_size >= 12 && !memcmp(data->d_buf, "ZLIB", 4)) {
		memcpy(ret, (const char *)data->d_buf + 4, sizeof(*ret));
		*ret = be64toh(*ret);
	}
	return 0;
}

static int read_section(const struct elf_image *image, const Elf64_Shdr *shdr, bool is_gnu,
			size_t max, struct dwarf_section *ret)
{
	Elf_Scn *scn = elf_getscn(image->elf, shdr - image->shdrs);
	Elf_Data *data;

	if ((is_gnu && elf_compress_gnu(scn, 0, 0) < 0) ||
	    (!is_gnu && (shdr->sh_flags & SHF_COMPRESSED) && elf_compress(scn, 0, 0) < 0))
		return errf(-EINVAL, "cannot uncompress a section of '%s': %s", image->name,
			    elf_errmsg(-1));
	data = elf_rawdata(scn, NULL);
	if (!data)
		return errf(-EIO, "cannot read a section of '%s': %s", image->name, elf_errmsg(-1));
	if (data->d_size > max)
		return errf(-EFBIG, "a section of '%s' is too large", image->name);
	if (data->d_buf)
		*ret = (struct dwarf_section){ data->d_buf, data->d_size };
	return 0;
}

/* What the sections are together; -EFBIG if that is more than there may be. */
static int measure(const struct elf_image *image, const struct lines_budget *b, uint64_t *ret)
{
	uint64_t max = b->file_bytes < b->bytes ? b->file_bytes : b->bytes, sum = 0, size;
	const Elf64_Shdr *shdr;
	bool is_gnu;
	int i, err;

	for (i = 0; i < DWARF_SECTIONS; i++) {
		shdr = find(image, i, &is_gnu);
		if (!shdr)
			continue;
		err = shdr->sh_size > max ? -EFBIG : size_of(image, shdr, is_gnu, max, &size);
		if (!err && (size > max || (sum += size) > max))
			err = -EFBIG;
		if (err)
			return err == -EFBIG ? errf(err, "the debug information of '%s' is large",
						    image->name)
					     : err;
	}
	*ret = sum;
	return 0;
}

static int read_sections(struct dwarf_data *d, const struct elf_image *image,
			 struct lines_budget *budget)
{
	const Elf64_Shdr *shdr;
	bool is_gnu = false;
	uint64_t bytes = 0;
	int i, err = measure(image, budget, &bytes);

	if (err)
		return err;
	for (i = 0; i < DWARF_SECTIONS && !err; i++) {
		shdr = find(image, i, &is_gnu);
		if (shdr)
			err = read_section(image, shdr, is_gnu, budget->file_bytes,
					   &d->sections[i]);
	}
	for (i = DWARF_STR; i <= DWARF_LINE_STR; i++) {
		struct dwarf_section *s = &d->sections[i];
		const uint8_t *nul = s->size ? memrchr(s->data, 0, s->size) : NULL;

		s->size = nul ? nul + 1 - s->data : 0;
	}
	if (!err && !lines_budget_take(budget, bytes))
		err = errf(-EFBIG, "the debug information of '%s' is large", image->name);
	return err;
}

/* --- the supplementary file ------------------------------------------------------------------ */

/* The section: path, NUL, build ID. A relative path is so to the file's own folder. */
static int alt_path(const struct elf_image *image, const Elf64_Shdr *shdr, struct str *path,
		    const uint8_t **ret_id, size_t *ret_id_len)
{
	const char *slash = strrchr(image->name, '/'), *name;
	Elf_Data *data;
	size_t len;
	int err = elf_image_data(image, shdr, MAX_LINK, &data);

	if (err)
		return err;
	name = data->d_buf;
	len = name ? strnlen(name, data->d_size) : 0;
	if (!len || len + 1 >= data->d_size || data->d_size - len - 1 > ELF_BUILD_ID_MAX)
		return errf(-EINVAL, "the .gnu_debugaltlink of '%s' is broken", image->name);
	*ret_id = (const uint8_t *)name + len + 1;
	*ret_id_len = data->d_size - len - 1;
	if (name[0] != '/' && slash && str_add_bytes(path, image->name, slash + 1 - image->name))
		return -ENOMEM;
	return str_add_bytes(path, name, len);
}

static int open_alt(struct dwarf_data *d, const struct elf_image *image,
		    const struct debug_search *search, struct lines_budget *budget)
{
	const Elf64_Shdr *shdr = elf_image_section(image, ".gnu_debugaltlink");
	_cleanup_(str_release) struct str path = { 0 };
	size_t id_len = 0;
	const uint8_t *id = NULL;
	int err;

	if (!shdr)
		return 0;
	err = alt_path(image, shdr, &path, &id, &id_len);
	if (!err)
		err = debug_file_open_alt(search, str_text(&path), id, id_len, &d->alt_image);
	if (err)
		return err;
	d->alt = calloc(1, sizeof(*d->alt));
	return d->alt ? read_sections(d->alt, d->alt_image, budget) : -ENOMEM;
}

int dwarf_data_new(const struct elf_image *image, const struct debug_search *search,
		   struct lines_budget *budget, struct dwarf_data **ret)
{
	_cleanup_(dwarf_data_freep) struct dwarf_data *d = calloc(1, sizeof(*d));
	uint64_t bytes = budget->bytes;
	int err;

	if (!d)
		return errf(-ENOMEM, "no memory for the debug information of '%s'", image->name);
	err = dwarf_data_is_in(image) ? read_sections(d, image, budget) : -ENOENT;
	if (!err)
		err = open_alt(d, image, search, budget);
	if (err) {
		budget->bytes = bytes;
		return err;
	}
	*ret = take(d);
	return 0;
}

void dwarf_data_free(struct dwarf_data *data)
{
	if (!data)
		return;
	dwarf_data_free(data->alt);
	elf_image_free(data->alt_image);
	free(data);
}
