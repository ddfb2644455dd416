/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_cache: from the bytes of a frame, as a folded line has them, to the frame of a flame tree.
 * What bytes mean (their encoding, what has to be mended, the suffix of a kind) is found out when
 * they are met for the first time.
 */
#pragma once

#include <iconv.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "flamegraph/flame_tree.h"
#include "user/base/str.h"

#define FRAME_CACHE_PADDING 8 /* bytes that have to be readable behind the end of a frame */
#define FRAME_CACHE_BLANK   UINT32_MAX

struct cached_frame {
	uint32_t tag;  /* of the hash; spares most looks at bytes that differ */
	uint32_t text; /* where the bytes are, in units of 8 */
	uint32_t len : 31;
	uint32_t is_mended : 1;
	uint32_t frame; /* FRAME_CACHE_BLANK: there is nothing but space */
};

struct frame_cache {
	struct flame_tree *tree;
	pthread_mutex_t *lock;
	struct cached_frame *slots; /* those of length 0 are empty */
	size_t n_slots, n;
	uint64_t *text; /* the bytes of all */
	size_t text_len, text_cap;
	uint64_t seeds[2];
	iconv_t encoding; /* (iconv_t)-1: UTF-8 */
	struct str converted, clean;
};

/*
 * For a tree that is being built; caches of several threads that add frames to the same one share
 * 'lock' (NULL: there is one thread). 'encoding': of the bytes, as iconv(1) names it; NULL: UTF-8.
 * 0, -ENOMEM, or -EINVAL for an encoding that is not known or has not ASCII's bytes for its
 * characters, with a sentence.
 */
int frame_cache_new(struct flame_tree *tree, pthread_mutex_t *lock, const char *encoding,
		    struct frame_cache **ret);
void frame_cache_free(struct frame_cache *cache);
DEFINE_FREEP(struct frame_cache, frame_cache_free)

/* Bytes to be looked for. They go on to the next ';', which is there. */
struct frame_key {
	uint64_t hash;
	const char *text;
	size_t len; /* 0: there are none, and nothing to be looked for */
};

/*
 * Most of the time goes by until memory answers. So a stack's keys are made first, then asked for,
 * then found, and the answers come at the same time.
 */
void frame_cache_key(const struct frame_cache *cache, const char *text, struct frame_key *ret);
void frame_cache_ask(const struct frame_cache *cache, const struct frame_key *key);

/*
 * The frame of those bytes. Kernel frames get the module "[kernel]". *ret is valid until the next
 * call. Errors as flame_tree_add_frame() has them.
 */
int frame_cache_find(struct frame_cache *cache, const struct frame_key *key,
		     const struct cached_frame **ret);
