/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/collect/shim_image.h"
#include "user/elf/sdt_notes.h"

#define PROVIDER "fathom_alloc"

static const struct {
	const char *name;
	size_t n_args;
} kinds[] = {
	[SHIM_MADE] = { "made", 3 },	     [SHIM_FREED] = { "freed", 2 },
	[SHIM_MOVING] = { "moving", 1 },     [SHIM_MOVED] = { "moved", 2 },
	[SHIM_MAPPED] = { "mapped", 2 },     [SHIM_UNMAPPED] = { "unmapped", 2 },
	[SHIM_SETTLING] = { "settling", 1 },
};

const char *shim_probe_name(enum shim_probe_kind kind)
{
	return kinds[kind].name;
}

/* The first three arguments: System V ABI, AMD64, 3.2.3; AAPCS64, 6.8.2. */
static bool has_args_in_place(const struct elf_image *image, const char *args, size_t n)
{
	const char *registers = image->machine == EM_X86_64    ? "8@%rdi 8@%rsi 8@%rdx"
				: image->machine == EM_AARCH64 ? "8@x0 8@x1 8@x2"
							       : "";
	size_t len = 0;

	/* As many words as there are arguments. */
	while (n--) {
		len += strspn(registers + len, " ");
		len += strcspn(registers + len, " ");
	}
	return len && !strncmp(args, registers, len) && !args[len];
}

static int kind_of(const char *name, enum shim_probe_kind *ret)
{
	int i;

	for (i = 0; i < SHIM_PROBES; i++) {
		if (!strcmp(kinds[i].name, name)) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int read_probe(const struct elf_image *image, const struct sdt_note *note,
		      struct shim_probe *ret)
{
	struct shim_probe p = {};

	if (kind_of(note->name, &p.kind))
		return -ENOENT;
	if (!has_args_in_place(image, note->args, kinds[p.kind].n_args))
		return errf(-ENOTSUP,
			    "the probe '%s' of '%s' has its arguments in '%s', not in the "
			    "registers of a call",
			    note->name, image->name, note->args);
	if (!sdt_offset(image, note->address, &p.offset) ||
	    (note->semaphore && !sdt_offset(image, note->semaphore, &p.semaphore_offset)))
		return errf(-EINVAL, "'%s' is broken: its probe '%s' is at no place of the file",
			    image->name, note->name);
	*ret = p;
	return 0;
}

static int read_probes(const struct elf_image *image, const struct sdt_notes *notes,
		       struct shim_probe **ret, size_t *ret_n)
{
	_cleanup_(freep) struct shim_probe *probes = calloc(notes->n + 1, sizeof(*probes));
	bool has_made = false;
	size_t i, n = 0;
	int err;

	if (!probes)
		return errf(-ENOMEM, "no memory for the probes of '%s'", image->name);
	for (i = 0; i < notes->n; i++) {
		if (strcmp(notes->all[i].provider, PROVIDER) != 0)
			continue;
		/* A later version may have more of them. */
		err = read_probe(image, &notes->all[i], &probes[n]);
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		has_made |= probes[n++].kind == SHIM_MADE;
	}
	if (!has_made)
		return errf(-ENOENT, "'%s' has no probe '" PROVIDER ":made'", image->name);
	*ret = take(probes);
	*ret_n = n;
	return 0;
}

int shim_probes_read(const struct elf_image *image, struct shim_probe **ret, size_t *ret_n)
{
	struct sdt_notes notes;
	int err = sdt_notes_read(image, &notes);

	if (err)
		return err;
	err = read_probes(image, &notes, ret, ret_n);
	sdt_notes_release(&notes);
	return err;
}

int shim_probes_own(struct shim_probe **ret, size_t *ret_n)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	const void *bytes;
	size_t len;
	int err;

	bytes = shim_image(&len);
	err = elf_image_open_memory(bytes, len, SHIM_FILE_NAME, &image);
	return err ? err : shim_probes_read(image, ret, ret_n);
}
