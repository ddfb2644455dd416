/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/base/err.h"
#include "user/collect/shim_image.h"
#include "user/collect/shim_probes.h"
#include "user/elf/sdt_notes.h"

#define NOTES_AT 0x400
#define MAX_FILE 0x4000
#define TEXT	 0x401000ull
#define TEXT_AT	 0x1000ull

#ifdef __aarch64__
#define ARCH_IS_ARM64 1
static const char *const registers[] = { "", "8@x0", "8@x0 8@x1", "8@x0 8@x1 8@x2" };
#else
#define ARCH_IS_ARM64 0
static const char *const registers[] = { "", "8@%rdi", "8@%rdi 8@%rsi", "8@%rdi 8@%rsi 8@%rdx" };
#endif

/* A file with one executable segment, whose notes a test writes. */
struct file {
	Elf64_Ehdr e;
	Elf64_Phdr p[1];
	Elf64_Shdr s[4];
	char names[40];
};
_Static_assert(sizeof(struct file) <= NOTES_AT, "headers");

static union {
	struct file file;
	char bytes[MAX_FILE];
} f;
static size_t notes_len;

static int set_up(void **state)
{
	struct file *h = &f.file;

	(void)state;
	memset(&f, 0, sizeof(f));
	notes_len = 0;
	memcpy(h->names, "\0.note.stapsdt\0.stapsdt.base", 28);
	memcpy(h->e.e_ident, ELFMAG "\2\1\1", 7);
	h->e.e_type = ET_DYN;
	h->e.e_machine = ARCH_IS_ARM64 ? EM_AARCH64 : EM_X86_64;
	h->e.e_version = EV_CURRENT;
	h->e.e_ehsize = sizeof(h->e);
	h->e.e_phoff = offsetof(struct file, p);
	h->e.e_phentsize = sizeof(h->p[0]);
	h->e.e_phnum = 1;
	h->e.e_shoff = offsetof(struct file, s);
	h->e.e_shentsize = sizeof(h->s[0]);
	h->e.e_shnum = 4;
	h->e.e_shstrndx = 1;
	h->p[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				.p_flags = PF_X | PF_R,
				.p_offset = TEXT_AT,
				.p_vaddr = TEXT,
				.p_filesz = 0x1000,
				.p_memsz = 0x2000 };
	h->s[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
				.sh_offset = offsetof(struct file, names),
				.sh_size = sizeof(h->names) };
	h->s[2] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_NOTE, .sh_offset = NOTES_AT };
	h->s[3] = (Elf64_Shdr){ .sh_name = 15, .sh_type = SHT_PROGBITS, .sh_addr = 0x500000 };
	return 0;
}

static void add_bytes(const void *bytes, size_t n)
{
	assert_true(NOTES_AT + notes_len + n <= MAX_FILE);
	memcpy(f.bytes + NOTES_AT + notes_len, bytes, n);
	notes_len += n;
	f.file.s[2].sh_size = notes_len;
}

static void pad(void)
{
	add_bytes("\0\0\0", -notes_len & 3);
}

/* 'texts': "provider\0name\0args", with their last NUL in 'texts_len' if it is to be there. */
static void add_note(const char *owner, uint32_t type, uint64_t pc, uint64_t base,
		     uint64_t semaphore, const char *texts, size_t texts_len)
{
	uint32_t header[] = { strlen(owner) + 1, 24 + texts_len, type };
	uint64_t numbers[] = { pc, base, semaphore };

	add_bytes(header, sizeof(header));
	add_bytes(owner, header[0]);
	pad();
	add_bytes(numbers, sizeof(numbers));
	add_bytes(texts, texts_len);
	pad();
}

static void add_probe(uint64_t pc, const char *provider, const char *name, const char *args)
{
	char texts[200];
	int n = snprintf(texts, sizeof(texts), "%s%c%s%c%s", provider, 0, name, 0, args) + 1;

	add_note("stapsdt", 3, pc, 0x500000, 0, texts, n);
}

static int read_notes(struct sdt_notes *ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;

	assert_int_equal(elf_image_open_memory(&f, sizeof(f), "test", &image), 0);
	return sdt_notes_read(image, ret);
}

static int read_probes(struct shim_probe **ret, size_t *ret_n)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;

	assert_int_equal(elf_image_open_memory(&f, sizeof(f), "test", &image), 0);
	return shim_probes_read(image, ret, ret_n);
}

static void probes_are_found_among_other_notes(void **state)
{
	struct sdt_notes notes;

	(void)state;
	add_note("GNU", 3, 1, 2, 3, "a\0b\0c", 6);
	add_note("stapsdt", 2, 1, 2, 3, "a\0b\0c", 6);
	add_probe(TEXT + 16, "one", "two", "-4@%eax");
	add_note("stapsdt", 3, TEXT + 20, 0x500000, 0x500100, "p\0q\0", 4);
	assert_int_equal(read_notes(&notes), 0);
	assert_int_equal(notes.n, 2);
	assert_int_equal(notes.all[0].address, TEXT + 16);
	assert_int_equal(notes.all[1].address, TEXT + 20);
	assert_int_equal(notes.all[1].semaphore, 0x500100);
	sdt_notes_release(&notes);
}

static void texts_are_those_of_the_file(void **state)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	struct sdt_notes notes;

	(void)state;
	add_probe(TEXT + 16, "one", "two", "-4@%eax 8@16(%rsp)");
	add_note("stapsdt", 3, TEXT + 20, 0, 0, "p\0q", 4); /* without the last one */
	assert_int_equal(elf_image_open_memory(&f, sizeof(f), "test", &image), 0);
	assert_int_equal(sdt_notes_read(image, &notes), 0);
	assert_int_equal(notes.n, 2);
	assert_string_equal(notes.all[0].provider, "one");
	assert_string_equal(notes.all[0].name, "two");
	assert_string_equal(notes.all[0].args, "-4@%eax 8@16(%rsp)");
	assert_string_equal(notes.all[1].name, "q");
	assert_string_equal(notes.all[1].args, "");
	sdt_notes_release(&notes);
}

/* prelink(8) changes addresses of what is loaded, but no notes. */
static void moved_files_have_their_probes_moved(void **state)
{
	struct sdt_notes notes;

	(void)state;
	add_note("stapsdt", 3, 0x1010, 0x100000, 0x100010, "p\0q\0", 5);
	f.file.s[3].sh_addr = 0x500000;
	assert_int_equal(read_notes(&notes), 0);
	assert_int_equal(notes.all[0].address, 0x401010);
	assert_int_equal(notes.all[0].semaphore, 0x500010);
	sdt_notes_release(&notes);
}

static void a_file_without_notes_has_no_probes(void **state)
{
	struct sdt_notes notes = { .n = 5 };

	(void)state;
	assert_int_equal(read_notes(&notes), 0);
	assert_int_equal(notes.n, 0);
	assert_null(notes.all);
}

static void broken_notes_are_refused(void **state)
{
	struct sdt_notes notes;
	size_t len, whole;

	(void)state;
	add_probe(TEXT, "provider", "name", "8@%rdi");
	whole = notes_len;
	/* Up to the provider's end it is never whole; then arguments may be missing. */
	for (len = 1; len < 12 + 8 + 24 + 14; len++) {
		f.file.s[2].sh_size = len;
		assert_int_equal(read_notes(&notes), -EINVAL);
		assert_non_null(strstr(err_text(), "test"));
	}
	f.file.s[2].sh_size = whole;
	assert_int_equal(read_notes(&notes), 0);
	sdt_notes_release(&notes);
	/* A name or a description of almost 4 GiB. */
	memset(f.bytes + NOTES_AT, 0xff, 4);
	assert_int_equal(read_notes(&notes), -EINVAL);
	memcpy(f.bytes + NOTES_AT, "\x08\0\0\0\xfd\xff\xff\xff", 8);
	assert_int_equal(read_notes(&notes), -EINVAL);
}

static void a_description_without_texts_is_refused(void **state)
{
	struct sdt_notes notes;

	(void)state;
	add_note("stapsdt", 3, 1, 2, 3, "p\0q", 3);
	assert_int_equal(read_notes(&notes), -EINVAL);
	set_up(NULL);
	add_note("stapsdt", 3, 1, 2, 3, "pq", 2);
	assert_int_equal(read_notes(&notes), -EINVAL);
}

static void too_many_bytes_are_refused(void **state)
{
	struct sdt_notes notes;

	(void)state;
	f.file.s[2].sh_size = SDT_NOTES_MAX_BYTES + 1;
	assert_int_equal(read_notes(&notes), -EFBIG);
	f.file.s[2].sh_size = UINT64_MAX;
	assert_int_equal(read_notes(&notes), -EFBIG);
}

/* --- those of fathom_alloc ---------------------------------------------------------------- */

static void places_are_those_in_the_file(void **state)
{
	struct shim_probe *probes;
	size_t n;

	(void)state;
	add_probe(TEXT + 1, "other", "made", "nowhere");
	add_probe(TEXT + 0x10, "fathom_alloc", "made", registers[3]);
	add_probe(TEXT + 0x20, "fathom_alloc", "freed", registers[2]);
	add_probe(TEXT + 0x30, "fathom_alloc", "made", registers[3]);
	add_probe(TEXT + 0x40, "fathom_alloc", "moving", registers[1]);
	add_probe(TEXT + 0x50, "fathom_alloc", "of_tomorrow", "nowhere");
	assert_int_equal(read_probes(&probes, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(probes[0].kind, SHIM_MADE);
	assert_int_equal(probes[0].offset, TEXT_AT + 0x10);
	assert_int_equal(probes[0].semaphore_offset, 0);
	assert_int_equal(probes[1].kind, SHIM_FREED);
	assert_int_equal(probes[2].kind, SHIM_MADE);
	assert_int_equal(probes[2].offset, TEXT_AT + 0x30);
	assert_int_equal(probes[3].kind, SHIM_MOVING);
	free(probes);
}

static void arguments_elsewhere_are_refused(void **state)
{
	const char *const wrong[] = { "", registers[2], "4@%edi 8@%rsi 8@%rdx",
				      "8@%rdi 8@%rsi 8@%rdx 8@%rcx", "8@%rsi 8@%rdi 8@%rdx" };
	struct shim_probe *probes;
	size_t n, i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_up(NULL);
		add_probe(TEXT, "fathom_alloc", "made", wrong[i]);
		assert_int_equal(read_probes(&probes, &n), -ENOTSUP);
		assert_non_null(strstr(err_text(), "made"));
	}
}

static void probes_outside_the_file_are_refused(void **state)
{
	static const uint64_t wrong[] = { 0, TEXT - 1, TEXT + 0x1000, TEXT + 0x1fff, UINT64_MAX };
	struct shim_probe *probes;
	size_t n, i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_up(NULL);
		add_probe(wrong[i], "fathom_alloc", "made", registers[3]);
		assert_int_equal(read_probes(&probes, &n), -EINVAL);
	}
	set_up(NULL);
	add_probe(TEXT, "fathom_alloc", "freed", registers[2]);
	assert_int_equal(read_probes(&probes, &n), -ENOENT);
	assert_non_null(strstr(err_text(), "fathom_alloc:made"));
}

/* The library in this program has each probe once, and a nop there. */
static void our_own_library_has_all_of_them(void **state)
{
#if ARCH_IS_ARM64
	static const unsigned char nop[] = { 0x1f, 0x20, 0x03, 0xd5 };
#else
	static const unsigned char nop[] = { 0x90 }; /* why not a longer one: shim/probes.c */
#endif
	const unsigned char *bytes;
	unsigned seen = 0;
	struct shim_probe *probes;
	size_t len, n, i;

	(void)state;
	bytes = shim_image(&len);
	assert_int_equal(shim_probes_own(&probes, &n), 0);
	assert_int_equal(n, SHIM_PROBES);
	for (i = 0; i < n; i++) {
		seen |= 1u << probes[i].kind;
		assert_true(probes[i].offset + sizeof(nop) < len);
		assert_memory_equal(bytes + probes[i].offset, nop, sizeof(nop));
	}
	assert_int_equal(seen, (1u << SHIM_PROBES) - 1);
	free(probes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(probes_are_found_among_other_notes, set_up),
		cmocka_unit_test_setup(texts_are_those_of_the_file, set_up),
		cmocka_unit_test_setup(moved_files_have_their_probes_moved, set_up),
		cmocka_unit_test_setup(a_file_without_notes_has_no_probes, set_up),
		cmocka_unit_test_setup(broken_notes_are_refused, set_up),
		cmocka_unit_test_setup(a_description_without_texts_is_refused, set_up),
		cmocka_unit_test_setup(too_many_bytes_are_refused, set_up),
		cmocka_unit_test_setup(places_are_those_in_the_file, set_up),
		cmocka_unit_test_setup(arguments_elsewhere_are_refused, set_up),
		cmocka_unit_test_setup(probes_outside_the_file_are_refused, set_up),
		cmocka_unit_test(our_own_library_has_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
