/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/eh_frame.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"

#define MAX_ENTRIES (4u << 20)
#define MAX_CIES    (256u << 10) /* .debug_frame has one for each object file */

/* One entry of either kind, as far as their layouts are the same. */
struct entry {
	uint64_t at; /* place in the section */
	struct cursor body;
	bool is_cie;
	uint64_t cie; /* of an FDE: place of its CIE */
};

static bool is_end(const struct frame_entries *e)
{
	return !e->from.end_known && e->n_seen >= e->from.fdes_before_end;
}

/*
 * The next entry. False at the end, and where a length leads out of the section: what follows it
 * cannot be found then. A length of 0 ends the contribution of one crtend.o, not the section.
 */
static bool next_entry(struct frame_entries *e, struct cursor *c, struct entry *ret)
{
	const struct cfi_section *s = &e->from.section;
	bool is_64 = false;
	uint64_t len, id, none, id_at;
	const uint8_t *body;

	do {
		ret->at = c->at - s->bytes;
		len = cursor_u32(c);
	} while (!c->bad && !len && !is_end(e));
	if (c->bad || !len)
		return false;
	if (len == 0xffffffff) {
		is_64 = true;
		len = cursor_u64(c);
	}
	body = cursor_skip(c, len);
	if (!body || (len > 0xfffffff0 && !is_64)) {
		/* Behind the end it is something else that looks like this. */
		e->n_broken += e->from.end_known;
		return false;
	}
	ret->body = (struct cursor){ .at = body, .end = body + len };
	id_at = body - s->bytes;
	/* In .eh_frame it has 4 bytes whatever the length's form. */
	is_64 = is_64 && !e->from.is_eh;
	id = is_64 ? cursor_u64(&ret->body) : cursor_u32(&ret->body);
	none = e->from.is_eh ? 0 : is_64 ? UINT64_MAX : UINT32_MAX;
	ret->is_cie = id == none;
	ret->cie = e->from.is_eh ? id_at - id : id;
	e->n_seen += !ret->is_cie;
	return true;
}

/* What the letters of an augmentation say. False if one is not known. */
static bool read_augmentation(const char *letters, struct cursor *c,
			      const struct cfi_section *section, struct cfi_cie *cie)
{
	uint64_t ignored;
	uint8_t encoding;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			cie->encoding = cursor_u8(c);
			break;
		case 'P':
			encoding = cursor_u8(c);
			if (encoding != DW_EH_PE_omit &&
			    !cfi_read_address(c, section, encoding & ~DW_EH_PE_indirect, &ignored))
				return false;
			break;
		case 'L':
			cursor_u8(c);
			break;
		case 'S':
			cie->is_signal = true;
			break;
		case 'B': /* signed with key B, and tagged memory: AArch64's */
		case 'G':
			break;
		default:
			return false;
		}
	}
	return !c->bad;
}

static bool read_cie(const struct frame_entries *e, struct cursor c, struct cfi_cie *cie)
{
	const struct cfi_section *section = &e->from.section;
	uint8_t version = cursor_u8(&c);
	const char *letters = (const char *)c.at;
	const uint8_t *nul = memchr(c.at, 0, cursor_left(&c)), *data;
	uint64_t len;

	if (!nul || (version != 1 && version != 3 && version != 4))
		return false;
	c.at = nul + 1;
	if (!strncmp(letters, "eh", 2)) {
		cursor_u64(&c); /* of GCC 2: a pointer that only its runtime uses */
		letters += 2;
	}
	if (version == 4 && (cursor_u8(&c) != 8 || cursor_u8(&c) != 0))
		return false; /* other sizes of addresses; segments */
	cie->code_align = cursor_uleb(&c);
	cie->data_align = cursor_sleb(&c);
	cie->ra = version == 1 ? cursor_u8(&c) : cursor_uleb(&c);
	if (cie->ra == cie->machine->fp || cie->ra == cie->machine->bx)
		return false;
	cie->encoding = DW_EH_PE_absptr;
	if (*letters == 'z') {
		struct cursor augmentation;

		len = cursor_uleb(&c);
		data = cursor_skip(&c, len);
		if (!data)
			return false;
		augmentation = (struct cursor){ .at = data, .end = data + len };
		cie->has_augmentation_data = true;
		if (!read_augmentation(letters + 1, &augmentation, section, cie))
			return false;
	} else if (!read_augmentation(letters, &c, section, cie)) {
		return false;
	}
	return !c.bad && cfi_run_initial(cie, section, c.at, cursor_left(&c));
}

static int read_cies(struct frame_entries *e, const struct cfi_machine *machine)
{
	const struct cfi_section *s = &e->from.section;
	struct cursor c = { .at = s->bytes, .end = s->bytes + s->len };
	struct entry entry;

	while (next_entry(e, &c, &entry)) {
		struct frame_cie *cie;

		if (!entry.is_cie)
			continue;
		if (e->n_cies == MAX_CIES)
			return -EFBIG;
		if (array_reserve(e->cies, e->cap_cies, e->n_cies + 1))
			return -ENOMEM;
		cie = &e->cies[e->n_cies++];
		*cie = (struct frame_cie){ .at = entry.at, .cie.machine = machine };
		cie->usable = read_cie(e, entry.body, &cie->cie);
		e->n_broken += !cie->usable;
	}
	return 0;
}

/* FDEs of one CIE mostly stand together. */
static const struct frame_cie *find_cie(const struct frame_entries *e, uint64_t at,
					const struct frame_cie *last)
{
	size_t low = 0, high = e->n_cies;

	if (last && last->at == at)
		return last;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->cies[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < e->n_cies && e->cies[low].at == at ? &e->cies[low] : NULL;
}

static bool read_fde(const struct frame_entries *e, const struct cfi_cie *cie, struct cursor c,
		     struct frame_fde *fde)
{
	uint64_t size;

	if (!cfi_read_address(&c, &e->from.section, cie->encoding, &fde->start) ||
	    !cfi_read_address(&c, &e->from.section, cie->encoding & 0x0f, &size) ||
	    __builtin_add_overflow(fde->start, size, &fde->end))
		return false;
	if (cie->has_augmentation_data)
		cursor_skip(&c, cursor_uleb(&c));
	fde->bytes = c.at;
	fde->len = cursor_left(&c);
	return !c.bad;
}

static int read_fdes(struct frame_entries *e)
{
	const struct cfi_section *s = &e->from.section;
	struct cursor c = { .at = s->bytes, .end = s->bytes + s->len };
	const struct frame_cie *cie = NULL;
	struct entry entry;
	size_t broken = e->n_broken;

	e->n_seen = 0;
	while (next_entry(e, &c, &entry)) {
		struct frame_fde *fde;

		if (entry.is_cie)
			continue;
		if (e->n_fdes == MAX_ENTRIES)
			return -EFBIG;
		if (array_reserve(e->fdes, e->cap_fdes, e->n_fdes + 1))
			return -ENOMEM;
		fde = &e->fdes[e->n_fdes];
		cie = find_cie(e, entry.cie, cie);
		if (!cie || !cie->usable || !read_fde(e, &cie->cie, entry.body, fde)) {
			broken++;
			continue;
		}
		fde->cie = cie - e->cies;
		e->n_fdes++;
	}
	/* The first round has counted what stopped this one, too. */
	e->n_broken = broken;
	return 0;
}

int frame_entries_read(struct frame_entries *entries, const struct frame_section *from,
		       const struct cfi_machine *machine)
{
	int err;

	*entries = (struct frame_entries){ .from = *from };
	err = read_cies(entries, machine);
	return err ? err : read_fdes(entries);
}

void frame_entries_release(struct frame_entries *entries)
{
	frame_section_release(&entries->from);
	free(entries->cies);
	free(entries->fdes);
	*entries = (struct frame_entries){ .n_cies = 0 };
}
