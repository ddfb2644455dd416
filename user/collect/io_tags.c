/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/io_tags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

void io_tags_init(struct io_tags *tags, struct devices *devices)
{
	*tags = (struct io_tags){ .devices = devices };
	keyset_init(&tags->keys, sizeof(struct io_tag));
}

static void words_free(struct io_tag_words *w)
{
	free(w->leaf);
	free(w->device);
	free(w->origin);
	free(w->flags);
}

void io_tags_release(struct io_tags *tags)
{
	size_t i;

	for (i = 0; i < tags->keys.n; i++)
		words_free(&tags->words[i]);
	free(tags->words);
	tags->words = NULL;
	keyset_release(&tags->keys);
}

/* --- words --------------------------------------------------------------------------------- */

const char *io_operation_name(uint8_t op)
{
	static const char *const names[] = {
		[FT_IO_READ] = "read",	     [FT_IO_WRITE] = "write", [FT_IO_FLUSH] = "flush",
		[FT_IO_DISCARD] = "discard", [FT_IO_OTHER] = "other",
	};

	return op < ARRAY_SIZE(names) ? names[op] : "other";
}

const char *io_size_name(uint8_t size)
{
	static const char *const names[FT_IO_SIZE_MAX - FT_IO_SIZE_MIN + 1] = {
		"512", "1K",   "2K",   "4K",   "8K", "16K", "32K",
		"64K", "128K", "256K", "512K", "1M", ">1M",
	};

	if (size == FT_IO_SIZE_REST)
		return "other";
	if (size < FT_IO_SIZE_MIN || size > FT_IO_SIZE_MAX)
		return "0";
	return names[size - FT_IO_SIZE_MIN];
}

enum latency_direction io_direction(uint8_t op)
{
	return op == FT_IO_READ	   ? LATENCY_READ
	       : op == FT_IO_WRITE ? LATENCY_WRITE
				   : LATENCY_NEITHER;
}

void io_flags_text(uint8_t flags, char ret[IO_FLAGS_TEXT])
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {
		{ FT_IO_SYNC, "sync" },	      { FT_IO_META, "meta" },  { FT_IO_FUA, "fua" },
		{ FT_IO_AHEAD, "readahead" }, { FT_IO_REST, "other" },
	};
	size_t i, len = 0;

	ret[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag)
			len += snprintf(ret + len, IO_FLAGS_TEXT - len, "%s%s", len ? " " : "",
					names[i].name);
	}
}

/* --- tags ---------------------------------------------------------------------------------- */

static int words_make(struct io_tags *tags, const struct io_tag *tag, struct io_tag_words *w)
{
	_cleanup_(str_release) struct str origin = { 0 };
	const struct device *device, *came;
	char flags[IO_FLAGS_TEXT];
	int err = devices_resolve(tags->devices, tag->dev, &device);

	if (!err)
		w->device = strdup(device->name);
	if (!err && asprintf(&w->leaf, "[%s %s%s]", device->name, io_operation_name(tag->op),
			     tag->inferred ? ", inferred" : "") < 0)
		w->leaf = NULL;
	if (!err && tag->came_dev) {
		err = devices_resolve(tags->devices, tag->came_dev, &came);
		if (!err)
			err = device_label(came, &origin);
		if (!err)
			w->origin = strdup(str_text(&origin));
	}
	if (err)
		return err;
	io_flags_text(tag->flags, flags);
	w->flags = strdup(flags);
	if (!w->device || !w->leaf || !w->flags || (tag->came_dev && !w->origin))
		return errf(-ENOMEM, "no memory for the names of a device");
	return 0;
}

int io_tags_number(struct io_tags *tags, const struct ft_io_key *key, uint32_t *ret)
{
	const struct io_tag tag = {
		.dev = key->dev,
		.came_dev = key->came_dev,
		.op = key->op,
		.flags = key->flags,
		.size = key->size,
		.inferred = key->inferred,
	};
	struct io_tag_words words = { 0 };
	uint32_t number = keyset_find(&tags->keys, &tag);
	int err;

	if (number != KEYSET_NONE) {
		*ret = number;
		return 0;
	}
	err = words_make(tags, &tag, &words);
	if (!err && (array_reserve(tags->words, tags->words_cap, tags->keys.n + 1) ||
		     keyset_add(&tags->keys, &tag, &number) < 0))
		err = errf(-ENOMEM, "no memory for the names of a device");
	if (err) {
		words_free(&words);
		return err;
	}
	tags->words[number] = words;
	*ret = number;
	return 0;
}

static void label(struct sample_tag *ret, const char *key, const char *text)
{
	if (ret->n_labels < SAMPLE_TAG_LABELS)
		ret->labels[ret->n_labels++] =
			(struct sample_tag_label){ .key = key, .text = text };
}

void io_tags_describe(const struct io_tags *tags, uint32_t number, struct sample_tag *ret)
{
	const struct io_tag *tag;
	const struct io_tag_words *w;

	if (number >= tags->keys.n)
		return;
	tag = keyset_key(&tags->keys, number);
	w = &tags->words[number];
	/* A name that is longer than a frame's is cut. */
	snprintf(ret->leaf, sizeof(ret->leaf), "%s", w->leaf);
	label(ret, "device", w->device);
	label(ret, "operation", io_operation_name(tag->op));
	label(ret, "size", io_size_name(tag->size));
	if (w->flags[0])
		label(ret, "flags", w->flags);
	if (w->origin)
		label(ret, "origin", w->origin);
	if (tag->inferred)
		label(ret, "inferred", "yes");
}
