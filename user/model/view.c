/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/model/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/base/array.h"

/* A name is never empty, so that a line of folded stacks has no empty frame. */
static int add_name(struct str *out, const char *text)
{
	return str_add_clean(out, *text ? text : "[empty]", *text ? strlen(text) : 7, ';');
}

int view_frame_name(const struct profile *p, const struct profile_frame *frame, struct str *out)
{
	return add_name(out, profile_string(p, frame->function));
}

int view_root(const struct profile *p, uint32_t labels, const struct view *view, struct str *out)
{
	const struct profile_label *comm, *pid, *tid;
	int err;

	if (view->no_comm)
		return 0;
	comm = profile_label(p, labels, view->per_thread ? LABEL_THREAD : LABEL_PROCESS);
	if (!comm)
		return 0;
	err = add_name(out, profile_string(p, comm->str));
	pid = profile_label(p, labels, LABEL_PID);
	if (!err && view->with_pid && pid)
		err = str_addf(out, "-%" PRId64, pid->num);
	tid = profile_label(p, labels, LABEL_TID);
	if (!err && view->per_thread && tid)
		err = str_addf(out, "/%" PRId64, tid->num);
	return err;
}

const char *view_suffix(uint32_t kind)
{
	switch (kind) {
	case FRAME_KERNEL:
		return "_[k]";
	case FRAME_INLINED:
		return "_[i]";
	case FRAME_INTERPRETED:
		return "_[j]";
	default:
		return "";
	}
}

struct scale {
	double unit;
	const char *name;
};

static int scaled(double v, const struct scale *scale, size_t n, struct str *out)
{
	double size = fabs(v);
	size_t i = 0;

	while (i + 1 < n && size < scale[i].unit)
		i++;
	if (i + 1 == n)
		return str_addf(out, "%.0f %s", v, scale[i].name);
	v /= scale[i].unit;
	return str_addf(out, "%.*f %s", fabs(v) < 10 ? 2 : fabs(v) < 100 ? 1 : 0, v, scale[i].name);
}

/* 1234567 -> 1,234,567 */
static int grouped(int64_t v, struct str *out)
{
	char digits[24];
	size_t len, i;
	int err = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, v);
	len = strlen(digits);
	for (i = 0; i < len && !err; i++) {
		err = str_add_bytes(out, digits + i, 1);
		if (!err && (len - i) % 3 == 1 && i + 1 < len && digits[i] != '-')
			err = str_add(out, ",");
	}
	return err;
}

int view_amount(int64_t v, const char *unit, struct str *out)
{
	static const struct scale times[] = {
		{ 1e9, "s" },
		{ 1e6, "ms" },
		{ 1e3, "us" },
		{ 1, "ns" },
	};
	static const struct scale sizes[] = {
		{ 0x1p40, "TiB" }, { 0x1p30, "GiB" }, { 0x1p20, "MiB" },
		{ 0x1p10, "KiB" }, { 1, "bytes" },
	};

	if (!strcmp(unit, "nanoseconds"))
		return scaled(v, times, ARRAY_SIZE(times), out);
	if (!strcmp(unit, "bytes"))
		return scaled(v, sizes, ARRAY_SIZE(sizes), out);
	return grouped(v, out);
}
