/* SPDX-License-Identifier: BSD-2-Clause */
/* command_path: the file that a command is. */
#pragma once

/*
 * Looked for as execvp(3) would; a command with a '/' is that path, whatever is there. The caller's
 * to free. -ENOENT if there is none, -ENOMEM; with a sentence.
 */
int command_path(const char *command, char **ret);
