/* SPDX-License-Identifier: BSD-2-Clause */
/* host_json: what summaries and manifests say of the machine. */
#pragma once

#include <jansson.h>

#include "user/model/summary.h"

/* A new reference, as the functions of json_parts.h; what is not known is null. */
json_t *json_part_host(const struct host_info *host);
