/* SPDX-License-Identifier: BSD-2-Clause */
/* xml: text as content of XML files. */
#pragma once

#include "user/base/str.h"

/*
 * Appends text for the content of an element or a quoted attribute: valid in XML 1.0 (section
 * 2.2) whatever the bytes, on one line, read in the order of its characters. 0 or -ENOMEM.
 */
int xml_add(struct str *out, const char *text);
