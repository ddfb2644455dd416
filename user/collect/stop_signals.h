/* SPDX-License-Identifier: BSD-2-Clause */
/* stop_signals: the signals by which a recording is asked to end. */
#pragma once

/*
 * From here on SIGINT, SIGTERM and (unless it was ignored) SIGHUP wait until they are asked for.
 * *ret is a signalfd(2). 0 or -errno with a sentence.
 */
int stop_signals_catch(int *ret);

/* Whether one has come since. */
int stop_signals_came(int fd);
