/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/export/host_json.h"

#include "user/base/json_parts.h"

json_t *json_part_host(const struct host_info *host)
{
	json_t *o = json_object();
	int bad = 0;

	bad |= json_object_set_new(o, "kernel", json_part_text(host->kernel));
	bad |= json_object_set_new(o, "architecture", json_part_text(host->architecture));
	bad |= json_object_set_new(o, "cpu_model", json_part_text(host->cpu_model));
	bad |= json_object_set_new(o, "cpus_online", json_part_known(host->cpus_online));
	bad |= json_object_set_new(o, "memory_bytes", json_part_known(host->memory_bytes));
	bad |= json_object_set_new(o, "governor", json_part_text(host->governor));
	bad |= json_object_set_new(o, "virtualization", json_part_text(host->virtualization));
	bad |= json_object_set_new(o, "fathom_version", json_part_text(host->fathom_version));
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}
