/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/debug_file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/str.h"
#include "user/sym/open_regular.h"

/* The checksum needs all of the file: bounds what a hostile program can make us read. */
#define MAX_CRC_BYTES (1ull << 30)
#define MAX_LINK      4096

struct link {
	const char *name; /* in the image that links */
	uint32_t crc;
};

/* What a separate file must be. */
struct wanted {
	const char *name; /* of the file that wants it */
	const uint8_t *id;
	size_t id_len;
	uint16_t machine;	 /* EM_NONE: whatever */
	bool symbols;		 /* it must have some */
	const struct link *link; /* of whose checksum it must be, or NULL */
};

static struct wanted wanted_by(const struct elf_image *image, const struct link *link)
{
	return (struct wanted){
		.name = image->name,
		.id = image->build_id,
		.id_len = image->build_id_len,
		.machine = image->machine,
		.symbols = true,
		.link = link,
	};
}

static bool has_build_id(const struct elf_image *image, const uint8_t *id, size_t len)
{
	return image->build_id_len == len && !memcmp(image->build_id, id, len);
}

static bool same_crc(int fd, uint32_t want)
{
	_cleanup_(freep) uint8_t *block = malloc(65536);
	uLong crc = crc32(0, NULL, 0);
	uint64_t at;
	ssize_t n;

	for (at = 0; block && at <= MAX_CRC_BYTES; at += n) {
		n = pread(fd, block, 65536, at);
		if (n <= 0)
			return n == 0 && crc == want;
		crc = crc32(crc, block, n);
	}
	return false;
}

/* Takes 'fd'. */
static int judge(int fd, const char *path, const struct wanted *want, struct elf_image **ret)
{
	_cleanup_(elf_image_freep) struct elf_image *file = NULL;
	_cleanup_(closep) int owned = fd;
	int err;

	if (fd < 0)
		return fd;
	err = elf_image_open(fd, path, &file);
	if (err)
		return err;
	file->own_fd = take_fd(owned);
	if ((want->symbols && !elf_image_section_of_type(file, SHT_SYMTAB)) ||
	    (want->machine && file->machine != want->machine) ||
	    !has_build_id(file, want->id, want->id_len) ||
	    (want->link && !same_crc(fd, want->link->crc)))
		return errf(-ESTALE, "'%s' does not belong to '%s'", path, want->name);
	*ret = take(file);
	return 0;
}

static int try_path(const struct debug_search *search, const char *path, const struct wanted *want,
		    struct elf_image **ret)
{
	int err = -ENOENT;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return -ENOENT;
	/* Distributions link: what a link leads to is judged like any other file. */
	if (search->pid)
		err = judge(open_regular_in(search->pid, path, true), path, want, ret);
	return err ? judge(open_regular(path, true), path, want, ret) : 0;
}

static int by_build_id(const struct debug_search *search, const struct wanted *want,
		       struct elf_image **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	size_t i;

	if (want->id_len < 2)
		return -ENOENT;
	if (str_addf(&path, "%s/.build-id/%02x/", search->directory, want->id[0]))
		return -ENOMEM;
	for (i = 1; i < want->id_len; i++) {
		if (str_addf(&path, "%02x", want->id[i]))
			return -ENOMEM;
	}
	if (str_add(&path, ".debug"))
		return -ENOMEM;
	return try_path(search, path.data, want, ret);
}

static int by_debuginfod(const struct debug_search *search, const struct wanted *want,
			 struct elf_image **ret)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (!search->debuginfod || want->id_len < 2)
		return -ENOENT;
	fd = debuginfod_fetch(search->debuginfod, want->id, want->id_len, &path);
	return judge(fd, path ? path : "", want, ret);
}

/* The section: name, NUL, padding to 4 bytes, CRC-32 in the file's byte order. */
static int read_link(const struct elf_image *image, struct link *ret)
{
	const Elf64_Shdr *shdr = elf_image_section(image, ".gnu_debuglink");
	size_t name_len, crc_at;
	const char *name;
	Elf_Data *data;
	int err;

	if (!shdr)
		return -ENOENT;
	err = elf_image_data(image, shdr, MAX_LINK, &data);
	if (err)
		return err;
	name = data->d_buf;
	name_len = name ? strnlen(name, data->d_size) : 0;
	crc_at = (name_len + 4) & ~(size_t)3;
	if (!name_len || crc_at + 4 > data->d_size || strchr(name, '/'))
		return errf(-EINVAL, "the .gnu_debuglink of '%s' is broken", image->name);
	memcpy(&ret->crc, name + crc_at, 4);
	ret->name = name;
	return 0;
}

static int by_link(const struct elf_image *image, const struct debug_search *search,
		   struct elf_image **ret)
{
	const char *slash = search->path ? strrchr(search->path, '/') : NULL;
	struct link link = { 0 };
	struct wanted want = wanted_by(image, &link);
	size_t i;
	int err;

	if (!slash)
		return -ENOENT;
	err = read_link(image, &link);
	for (i = 0; !err && i < 3; i++) {
		_cleanup_(str_release) struct str path = { 0 };

		/* DIR/NAME, DIR/.debug/NAME, DIRECTORY/DIR/NAME */
		if ((i == 2 && str_add(&path, search->directory)) ||
		    str_add_bytes(&path, search->path, slash - search->path) ||
		    str_addf(&path, i == 1 ? "/.debug/%s" : "/%s", link.name))
			return -ENOMEM;
		if (!try_path(search, path.data, &want, ret))
			return 0;
	}
	return err ? err : -ENOENT;
}

int debug_file_open(const struct elf_image *image, const struct debug_search *search,
		    struct elf_image **ret)
{
	struct wanted want = wanted_by(image, NULL);

	if (!by_build_id(search, &want, ret) || !by_link(image, search, ret) ||
	    !by_debuginfod(search, &want, ret))
		return 0;
	return -ENOENT;
}

/* The section: path, NUL, build ID. A relative path is so to the file's own folder. */
static int read_alt_link(const struct elf_image *image, const Elf64_Shdr *shdr, struct str *path,
			 struct wanted *want)
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
	want->id = (const uint8_t *)name + len + 1;
	want->id_len = data->d_size - len - 1;
	if (name[0] != '/' && slash && str_add_bytes(path, image->name, slash + 1 - image->name))
		return -ENOMEM;
	return str_add_bytes(path, name, len);
}

int debug_file_open_alt(const struct elf_image *image, const struct debug_search *search,
			struct elf_image **ret)
{
	const Elf64_Shdr *shdr = elf_image_section(image, ".gnu_debugaltlink");
	_cleanup_(str_release) struct str path = { 0 };
	struct wanted want = { .name = image->name };
	int err;

	if (!shdr)
		return 0;
	err = read_alt_link(image, shdr, &path, &want);
	if (err)
		return err;
	if (!try_path(search, str_text(&path), &want, ret) || !by_build_id(search, &want, ret) ||
	    !by_debuginfod(search, &want, ret))
		return 0;
	return -ENOENT;
}
