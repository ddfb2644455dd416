/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/debugdata.h"

#include <errno.h>
#include <lzma.h>

#include "user/base/array.h"
#include "user/base/err.h"

#define MAX_COMPRESSED	 (32u << 20)
#define MAX_DECOMPRESSED (64u << 20)
#define MAX_MEMORY	 (128u << 20)

static int decompress(lzma_stream *xz, const char *name, char **ret, size_t *ret_len)
{
	_cleanup_(freep) char *data = NULL;
	size_t len = 0, cap = 0, room;
	lzma_ret status;

	do {
		if (len >= MAX_DECOMPRESSED)
			return errf(-EFBIG, "the .gnu_debugdata of '%s' is too large", name);
		if (array_reserve(data, cap, len + 65536))
			return errf(-ENOMEM, "no memory for the .gnu_debugdata of '%s'", name);
		xz->next_out = (uint8_t *)data + len;
		room = (cap < MAX_DECOMPRESSED ? cap : MAX_DECOMPRESSED) - len;
		xz->avail_out = room;
		status = lzma_code(xz, LZMA_FINISH);
		len += room - xz->avail_out;
	} while (status == LZMA_OK);
	if (status == LZMA_MEMLIMIT_ERROR)
		return errf(-EFBIG, "the .gnu_debugdata of '%s' wants too much memory", name);
	if (status != LZMA_STREAM_END)
		return errf(-EINVAL, "the .gnu_debugdata of '%s' is broken", name);
	*ret = take(data);
	*ret_len = len;
	return 0;
}

int debugdata_load(const struct elf_image *image, char **ret, size_t *ret_len)
{
	const Elf64_Shdr *shdr = elf_image_section(image, ".gnu_debugdata");
	lzma_stream xz = LZMA_STREAM_INIT;
	Elf_Data *packed;
	int err;

	if (!shdr)
		return -ENOENT;
	err = elf_image_data(image, shdr, MAX_COMPRESSED, &packed);
	if (err)
		return err;
	if (lzma_stream_decoder(&xz, MAX_MEMORY, 0) != LZMA_OK)
		return errf(-ENOMEM, "no memory for the .gnu_debugdata of '%s'", image->name);
	xz.next_in = packed->d_buf;
	xz.avail_in = packed->d_size;
	err = decompress(&xz, image->name, ret, ret_len);
	lzma_end(&xz);
	return err;
}
