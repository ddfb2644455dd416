/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_sdt_notes: any bytes as the notes of a file's probes, or as a whole file. */
#include <stdlib.h>
#include <string.h>

#include "user/collect/shim_probes.h"
#include "user/elf/sdt_notes.h"

#define NOTES_AT  0x400
#define MAX_INPUT 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
	Elf64_Ehdr e;
	Elf64_Phdr p[1];
	Elf64_Shdr s[4];
	char names[40];
};
_Static_assert(sizeof(struct file) <= NOTES_AT, "headers");

static void make_headers(struct file *f, uint8_t flags, size_t len)
{
	*f = (struct file){ .names = "\0.note.stapsdt\0.stapsdt.base" };
	memcpy(f->e.e_ident, ELFMAG "\2\1\1", 7);
	f->e.e_machine = flags & 2 ? EM_AARCH64 : EM_X86_64;
	f->e.e_version = EV_CURRENT;
	f->e.e_ehsize = sizeof(f->e);
	f->e.e_phoff = offsetof(struct file, p);
	f->e.e_phentsize = sizeof(f->p[0]);
	f->e.e_phnum = 1;
	f->e.e_shoff = offsetof(struct file, s);
	f->e.e_shentsize = sizeof(f->s[0]);
	f->e.e_shnum = 4;
	f->e.e_shstrndx = 1;
	f->p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = 0x1000, .p_memsz = 0x1000 };
	f->s[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
				.sh_offset = offsetof(struct file, names),
				.sh_size = sizeof(f->names) };
	f->s[2] = (Elf64_Shdr){
		.sh_name = 1, .sh_type = SHT_NOTE, .sh_offset = NOTES_AT, .sh_size = len
	};
	f->s[3] = (Elf64_Shdr){ .sh_name = 15,
				.sh_type = flags & 4 ? SHT_NOTE : SHT_PROGBITS,
				.sh_addr = flags };
}

static void look(const void *bytes, size_t len)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	struct shim_probe *probes;
	struct sdt_notes notes;
	size_t i, n, texts = 0;
	uint64_t offset;

	if (elf_image_open_memory(bytes, len, "fuzz", &image))
		return;
	if (!sdt_notes_read(image, &notes)) {
		for (i = 0; i < notes.n; i++) {
			texts += strlen(notes.all[i].provider) + strlen(notes.all[i].name) +
				 strlen(notes.all[i].args);
			sdt_offset(image, notes.all[i].address, &offset);
		}
		if (texts > SDT_NOTES_MAX_BYTES)
			abort();
		sdt_notes_release(&notes);
	}
	if (shim_probes_read(image, &probes, &n))
		return;
	if (!n)
		abort();
	for (i = 0; i < n; i++) {
		if (probes[i].kind >= SHIM_PROBES)
			abort();
	}
	free(probes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union {
		struct file file;
		uint8_t bytes[NOTES_AT + MAX_INPUT];
	} f;

	if (!size || size > MAX_INPUT)
		return 0;
	if (*data & 1) {
		look(data + 1, size - 1);
		return 0;
	}
	make_headers(&f.file, *data, size - 1);
	memcpy(f.bytes + NOTES_AT, data + 1, size - 1);
	look(&f, NOTES_AT + size - 1);
	return 0;
}
