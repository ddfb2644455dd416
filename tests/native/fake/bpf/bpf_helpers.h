/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_helpers: what libbpf's header of this name defines for BPF programs, on the fakes. */
#pragma once

#include "tests/native/fake/fake_kernel.h"
#include "tests/native/fake/fake_map.h"

#define SEC(name)
#define __uint(name, value)  int(*name)[value]
#define __type(name, value)  __typeof__(value) *name
#define __array(name, value) __typeof__(value) *name[]

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline	__attribute__((noinline))
