/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_tags: what pieces of I/O have beside their origin (device, operation, flags, size, what they
 * came through, whether the origin is inferred), as numbers for a capture's samples, and in words.
 */
#pragma once

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/io_wire.h"
#include "user/base/keyset.h"
#include "user/collect/collector.h"
#include "user/collect/devices.h"
#include "user/model/latency.h"

struct io_tag {
	uint32_t dev, came_dev;
	uint8_t op, flags, size, inferred;
};

struct io_tags {
	struct devices *devices; /* borrowed */
	struct keyset keys;	 /* of struct io_tag */
	struct io_tag_words {
		char *leaf, *device, *origin, *flags;
	} * words;
	size_t words_cap;
};

void io_tags_init(struct io_tags *tags, struct devices *devices);
void io_tags_release(struct io_tags *tags);

/* The number of what a tally's key says. Names are those that devices have now. 0 or -ENOMEM with
 * a sentence. */
int io_tags_number(struct io_tags *tags, const struct ft_io_key *key, uint32_t *ret);

void io_tags_describe(const struct io_tags *tags, uint32_t number, struct sample_tag *ret);

/* Words for the FT_IO_* numbers; those that are not known are "other" and "". */
const char *io_operation_name(uint8_t op);
const char *io_size_name(uint8_t size);
enum latency_direction io_direction(uint8_t op);

/* "sync meta"; "" for none. The array has room for all of them. */
#define IO_FLAGS_TEXT 32
void io_flags_text(uint8_t flags, char ret[IO_FLAGS_TEXT]);
