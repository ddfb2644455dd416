/* SPDX-License-Identifier: BSD-2-Clause */
/* java_child: the process that runs a JVM's jcmd, and with whose rights. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * The jcmd of the Java home that 'libjvm' (HOME/lib/server/libjvm.so) is in, or else /usr/bin/jcmd,
 * in a block of the caller's: one that nobody but root and the process's user can have put there.
 * -ENOENT if there is none, -EXDEV if the process has another mount or user namespace than we, or
 * another -errno, with a sentence.
 */
int java_find_jcmd(uint32_t pid, const char *libjvm, char **ret);

/*
 * Starts "JCMD PID Compiler.perfmap" as the process's effective user with that user's groups, an
 * empty environment and no descriptors of ours. The child's PID, to be waited for, or -errno with a
 * sentence.
 */
pid_t java_start_jcmd(uint32_t pid, const char *jcmd);
