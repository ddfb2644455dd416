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

static bool same_build_id(const struct elf_image *a, const struct elf_image *b)
{
	return a->build_id_len == b->build_id_len &&
	       !memcmp(a->build_id, b->build_id, a->build_id_len);
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

/* Takes 'fd'. 'link' is NULL for a file found by its build ID. */
static int judge(int fd, const struct elf_image *image, const char *path, const struct link *link,
		 struct elf_image **ret)
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
	if (!elf_image_section_of_type(file, SHT_SYMTAB) || file->machine != image->machine ||
	    !same_build_id(file, image) || (link && !same_crc(fd, link->crc)))
		return errf(-ESTALE, "'%s' does not belong to '%s'", path, image->name);
	*ret = take(file);
	return 0;
}

static int try_path(const struct elf_image *image, const struct debug_search *search,
		    const char *path, const struct link *link, struct elf_image **ret)
{
	int err = -ENOENT;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return -ENOENT;
	/* Distributions link: what a link leads to is judged like any other file. */
	if (search->pid)
		err = judge(open_regular_in(search->pid, path, true), image, path, link, ret);
	return err ? judge(open_regular(path, true), image, path, link, ret) : 0;
}

static int by_build_id(const struct elf_image *image, const struct debug_search *search,
		       struct elf_image **ret)
{
	_cleanup_(str_release) struct str path = { 0 };
	size_t i;

	if (image->build_id_len < 2)
		return -ENOENT;
	if (str_addf(&path, "%s/.build-id/%02x/", search->directory, image->build_id[0]))
		return -ENOMEM;
	for (i = 1; i < image->build_id_len; i++) {
		if (str_addf(&path, "%02x", image->build_id[i]))
			return -ENOMEM;
	}
	if (str_add(&path, ".debug"))
		return -ENOMEM;
	return try_path(image, search, path.data, NULL, ret);
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
		if (!try_path(image, search, path.data, &link, ret))
			return 0;
	}
	return err ? err : -ENOENT;
}

int debug_file_open(const struct elf_image *image, const struct debug_search *search,
		    struct elf_image **ret)
{
	if (!by_build_id(image, search, ret) || !by_link(image, search, ret))
		return 0;
	return -ENOENT;
}
