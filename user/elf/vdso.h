/* SPDX-License-Identifier: BSD-2-Clause */
/* vdso: the ELF image that the kernel maps into every process; ours is everybody's. */
#pragma once

#include "user/elf/elf_image.h"

/*
 * Reads the vDSO of this process from its memory (AT_SYSINFO_EHDR; vdso(7)). -ENOENT if there is
 * none. It is the 64-bit one: a 32-bit process has another.
 */
int vdso_open(struct elf_image **ret);
