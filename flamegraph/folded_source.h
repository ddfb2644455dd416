/* SPDX-License-Identifier: BSD-2-Clause */
/* folded_source: files, one after the other, in blocks of whole lines that are handed to whoever
 * asks for one; many may ask at the same time. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/str.h"

/* A block's storage is used again for the next one. */
struct folded_block {
	char *data; /* lines, each with its newline, and FOLDED_PADDING bytes behind them */
	size_t len, cap;
	bool begins_file;
};
#define FOLDED_PADDING 16

struct folded_source {
	pthread_mutex_t lock;
	char *const *paths;
	size_t n_paths, next; /* file to be opened next */
	int fd;		      /* -1: none is open */
	const char *name;     /* of the open one, for sentences */
	size_t block_bytes;
	struct str rest;   /* of the open file: a line that was not whole yet */
	bool at_start;	   /* nothing of the file has been handed out */
	bool is_skipping;  /* what comes is the rest of a line that was too long */
	uint64_t too_long; /* lines beyond FOLDED_MAX_LINE that no block has */
};

/* The paths are borrowed; "-" is standard input. Nothing is opened yet. */
void folded_source_init(struct folded_source *s, char *const *paths, size_t n, size_t block_bytes);
void folded_source_release(struct folded_source *s);

/*
 * The next lines: about as many bytes as a block has, more if a line is longer. 1, 0 at the end of
 * the last file, or -errno with a sentence.
 */
int folded_source_read(struct folded_source *s, struct folded_block *block);

/* Whoever asks next is at the end. */
void folded_source_stop(struct folded_source *s);

/* Whether all of it has been read; not while others read. */
bool folded_source_is_done(const struct folded_source *s);

void folded_block_release(struct folded_block *block);
