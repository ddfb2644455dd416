/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/mapped_file.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "user/base/err.h"
#include "user/base/str.h"
#include "user/elf/elf_image.h"
#include "user/sym/open_regular.h"

size_t mapped_file_path_len(const char *path)
{
	static const char mark[] = " (deleted)";
	size_t len = strlen(path), mark_len = sizeof(mark) - 1;

	if (len > mark_len && !strcmp(path + len - mark_len, mark))
		return len - mark_len;
	return len;
}

/* 1: the same build ID, 0: another one, -1: one of the two is not known. */
static int compare_build_id(int fd, const struct sym_mapping *m)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	uint8_t id[sizeof(m->build_id)] = { 0 }, want[sizeof(id)] = { 0 };

	if (!m->build_id_len || elf_image_open(fd, m->path, &image) || !image->build_id_len)
		return -1;
	/* The kernel's has 20 bytes whatever the file's has. */
	memcpy(id, image->build_id,
	       image->build_id_len < sizeof(id) ? image->build_id_len : sizeof(id));
	memcpy(want, m->build_id, m->build_id_len < sizeof(want) ? m->build_id_len : sizeof(want));
	return !memcmp(id, want, sizeof(id));
}

static bool same_inode(int fd, const struct sym_mapping *m)
{
	struct statfs fs;
	long generation = 0;
	struct stat st;

	if (fstat(fd, &st) || st.st_ino != m->ino)
		return false;
	if (fstatfs(fd, &fs))
		return false;
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC || fs.f_type == BTRFS_SUPER_MAGIC)
		return true;
	if (m->dev && st.st_dev != m->dev)
		return false;
	/* A number is used again as soon as its file is deleted; not all file systems answer. */
	if (m->generation && !ioctl(fd, FS_IOC_GETVERSION, &generation) &&
	    (uint32_t)generation != (uint32_t)m->generation)
		return false;
	return true;
}

static bool is_right(int fd, const struct sym_mapping *m, bool by_path)
{
	int same = compare_build_id(fd, m);

	if (same >= 0)
		return same;
	if (m->ino)
		return same_inode(fd, m);
	return by_path && !m->build_id_len;
}

/* Takes 'fd', which may be an error, and gives it back if it is the right one's. */
static int judge(int fd, const struct sym_mapping *m, bool by_path)
{
	if (fd < 0 || is_right(fd, m, by_path))
		return fd;
	close(fd);
	return errf(-ESTALE, "'%s' is no longer the file that was mapped", m->path);
}

static int open_link(const struct sym_mapping *m, bool exe)
{
	char link[96];

	if (exe)
		snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", m->pid);
	else
		snprintf(link, sizeof(link), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64,
			 m->pid, m->start, m->end);
	return judge(open_regular(link, true), m, !exe);
}

int mapped_file_open(const struct sym_mapping *m)
{
	_cleanup_(str_release) struct str path = { 0 };
	int fd;

	if (m->path[0] != '/')
		return errf(-ENOENT, "'%s' is no file", m->path);
	if (str_add_bytes(&path, m->path, mapped_file_path_len(m->path)))
		return errf(-ENOMEM, "no memory to open '%s'", m->path);
	fd = m->pid ? open_link(m, false) : -1;
	if (fd < 0 && m->pid)
		fd = judge(open_regular_in(m->pid, path.data, false), m, true);
	if (fd < 0)
		fd = judge(open_regular(path.data, false), m, true);
	if (fd < 0 && m->pid)
		fd = open_link(m, true);
	return fd;
}
