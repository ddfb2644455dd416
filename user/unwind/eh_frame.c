/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/unwind/eh_frame.h"

#include <dwarf.h>
#include <errno.h>

#include "user/base/array.h"

#define MAX_FDES (4u << 20)
#define MAX_CIES (256u << 10) /* .debug_frame has one for each object file */

struct range {
	uint64_t start, end;
};

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
 * The next entry: 1, or 0 at the end, or -EINVAL where a length leads out of the section: what
 * follows it cannot be found then. A length of 0 ends the contribution of one crtend.o, not the
 * section.
 */
static int next_entry(struct frame_entries *e, struct cursor *c, struct entry *ret)
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
		return 0;
	if (len == 0xffffffff) {
		is_64 = true;
		len = cursor_u64(c);
	}
	body = cursor_skip(c, len);
	if (!body)
		return -EINVAL;
	ret->body = (struct cursor){ .at = body, .end = body + len };
	id_at = body - s->bytes;
	/* In .eh_frame it has 4 bytes whatever the length's form. */
	is_64 = is_64 && !e->from.is_eh;
	id = is_64 ? cursor_u64(&ret->body) : cursor_u32(&ret->body);
	none = e->from.is_eh ? 0 : is_64 ? UINT64_MAX : UINT32_MAX;
	ret->is_cie = id == none;
	ret->cie = e->from.is_eh ? id_at - id : id;
	e->n_seen += !ret->is_cie;
	return 1;
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
	uint8_t version = cursor_u8(&c), address_size, segment_size;
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
	if (version == 4) {
		address_size = cursor_u8(&c);
		segment_size = cursor_u8(&c);
		if (address_size != 8 || segment_size)
			return false;
	}
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

static int add_cie(struct frame_entries *e, const struct entry *entry,
		   const struct cfi_machine *machine)
{
	struct frame_cie *cie;

	if (e->n_cies == MAX_CIES)
		return -EFBIG;
	if (array_reserve(e->cies, e->cap_cies, e->n_cies + 1))
		return -ENOMEM;
	cie = &e->cies[e->n_cies++];
	*cie = (struct frame_cie){ .at = entry->at, .cie.machine = machine };
	cie->usable = read_cie(e, entry->body, &cie->cie);
	e->n_broken += !cie->usable;
	return 0;
}

/* FDEs of one CIE mostly stand together. */
static const struct frame_cie *find_cie(const struct frame_entries *e, uint64_t at, uint32_t last)
{
	size_t low = 0, high = e->n_cies;

	if (last < e->n_cies && e->cies[last].at == at)
		return &e->cies[last];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->cies[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < e->n_cies && e->cies[low].at == at ? &e->cies[low] : NULL;
}

/* The linker leaves what .debug_frame says about functions that it drops at address 0. */
static bool is_dropped(const struct frame_entries *e, uint64_t start, uint64_t size)
{
	return !size || (!e->from.is_eh && !start);
}

/* 1 if it is one for the list, 0 if not, -EINVAL if it is broken. */
static int read_fde(struct frame_entries *e, const struct frame_cie *cie, struct cursor c,
		    const struct range *range, struct frame_fde *ret)
{
	const struct cfi_section *section = &e->from.section;
	uint64_t start, size, end;

	if (!cie || !cie->usable || !cfi_read_address(&c, section, cie->cie.encoding, &start) ||
	    !cfi_read_address(&c, section, cie->cie.encoding & 0x0f, &size) ||
	    __builtin_add_overflow(start, size, &end))
		return -EINVAL;
	if (cie->cie.has_augmentation_data)
		cursor_skip(&c, cursor_uleb(&c));
	if (c.bad)
		return -EINVAL;
	if (is_dropped(e, start, size))
		return 0;
	if (start < range->start || start >= range->end) {
		e->n_outside++;
		return 0;
	}
	*ret = (struct frame_fde){ .start = start - range->start,
				   .end = (end < range->end ? end : range->end) - range->start,
				   .bytes = c.at - section->bytes,
				   .len = cursor_left(&c),
				   .cie = cie - e->cies,
				   .is_eh = e->from.is_eh };
	return 1;
}

static int add_fde(struct frame_entries *e, const struct entry *entry, const struct range *range,
		   uint32_t *last_cie)
{
	const struct frame_cie *cie = find_cie(e, entry->cie, *last_cie);
	int wanted;

	if (e->n_fdes == MAX_FDES)
		return -EFBIG;
	if (array_reserve(e->fdes, e->cap_fdes, e->n_fdes + 1))
		return -ENOMEM;
	wanted = read_fde(e, cie, entry->body, range, &e->fdes[e->n_fdes]);
	if (cie)
		*last_cie = cie - e->cies;
	if (wanted < 0)
		e->n_broken++;
	else
		e->n_fdes += wanted;
	return 0;
}

/* Goes through the section once, for entries of one kind or for both. */
static int read_round(struct frame_entries *e, const struct cfi_machine *machine,
		      const struct range *range, bool cies, bool fdes)
{
	const struct cfi_section *s = &e->from.section;
	struct cursor c = { .at = s->bytes, .end = s->bytes + s->len };
	uint32_t last_cie = 0;
	struct entry entry;
	int err = 0, found;

	while (!err && (found = next_entry(e, &c, &entry)) > 0) {
		if (entry.is_cie && cies)
			err = add_cie(e, &entry, machine);
		else if (!entry.is_cie && fdes)
			err = add_fde(e, &entry, range, &last_cie);
	}
	/* What stops one round stops the other, too; behind an unknown end anything may follow. */
	if (!err && found < 0 && fdes && e->from.end_known)
		e->n_broken++;
	return err;
}

int frame_entries_read(struct frame_entries *entries, const struct frame_section *from,
		       const struct cfi_machine *machine, uint64_t start, uint64_t end)
{
	const struct range range = { start, end };
	int err;

	*entries = (struct frame_entries){ .from = *from };
	/* In .eh_frame, a CIE is always before its FDEs, which count back to it. */
	if (from->is_eh)
		return read_round(entries, machine, &range, true, true);
	err = read_round(entries, machine, &range, true, false);
	return err ? err : read_round(entries, machine, &range, false, true);
}

void frame_entries_release(struct frame_entries *entries)
{
	frame_section_release(&entries->from);
	free(entries->cies);
	free(entries->fdes);
	*entries = (struct frame_entries){ .n_cies = 0 };
}
