/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph/flame_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/base/number.h"
#include "user/base/replace.h"

/* Where flamegraph.pl has it, too. */
#define MAP_FILE "palette.map"

enum code {
	TITLE = FLAME_SETTINGS_CODE,
	SUBTITLE,
	WIDTH,
	HEIGHT,
	MIN_WIDTH,
	FONT_TYPE,
	FONT_SIZE,
	COUNT_NAME,
	NAME_TYPE,
	COLORS,
	BG_COLORS,
	HASH,
	RANDOM,
	CP,
	REVERSE,
	INVERTED,
	FLAME_CHART,
	NEGATE,
	NOTES,
	TOTAL,
	FACTOR,
	ENCODING,
	HTML,
	ALL_DATA,
	EXTRACT,
	JSON,
	FOLDED,
};

static const struct option shared[] = {
	{ "title", required_argument, NULL, TITLE },
	{ "subtitle", required_argument, NULL, SUBTITLE },
	{ "width", required_argument, NULL, WIDTH },
	{ "height", required_argument, NULL, HEIGHT },
	{ "minwidth", required_argument, NULL, MIN_WIDTH },
	{ "min-width", required_argument, NULL, MIN_WIDTH },
	{ "fonttype", required_argument, NULL, FONT_TYPE },
	{ "fontsize", required_argument, NULL, FONT_SIZE },
	{ "countname", required_argument, NULL, COUNT_NAME },
	{ "nametype", required_argument, NULL, NAME_TYPE },
	{ "colors", required_argument, NULL, COLORS },
	{ "bgcolors", required_argument, NULL, BG_COLORS },
	{ "hash", no_argument, NULL, HASH },
	{ "random", no_argument, NULL, RANDOM },
	{ "cp", no_argument, NULL, CP },
	{ "reverse", no_argument, NULL, REVERSE },
	{ "inverted", no_argument, NULL, INVERTED },
	{ "icicle", no_argument, NULL, INVERTED },
	{ "flamechart", no_argument, NULL, FLAME_CHART },
	{ "negate", no_argument, NULL, NEGATE },
	{ "notes", required_argument, NULL, NOTES },
	{ "total", required_argument, NULL, TOTAL },
	{ "factor", required_argument, NULL, FACTOR },
	{ "encoding", required_argument, NULL, ENCODING },
	{ "html", no_argument, NULL, HTML },
	{ "all-data", no_argument, NULL, ALL_DATA },
	{ "extract", no_argument, NULL, EXTRACT },
	{ "json", no_argument, NULL, JSON },
	{ "folded", no_argument, NULL, FOLDED },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
};

const char flame_settings_help[] =
	"  -o, --output FILE      write there instead of to standard output\n"
	"      --title TEXT       default: Flame Graph\n"
	"      --subtitle TEXT    a second line\n"
	"      --width PIXELS     default: 1200, and the window's width in a browser\n"
	"      --height PIXELS    of a row\n"
	"      --minwidth PIXELS  join frames narrower than this, or than PERCENT with a '%' (0:\n"
	"                         none; default 0.1, more if there were over 6,000 frames)\n"
	"      --fonttype NAME, --fontsize PIXELS\n"
	"      --countname TEXT   what is counted; default: samples\n"
	"      --nametype TEXT    what stands before a name, such as Function:\n"
	"      --colors SCHEME    kind, module, hash, hot, mem, io, wakeup, chain, java, js, "
	"perl,\n"
	"                         red, green, blue, aqua, yellow, purple, orange; default: kind\n"
	"      --bgcolors COLOR   yellow, blue, green, grey or #rrggbb\n"
	"      --hash             colours by name; --random: without their order by name\n"
	"      --cp               keep colours in ./palette.map\n"
	"      --inverted         root at the top (--icicle is the same)\n"
	"      --reverse          merge stacks from the innermost frame on\n"
	"      --flamechart       stacks in the order of time, or of their lines, nothing sorted\n"
	"      --negate           colours of a differential change places\n"
	"      --notes TEXT       a comment in the file\n"
	"      --total NUMBER     what is 100 %, if it is more than there is\n"
	"      --factor NUMBER    multiply the counts of folded stacks by it\n"
	"      --encoding NAME    of folded stacks; the output is always UTF-8\n"
	"      --html             an HTML file with the same picture\n"
	"      --all-data         all of the tree inside, however large the file is\n"
	"      --extract          no picture, but the stacks inside one: FILE is SVG or HTML;\n"
	"                         --json: the tree and what is known of it\n"
	"  -q, --quiet            no notes on standard error\n";

void flame_settings_init(struct flame_settings *s)
{
	*s = (struct flame_settings){ .picture.min_width = -1 };
}

void flame_settings_options(const struct option *own, struct option ret[FLAME_SETTINGS_MAX])
{
	size_t n = 0, i;

	for (; own->name && n + ARRAY_SIZE(shared) + 1 < FLAME_SETTINGS_MAX; own++)
		ret[n++] = *own;
	for (i = 0; i < ARRAY_SIZE(shared); i++)
		ret[n++] = shared[i];
	ret[n] = (struct option){ 0 };
}

/* A share of all, with '%' behind it. */
static int take_min_share(struct picture_options *p, const char *argument, size_t len)
{
	_cleanup_(freep) char *percent = strndup(argument, len - 1);
	double v;
	int err;

	if (!percent)
		return errf(-ENOMEM, "no memory for an option");
	err = parse_double(percent, "--minwidth", 0, 100, &v);
	if (err)
		return err;
	p->min_width = v > 0 ? -1 : 0;
	p->min_share = v / 100;
	return 0;
}

static int take_min_width(struct picture_options *p, const char *argument)
{
	size_t len = strlen(argument);

	if (len && argument[len - 1] == '%')
		return take_min_share(p, argument, len);
	p->min_share = 0;
	return parse_double(argument, "--minwidth", 0, PICTURE_MAX_WIDTH, &p->min_width);
}

static int take_picture(struct picture_options *p, int code, const char *argument)
{
	switch (code) {
	case WIDTH:
		return parse_u32(argument, "--width", PICTURE_MIN_WIDTH, PICTURE_MAX_WIDTH,
				 &p->width);
	case HEIGHT:
		return parse_u32(argument, "--height", 4, 200, &p->row_height);
	case MIN_WIDTH:
		return take_min_width(p, argument);
	case FONT_SIZE:
		return parse_double(argument, "--fontsize", 1, 100, &p->font_size);
	case TOTAL:
		return parse_double(argument, "--total", 0, 0x1p63, &p->total);
	case BG_COLORS:
		return palette_background_find(argument, p->palette.background);
	case COLORS:
		return palette_scheme_find(argument, &p->palette.scheme);
	default:
		return errf(-EINVAL, "unknown option");
	}
}

/* True if it is one of these: options that are no more than a text. */
static bool take_text(struct flame_settings *s, int code, const char *argument)
{
	const struct {
		int code;
		const char **to;
	} texts[] = {
		{ TITLE, &s->picture.title },	      { SUBTITLE, &s->picture.subtitle },
		{ FONT_TYPE, &s->picture.font },      { COUNT_NAME, &s->picture.count_name },
		{ NAME_TYPE, &s->picture.name_type }, { NOTES, &s->picture.notes },
		{ ENCODING, &s->input.encoding },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].code == code) {
			*texts[i].to = argument;
			return true;
		}
	}
	return false;
}

/* The same: those that are there or not. */
static bool take_flag(struct flame_settings *s, int code)
{
	const struct {
		int code;
		bool *to;
	} flags[] = {
		{ HASH, &s->is_hashed },
		{ RANDOM, &s->picture.palette.is_random },
		{ CP, &s->uses_map },
		{ REVERSE, &s->input.is_reversed },
		{ INVERTED, &s->picture.is_icicle },
		{ FLAME_CHART, &s->input.is_chart },
		{ NEGATE, &s->picture.is_negated },
		{ HTML, &s->picture.is_html },
		{ ALL_DATA, &s->picture.has_all_data },
		{ EXTRACT, &s->is_extract },
		{ JSON, &s->is_json },
		{ 'q', &s->is_quiet },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].code == code) {
			*flags[i].to = true;
			return true;
		}
	}
	return false;
}

int flame_settings_take(struct flame_settings *s, int code, const char *argument)
{
	if (take_flag(s, code) || take_text(s, code, argument))
		return 0;
	switch (code) {
	case 'o':
		if (!*argument)
			return errf(-EINVAL, "-o wants the name of a file");
		s->output = strcmp(argument, "-") ? argument : NULL;
		return 0;
	case FOLDED:
		s->is_json = false;
		return 0;
	case FACTOR:
		return parse_double(argument, "--factor", 1e-12, 1e12, &s->input.factor);
	case COLORS:
		s->has_colors = true;
		break;
	}
	return take_picture(&s->picture, code, argument);
}

static int read_map(struct flame_settings *s, size_t *ret_bad)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = file_open(MAP_FILE, FILE_HOSTILE);
	size_t len = 0;
	int err;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		err = file_read_fd(fd, MAP_FILE, PALETTE_MAP_MAX, &text, &len);
		if (err)
			return err;
	}
	return palette_map_read(text ? text : "", len, &s->picture.palette.map, ret_bad);
}

int flame_settings_close(struct flame_settings *s, size_t *ret_bad)
{
	*ret_bad = 0;
	/* flamegraph.pl's colours are hot unless others are asked for. */
	if (!s->has_colors && s->is_hashed)
		s->picture.palette.scheme = PALETTE_HASH;
	else if (!s->has_colors && s->picture.palette.is_random)
		s->picture.palette.scheme = PALETTE_HOT;
	if (s->is_json && !s->is_extract)
		return errf(-EINVAL, "--json goes with --extract");
	return s->uses_map && !s->is_extract ? read_map(s, ret_bad) : 0;
}

static int write_map(void *arg, FILE *out)
{
	const struct str *text = arg;

	if (fwrite(str_text(text), 1, text->len, out) != text->len || fflush(out))
		return errf(-errno, "cannot write to '%s': %m", MAP_FILE);
	return 0;
}

int flame_settings_save_map(const struct flame_settings *s)
{
	_cleanup_(str_release) struct str text = { 0 };
	int err;

	if (!s->picture.palette.map)
		return 0;
	err = palette_map_write(s->picture.palette.map, &text);
	if (err)
		return errf(err, "no memory for '%s'", MAP_FILE);
	return file_replace(MAP_FILE, "the colours", write_map, &text);
}

void flame_settings_release(struct flame_settings *s)
{
	if (s->picture.palette.map)
		palette_map_free(s->picture.palette.map);
	s->picture.palette.map = NULL;
}
