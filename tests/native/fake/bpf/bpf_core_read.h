/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_core_read: reads of kernel structures, by the layout that the fake vmlinux.h has. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/native/fake/fake_kernel.h"

/* No arithmetic on pointers: they may be null. */
#define FAKE_FIELD(p, field) ((const void *)((uintptr_t)(p) + offsetof(__typeof__(*(p)), field)))

#define FAKE_READ_2(p, a)                                                           \
	({                                                                          \
		__typeof__((p)->a) value_2;                                         \
		bpf_probe_read_kernel(&value_2, sizeof(value_2), FAKE_FIELD(p, a)); \
		value_2;                                                            \
	})
#define FAKE_READ_3(p, a, b)                                                           \
	({                                                                             \
		__auto_type at_3 = FAKE_READ_2(p, a);                                  \
		__typeof__(at_3->b) value_3;                                           \
		bpf_probe_read_kernel(&value_3, sizeof(value_3), FAKE_FIELD(at_3, b)); \
		value_3;                                                               \
	})
#define FAKE_READ_PICK(p, a, b, name, ...) name
#define BPF_CORE_READ(...)		   FAKE_READ_PICK(__VA_ARGS__, FAKE_READ_3, FAKE_READ_2, none)(__VA_ARGS__)

#define BPF_CORE_READ_STR_INTO(to, p, a) \
	bpf_probe_read_kernel_str((void *)(to), sizeof(*(to)), FAKE_FIELD(p, a))

#define bpf_core_field_exists(field)		((void)sizeof(field), true)
#define BPF_CORE_READ_BITFIELD_PROBED(p, a)	FAKE_READ_2(p, a)
#define bpf_core_type_size(type)		sizeof(type)
#define bpf_core_field_offset(type, field)	offsetof(type, field)
#define bpf_core_enum_value(type, value)	(value)
#define bpf_core_enum_value_exists(type, value) ((void)(value), !fake.lacks_task_pt_regs)
