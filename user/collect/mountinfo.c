/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/collect/dev_number.h"

#define MAX_LINES (1u << 18)

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes blanks and backslashes of a path as three octal digits (seq_path). */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* The next word of the line, which loses it; NULL at its end. */
static char *next_word(char **line)
{
	char *word = strsep(line, " ");

	return word && *word ? word : NULL;
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNT OPTIONS [TAG]... - TYPE SOURCE OPTIONS" */
static bool parse_line(char *line, struct mountinfo *ret)
{
	char *word[6], *tag;
	size_t i;

	line[strcspn(line, "\n")] = '\0';
	for (i = 0; i < 6; i++) {
		word[i] = next_word(&line);
		if (!word[i])
			return false;
	}
	do {
		tag = next_word(&line);
		if (!tag)
			return false;
	} while (strcmp(tag, "-") != 0);
	ret->type = next_word(&line);
	/* A source may be empty, between two blanks. */
	ret->source = line ? strsep(&line, " ") : NULL;
	if (!ret->type || !ret->source || !dev_number_parse(word[2], strlen(word[2]), &ret->dev))
		return false;
	unescape(word[3]);
	unescape(word[4]);
	unescape((char *)ret->type);
	unescape((char *)ret->source);
	ret->root = word[3];
	ret->mount_point = word[4];
	return true;
}

int mountinfo_read(const char *path, mountinfo_fn fn, void *ctx)
{
	_cleanup_(fclosep) FILE *f = fopen(path, "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0, lines;
	struct mountinfo m;
	int err = 0;

	if (!f)
		return errf(-errno, "cannot open '%s': %m", path);
	for (lines = 0; !err && getline(&line, &size, f) > 0; lines++) {
		if (lines >= MAX_LINES)
			return errf(-E2BIG, "'%s' has more than %u lines", path, MAX_LINES);
		if (parse_line(line, &m))
			err = fn(ctx, &m);
	}
	return err;
}
