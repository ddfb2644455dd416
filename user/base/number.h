/* SPDX-License-Identifier: BSD-2-Clause */
/* number: numbers of the command line. */
#pragma once

/* 0, or -EINVAL (no number) or -ERANGE with a sentence that quotes 'what'. */
int parse_u32(const char *text, const char *what, unsigned int min, unsigned int max,
	      unsigned int *ret);
int parse_double(const char *text, const char *what, double min, double max, double *ret);
