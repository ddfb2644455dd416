/* SPDX-License-Identifier: BSD-2-Clause */
/* record_help: what 'fathom record --help' says. */
#pragma once

/* To standard output. */
void record_print_help(void);
