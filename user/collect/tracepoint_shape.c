/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/tracepoint_shape.h"

#include <bpf/btf.h>
#include <stdio.h>

/* The function that a tracepoint calls; its first argument is the tracepoint's own. */
static const struct btf_type *function_of(const struct btf *btf, const char *name)
{
	const struct btf_type *type;
	char text[128];
	int id, i;

	if ((size_t)snprintf(text, sizeof(text), "btf_trace_%s", name) >= sizeof(text))
		return NULL;
	id = btf__find_by_name_kind(btf, text, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	type = btf__type_by_id(btf, id);
	for (i = 0; i < 2 && type; i++) /* a pointer to a function */
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) ? type : NULL;
}

int tracepoint_arguments(const struct btf *btf, const char *name)
{
	const struct btf_type *function = function_of(btf, name);

	return function ? btf_vlen(function) - 1 : -1;
}

bool tracepoint_has_pointer(const struct btf *btf, const char *name, int i)
{
	const struct btf_type *function = function_of(btf, name), *type;

	if (!function || i + 1 >= btf_vlen(function))
		return false;
	type = btf__type_by_id(btf, btf_params(function)[i + 1].type);
	return type && btf_is_ptr(type);
}
