/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "tests/unit/test_sym_folder.h"
#include "user/base/array.h"
#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/sym/debugdata.h"
#include "user/sym/elf_symbols.h"

static const char program[] =
	"#include <stdio.h>\n"
	"#define F __attribute__((noinline, noclone))\n"
	"F int alpha(int x) { return x + 1; }\n"
	"F static int beta(int x) { return alpha(x) * 2; }\n"
	"F int __gamma(int x) { return beta(x) + 3; }\n"
	"extern int gamma_(int) __attribute__((alias(\"__gamma\")));\n"
	"extern int a_weak_gamma(int) __attribute__((weak, alias(\"__gamma\")));\n"
	"int main(int argc, char **argv) { puts(argv[0]); return gamma_(argc); }\n";

/* Assembly as people write it: labels without type or size, a hole, names with versions. */
static const char assembly[] = "	.text\n"
			       "	.globl _start, sized, after_hole\n"
			       "_start:	.fill 8, 1, 0x90\n"
			       "label:	.fill 8, 1, 0x90\n"
			       ".Lhidden_:\n"
			       "	.type sized, %function\n"
			       "sized:\n"
			       "alias_without_size:	.fill 16, 1, 0x90\n"
			       "inside:	.fill 16, 1, 0x90\n"
			       "	.size sized, . - sized\n"
			       "	.fill 16, 1, 0x90\n"
			       "	.type after_hole, %function\n"
			       "after_hole:	.fill 8, 1, 0x90\n"
			       "	.size after_hole, 8\n"
			       "	.data\n"
			       "datum:	.quad 1\n";

struct file {
	int fd;
	struct elf_image *image;
	struct elf_symbols *symbols;
};

static void release(struct file *f)
{
	elf_symbols_free(f->symbols);
	elf_image_free(f->image);
	closep(&f->fd);
}

static void load(const char *name, const struct debug_search *search, struct file *ret)
{
	ret->fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
	assert_true(ret->fd >= 0);
	assert_int_equal(elf_image_open(ret->fd, name, &ret->image), 0);
	assert_int_equal(elf_symbols_load(ret->image, search, &ret->symbols), 0);
	assert_false(ret->symbols->is_partial);
}

static const char *name_at(const struct file *f, uint64_t address)
{
	struct elf_function function;

	return elf_symbols_find(f->symbols, address, &function) ? function.name : "";
}

/* As nm(1) says; 0 if it does not know the name. */
static uint64_t address_of(const char *file, const char *name)
{
	char command[512], line[512], have[256];
	uint64_t address, found = 0;
	FILE *nm;

	snprintf(command, sizeof(command), "nm %s", in_folder(file));
	nm = popen(command, "re");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, have) == 2 &&
		    !strcmp(have, name))
			found = address;
	}
	pclose(nm);
	return found;
}

static int make_programs(void **state)
{
	if (make_folder(state))
		return -1;
	write_text("program.c", program);
	write_text("small.s", assembly);
	return run("gcc -O1 -g -rdynamic -Wl,--build-id program.c -o program && "
		   "cp program stripped && strip stripped && "
		   "as --64 small.s -o small.o && ld -z noseparate-code small.o -o small && "
		   "gcc -O1 -shared -fPIC -nostdlib -Wl,--build-id,-z,noseparate-code program.c "
		   "-o library.so");
}

static void every_function_is_found_by_its_name(void **state)
{
	static const char *const names[] = { "alpha", "beta", "main", "_start" };
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	size_t i;

	(void)state;
	load("program", NULL, &f);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t address = address_of("program", names[i]);
		struct elf_function function;

		assert_true(address);
		assert_true(elf_symbols_find(f.symbols, address + 2, &function));
		assert_string_equal(function.name, names[i]);
		assert_int_equal(function.offset, 2);
	}
}

/* 'beta' is a function of this file alone: once stripped, only its unwind information tells of it.
 */
static void functions_without_names_begin_where_unwind_information_says(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t beta = address_of("program", "beta");
	struct elf_function first, second;

	(void)state;
	load("stripped", NULL, &f);
	assert_true(elf_symbols_find(f.symbols, beta, &first));
	assert_true(elf_symbols_find(f.symbols, beta + 3, &second));
	assert_string_equal(first.name, "");
	assert_int_equal(first.offset, 0);
	assert_int_equal(second.offset, 3);
	assert_int_equal(first.id, second.id);
	/* Others still have theirs. */
	assert_string_equal(name_at(&f, address_of("program", "alpha") + 1), "alpha");
}

static void the_best_alias_is_chosen(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
	load("program", NULL, &f);
	assert_string_equal(name_at(&f, address_of("program", "__gamma")), "gamma_");
}

static void data_has_no_names(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
	load("small", NULL, &f);
	assert_true(address_of("small", "datum"));
	assert_string_equal(name_at(&f, address_of("small", "datum")), "");
	assert_string_equal(name_at(&f, 0), "");
	assert_string_equal(name_at(&f, UINT64_MAX), "");
}

static void assembly_without_sizes_has_names(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t start = address_of("small", "_start");

	(void)state;
	load("small", NULL, &f);
	assert_string_equal(name_at(&f, start), "_start");
	assert_string_equal(name_at(&f, start + 7), "_start");
	assert_string_equal(name_at(&f, start + 8), "label");
	assert_string_equal(name_at(&f, start + 15), "label");
	assert_string_equal(name_at(&f, start + 16), "sized");
	assert_string_equal(name_at(&f, start + 47), "sized");
}

static void a_hole_between_functions_has_no_name(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t start = address_of("small", "_start");

	(void)state;
	load("small", NULL, &f);
	assert_string_equal(name_at(&f, start + 48), "");
	assert_string_equal(name_at(&f, start + 63), "");
	assert_string_equal(name_at(&f, start + 64), "after_hole");
	assert_string_equal(name_at(&f, start + 72), "");
}

static void the_entry_is_the_function_around_it(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	struct file small __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t start = address_of("program", "_start");

	(void)state;
	load("program", NULL, &f);
	assert_int_equal(f.image->entry, start);
	assert_int_equal(f.symbols->entry_start, start);
	assert_true(f.symbols->entry_end > start && f.symbols->entry_end <= start + 64);
	load("small", NULL, &small);
	assert_int_equal(small.symbols->entry_start, address_of("small", "_start"));
	assert_int_equal(small.symbols->entry_end, small.symbols->entry_start + 64);
}

static void files_of_32_bits_are_read(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t start, address;

	(void)state;
	if (run("as --32 small.s -o small32.o && ld --build-id -m elf_i386 small32.o -o small32"))
		skip();
	start = address_of("small32", "_start");
	load("small32", NULL, &f);
	assert_false(f.image->is_64);
	assert_int_equal(f.image->build_id_len, 20);
	assert_string_equal(name_at(&f, start), "_start");
	assert_string_equal(name_at(&f, start + 20), "sized");
	assert_true(elf_image_address(f.image, 0x1000, &address));
	assert_int_equal(address, start);
}

static void a_file_offset_becomes_a_virtual_address(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t address;
	size_t i;

	(void)state;
	load("small", NULL, &f);
	for (i = 0; i < f.image->n_phdrs; i++) {
		const Elf64_Phdr *p = &f.image->phdrs[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		assert_true(elf_image_address(f.image, p->p_offset + 5, &address));
		assert_int_equal(address, p->p_vaddr + 5);
	}
	assert_false(elf_image_address(f.image, 1 << 30, &address));
	assert_false(elf_image_address(f.image, UINT64_MAX, &address));
}

static void bytes_are_found_by_their_virtual_address(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	const Elf64_Phdr *dynamic;
	Elf_Data *data = NULL;
	Elf64_Dyn first;

	(void)state;
	load("program", NULL, &f);
	dynamic = elf_image_segment_of_type(f.image, PT_DYNAMIC);
	assert_non_null(dynamic);
	assert_null(elf_image_segment_of_type(f.image, PT_SHLIB));
	assert_int_equal(elf_image_bytes_at(f.image, dynamic->p_vaddr, SIZE_MAX, &data), 0);
	assert_true(data->d_size >= dynamic->p_filesz);
	memcpy(&first, data->d_buf, sizeof(first));
	assert_int_equal(first.d_tag, DT_NEEDED);
	assert_int_equal(elf_image_bytes_at(f.image, dynamic->p_vaddr, 7, &data), 0);
	assert_int_equal(data->d_size, 7);
	data = NULL;
	assert_int_equal(elf_image_bytes_at(f.image, 1ull << 40, 7, &data), -EINVAL);
	assert_int_equal(elf_image_bytes_at(f.image, UINT64_MAX, 7, &data), -EINVAL);
	/* A segment may lead behind the file. */
	f.image->phdrs[dynamic - f.image->phdrs].p_type = PT_LOAD;
	f.image->phdrs[dynamic - f.image->phdrs].p_offset = INT64_MAX - 4;
	f.image->phdrs[dynamic - f.image->phdrs].p_vaddr = 1ull << 40;
	assert_int_equal(elf_image_bytes_at(f.image, 1ull << 40, 7, &data), -EIO);
	assert_int_equal(elf_image_bytes_at(f.image, (1ull << 40) + 8, 7, &data), -EINVAL);
	assert_null(data);
}

static void the_build_id_is_the_linker_s(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	struct file small __attribute__((cleanup(release))) = { .fd = -1 };
	char id[2 * ELF_BUILD_ID_MAX + 1];
	size_t i;

	(void)state;
	load("program", NULL, &f);
	assert_int_equal(f.image->build_id_len, 20);
	for (i = 0; i < f.image->build_id_len; i++)
		sprintf(id + 2 * i, "%02x", f.image->build_id[i]);
	assert_int_equal(run("readelf -n program | grep -q 'Build ID: %s'", id), 0);
	load("small", NULL, &small);
	assert_int_equal(small.image->build_id_len, 0);
}

/* Whether some entry of that section is called 'name'. */
static bool plt_has(const struct file *f, const char *section, const char *name)
{
	const Elf64_Shdr *shdr = elf_image_section(f->image, section);
	uint64_t at;

	for (at = 0; shdr && at < shdr->sh_size; at += 8) {
		if (!strcmp(name_at(f, shdr->sh_addr + at), name))
			return true;
	}
	return false;
}

static void linkage_table_entries_have_their_function_s_name(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	struct file cet __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	load("stripped", NULL, &f);
	assert_true(plt_has(&f, ".plt", "puts@plt"));
	assert_true(plt_has(&f, ".plt.got", "__cxa_finalize@plt"));
	assert_int_equal(
		run("gcc -O1 -fcf-protection -Wl,-z,ibtplt,-z,lazy program.c -o program_cet"), 0);
	load("program_cet", NULL, &cet);
	assert_true(plt_has(&cet, ".plt.sec", "puts@plt"));
}

static void versions_are_no_part_of_names(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
	write_text("version.s", "	.globl old_name, odd\n"
				"	.type old_name, %function\n"
				"	.symver old_name, name@@VERSION_2.3\n"
				"old_name: .fill 8, 1, 0x90\n"
				"	.size old_name, 8\n"
				"	.type odd, %function\n"
				"odd: .fill 8, 1, 0x90\n"
				"	.size odd, 8\n");
	write_text("version.map", "VERSION_2.3 { global: *; };");
	assert_int_equal(run("as version.s -o version.o && ld -shared --version-script=version.map "
			     "version.o -o version.so && "
			     "objcopy --redefine-sym odd=odd@path/x version.so"),
			 0);
	load("version.so", NULL, &f);
	assert_true(f.symbols->table.n >= 2);
	assert_string_equal(name_at(&f, f.symbols->table.starts[0]), "name");
	assert_string_equal(name_at(&f, f.symbols->table.starts[1]), "odd@path/x");
}

static void a_stripped_program_has_its_dynamic_names(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
	load("stripped", NULL, &f);
	assert_string_equal(name_at(&f, address_of("program", "alpha")), "alpha");
	assert_string_equal(name_at(&f, address_of("program", "beta")), "");
}

static void gnu_debugdata_has_the_local_names(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	(void)state;
	if (run("command -v xz >/dev/null"))
		skip();
	assert_int_equal(run("objcopy --only-keep-debug program mini && strip -g mini && "
			     "xz -k mini && objcopy --add-section .gnu_debugdata=mini.xz stripped "
			     "with_mini"),
			 0);
	load("with_mini", NULL, &f);
	assert_string_equal(name_at(&f, address_of("program", "beta")), "beta");
	assert_string_equal(name_at(&f, address_of("program", "alpha")), "alpha");
}

static void load_partial(const char *name, int want)
{
	_cleanup_(freep) char *data = NULL;
	size_t len;

	struct file f __attribute__((cleanup(release))) = { .fd = -1 };

	f.fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_image_open(f.fd, name, &f.image), 0);
	assert_int_equal(debugdata_load(f.image, &data, &len), want);
	assert_int_equal(elf_symbols_load(f.image, NULL, &f.symbols), 0);
	assert_true(f.symbols->is_partial);
	assert_string_equal(name_at(&f, address_of("program", "alpha")), "alpha");
}

static void bad_gnu_debugdata_costs_only_its_own_names(void **state)
{
	(void)state;
	if (run("command -v xz >/dev/null"))
		skip();
	assert_int_equal(
		run("head -c 100000000 /dev/zero | xz -0 >bomb && echo garbage >garbage && "
		    "objcopy --add-section .gnu_debugdata=bomb stripped with_bomb && "
		    "objcopy --add-section .gnu_debugdata=garbage stripped with_garbage"),
		0);
	load_partial("with_bomb", -EFBIG);
	load_partial("with_garbage", -EINVAL);
}

static int open_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_debug_file_is_found_by_build_id(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	struct file other __attribute__((cleanup(release))) = { .fd = -1 };
	char directory[128];
	struct debug_search search = { .directory = directory };
	int before = open_descriptors();

	(void)state;
	assert_int_equal(
		run("objcopy --only-keep-debug program debug && "
		    "id=$(readelf -n program | sed -n 's/.*Build ID: //p') && rest=${id#??} && "
		    "mkdir -p dbg/.build-id/${id%%$rest} other/.build-id/${id%%$rest} && "
		    "cp debug dbg/.build-id/${id%%$rest}/$rest.debug && "
		    "gcc -O1 -g -rdynamic -Wl,--build-id=0xabcdef program.c -o twin && "
		    "cp twin other/.build-id/${id%%$rest}/$rest.debug"),
		0);
	snprintf(directory, sizeof(directory), "%s", in_folder("dbg"));
	load("stripped", &search, &f);
	assert_string_equal(name_at(&f, address_of("program", "beta")), "beta");
	assert_int_equal(open_descriptors(), before + 1);
	/* A file with another build ID is not believed. */
	snprintf(directory, sizeof(directory), "%s", in_folder("other"));
	load("stripped", &search, &other);
	assert_string_equal(name_at(&other, address_of("program", "beta")), "");
}

/* Where 'linked' is put and its debug file beside it, whether the local name is found. */
static bool link_is_found(const char *debug_folder, const char *debug_file)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	char directory[128], path[128];
	struct debug_search search = { .directory = directory, .path = path };
	bool found;

	snprintf(directory, sizeof(directory), "%s", in_folder("debug_root"));
	snprintf(path, sizeof(path), "%s", in_folder("place/linked"));
	assert_int_equal(run("rm -rf place debug_root && mkdir -p place %s && cp linked place/ && "
			     "cp %s %s/linked.debug",
			     debug_folder, debug_file, debug_folder),
			 0);
	load("place/linked", &search, &f);
	found = !strcmp(name_at(&f, address_of("program", "beta")), "beta");
	return found;
}

static void a_debug_file_is_found_by_its_link(void **state)
{
	char below[128];

	(void)state;
	assert_int_equal(run("objcopy --only-keep-debug program linked.debug && "
			     "objcopy --add-gnu-debuglink=linked.debug stripped linked && "
			     "cp linked.debug changed.debug && printf x >>changed.debug"),
			 0);
	snprintf(below, sizeof(below), "debug_root%s/place", folder);
	assert_true(link_is_found("place", "linked.debug"));
	assert_true(link_is_found("place/.debug", "linked.debug"));
	assert_true(link_is_found(below, "linked.debug"));
	assert_false(link_is_found("place/elsewhere", "linked.debug"));
	assert_false(link_is_found("place", "changed.debug")); /* another CRC */
}

static void what_is_no_elf_file_is_refused(void **state)
{
	struct elf_image *image = NULL;
	unsigned char other_order[64] = ELFMAG;

	(void)state;
	other_order[EI_CLASS] = ELFCLASS64;
	other_order[EI_DATA] = ELFDATA2MSB;
	other_order[EI_VERSION] = EV_CURRENT;
	assert_int_equal(elf_image_open_memory("", 0, "empty", &image), -ENOEXEC);
	assert_int_equal(elf_image_open_memory("#!/bin/sh\n echo hello", 20, "script", &image),
			 -ENOEXEC);
	assert_int_equal(elf_image_open_memory(other_order, 64, "big endian", &image), -ENOEXEC);
	assert_null(image);
}

static void refusing_a_file_closes_nothing(void **state)
{
	struct elf_image *image = NULL;

	(void)state;
	if (fcntl(0, F_GETFD) < 0)
		assert_int_equal(open("/dev/null", O_RDONLY), 0);
	assert_int_equal(elf_image_open_memory("#!/bin/sh", 9, "script", &image), -ENOEXEC);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

/* Everything that reads, on a copy of exactly that size, so that ASan sees a byte too far. */
static void exercise(const uint8_t *data, size_t len)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(elf_symbols_freep) struct elf_symbols *symbols = NULL;
	_cleanup_(freep) uint8_t *copy = malloc(len ? len : 1);
	struct elf_function function;
	uint64_t address = 0;
	size_t i;

	assert_non_null(copy);
	memcpy(copy, data, len);
	if (elf_image_open_memory(copy, len, "hostile", &image))
		return;
	elf_image_address(image, 0x1000, &address);
	if (elf_symbols_load(image, NULL, &symbols))
		return;
	for (i = 0; i < symbols->table.n; i++) {
		assert_true(elf_symbols_find(symbols, symbols->table.starts[i], &function));
		assert_true(strlen(function.name) <= 4096 + 4);
	}
}

static void a_file_may_end_anywhere(void **state)
{
	static const char *const names[] = { "small", "library.so", "stripped" };
	size_t i, len, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(freep) char *data = NULL;

		assert_int_equal(file_read(in_folder(names[i]), 1 << 20, &data, &len), 0);
		for (at = 0; at <= len; at += 64)
			exercise((uint8_t *)data, at);
	}
}

static void any_bit_may_be_wrong(void **state)
{
	static const char *const names[] = { "small", "library.so", "with_mini" };
	size_t i, len, round, flips;

	(void)state;
	srandom(2);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(freep) uint8_t *copy = NULL;
		_cleanup_(freep) char *data = NULL;

		if (file_read(in_folder(names[i]), 1 << 20, &data, &len))
			continue;
		copy = malloc(len);
		assert_non_null(copy);
		for (round = 0; round < 1000; round++) {
			memcpy(copy, data, len);
			/* Half of them where it hurts most: in the tables of headers. */
			for (flips = random() % 8 + 1; flips; flips--) {
				size_t at = random() % len;

				if (flips & 1)
					at = random() & 1 ? at % 512 : len - 1 - at % 2048;
				copy[at] ^= 1 << random() % 8;
			}
			exercise(copy, len);
		}
	}
}

static Elf64_Shdr *headers_of(char *data)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)data;

	return (Elf64_Shdr *)(data + e->e_shoff);
}

static void section_headers_may_lie(void **state)
{
	static const uint64_t lies[] = {
		0,	    1,		7,	    1ull << 31,	    1ull << 32, (1ull << 32) - 1,
		1ull << 60, 1ull << 63, UINT64_MAX, UINT64_MAX - 63
	};
	_cleanup_(freep) char *data = NULL;
	size_t len, i, j, n, field;
	Elf64_Shdr *shdrs, saved;

	(void)state;
	assert_int_equal(file_read(in_folder("library.so"), 1 << 20, &data, &len), 0);
	shdrs = headers_of(data);
	n = ((Elf64_Ehdr *)data)->e_shnum;
	for (i = 0; i < n; i++) {
		saved = shdrs[i];
		for (j = 0; j < ARRAY_SIZE(lies) * 6; j++) {
			uint64_t lie = lies[j / 6];

			field = j % 6;
			shdrs[i] = saved;
			if (field == 0)
				shdrs[i].sh_size = lie;
			else if (field == 1)
				shdrs[i].sh_offset = lie;
			else if (field == 2)
				shdrs[i].sh_link = lie;
			else if (field == 3)
				shdrs[i].sh_name = lie;
			else if (field == 4)
				shdrs[i].sh_addr = lie;
			else
				shdrs[i].sh_entsize = lie;
			exercise((uint8_t *)data, len);
		}
		shdrs[i] = saved;
	}
}

static void numbers_of_headers_may_lie(void **state)
{
	_cleanup_(freep) char *data = NULL;
	size_t len;
	Elf64_Ehdr *e, saved;
	struct elf_image *image = NULL;

	(void)state;
	assert_int_equal(file_read(in_folder("library.so"), 1 << 20, &data, &len), 0);
	e = (Elf64_Ehdr *)data;
	saved = *e;
	e->e_shnum = 0; /* the number is in section 0 then */
	headers_of(data)->sh_size = UINT64_MAX;
	assert_int_equal(elf_image_open_memory(data, len, "x", &image), -EFBIG);
	headers_of(data)->sh_size = saved.e_shnum;
	headers_of(data)->sh_link = saved.e_shstrndx;
	e->e_shstrndx = SHN_XINDEX;
	assert_int_equal(elf_image_open_memory(data, len, "x", &image), 0);
	assert_int_equal(image->n_shdrs, saved.e_shnum);
	assert_non_null(elf_image_section(image, ".dynsym"));
	elf_image_free(take(image));
	*e = saved;
	e->e_phnum = PN_XNUM;
	headers_of(data)->sh_info = UINT32_MAX;
	assert_int_equal(elf_image_open_memory(data, len, "x", &image), -EINVAL);
	*e = saved;
	e->e_shnum = 0xfeff;
	assert_int_equal(elf_image_open_memory(data, len, "x", &image), -EINVAL);
	*e = saved;
	e->e_shstrndx = 0xfefe;
	exercise((uint8_t *)data, len);
	*e = saved;
	e->e_shoff = UINT64_MAX - 8;
	assert_int_equal(elf_image_open_memory(data, len, "x", &image), -EINVAL);
	assert_null(image);
}

/* A string table's last byte is a NUL in any honest file; its size is what libelf allocates. */
static void strings_without_an_end_are_not_read_beyond_it(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	_cleanup_(freep) char *data = NULL;
	Elf64_Shdr *shdrs, *strings = NULL;
	Elf64_Sym *symbols = NULL, *last = NULL;
	size_t len, i, n = 0;

	(void)state;
	assert_int_equal(file_read(in_folder("small"), 1 << 20, &data, &len), 0);
	shdrs = headers_of(data);
	for (i = 0; i < ((Elf64_Ehdr *)data)->e_shnum; i++) {
		if (shdrs[i].sh_type != SHT_SYMTAB)
			continue;
		symbols = (Elf64_Sym *)(data + shdrs[i].sh_offset);
		n = shdrs[i].sh_size / sizeof(*symbols);
		strings = &shdrs[shdrs[i].sh_link];
	}
	assert_non_null(strings);
	for (i = 0; i < n; i++) {
		if (!strcmp(data + strings->sh_offset + symbols[i].st_name, "after_hole"))
			last = &symbols[i];
	}
	assert_non_null(last);
	memcpy(data + strings->sh_offset + strings->sh_size - 3, "end", 3);
	last->st_name = strings->sh_size - 3;
	f.fd = open(in_folder("endless"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(f.fd, data, len), len);
	assert_int_equal(elf_image_open(f.fd, "endless", &f.image), 0);
	assert_int_equal(elf_symbols_load(f.image, NULL, &f.symbols), 0);
	assert_string_equal(name_at(&f, last->st_value), "");
	assert_string_equal(name_at(&f, address_of("small", "sized")), "sized");
}

static void a_detached_image_has_its_segments_and_no_sections(void **state)
{
	struct file f __attribute__((cleanup(release))) = { .fd = -1 };
	uint64_t address;

	(void)state;
	load("program", NULL, &f);
	assert_non_null(elf_image_section(f.image, ".text"));
	elf_image_detach(f.image);
	closep(&f.fd);
	f.fd = -1;
	assert_null(elf_image_section(f.image, ".text"));
	assert_null(elf_image_section_at(f.image, 0));
	assert_true(elf_image_address(f.image, 0, &address));
	assert_int_equal(f.image->build_id_len, 20);
	assert_string_equal(name_at(&f, address_of("program", "alpha")), "alpha");
}

/* A file can be a terabyte without having a byte: what its headers ask for is not read. */
static void a_sparse_giant_is_refused(void **state)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *data = NULL;
	struct elf_symbols *symbols = NULL;
	Elf64_Shdr *shdrs;
	size_t len, i;

	(void)state;
	assert_int_equal(file_read(in_folder("library.so"), 1 << 20, &data, &len), 0);
	shdrs = headers_of(data);
	for (i = 0; i < ((Elf64_Ehdr *)data)->e_shnum; i++) {
		if (shdrs[i].sh_type == SHT_SYMTAB)
			shdrs[i].sh_size = 1ull << 39;
	}
	fd = open(in_folder("giant"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	if (ftruncate(fd, 1ll << 40))
		skip(); /* a file system without holes */
	assert_int_equal(elf_image_open(fd, "giant", &image), 0);
	assert_int_equal(elf_symbols_load(image, NULL, &symbols), -EFBIG);
	assert_null(symbols);
}

static void a_file_that_becomes_shorter_is_an_error(void **state)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	_cleanup_(closep) int fd = -1;
	struct elf_symbols *symbols = NULL;

	(void)state;
	assert_int_equal(run("cp program shrinking"), 0);
	fd = open(in_folder("shrinking"), O_RDWR | O_CLOEXEC);
	assert_int_equal(elf_image_open(fd, "shrinking", &image), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(elf_symbols_load(image, NULL, &symbols), -EIO);
	assert_null(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_function_is_found_by_its_name),
		cmocka_unit_test(the_best_alias_is_chosen),
		cmocka_unit_test(data_has_no_names),
		cmocka_unit_test(assembly_without_sizes_has_names),
		cmocka_unit_test(a_hole_between_functions_has_no_name),
		cmocka_unit_test(the_entry_is_the_function_around_it),
		cmocka_unit_test(files_of_32_bits_are_read),
		cmocka_unit_test(a_file_offset_becomes_a_virtual_address),
		cmocka_unit_test(bytes_are_found_by_their_virtual_address),
		cmocka_unit_test(the_build_id_is_the_linker_s),
		cmocka_unit_test(linkage_table_entries_have_their_function_s_name),
		cmocka_unit_test(versions_are_no_part_of_names),
		cmocka_unit_test(a_stripped_program_has_its_dynamic_names),
		cmocka_unit_test(gnu_debugdata_has_the_local_names),
		cmocka_unit_test(bad_gnu_debugdata_costs_only_its_own_names),
		cmocka_unit_test(a_debug_file_is_found_by_build_id),
		cmocka_unit_test(a_debug_file_is_found_by_its_link),
		cmocka_unit_test(what_is_no_elf_file_is_refused),
		cmocka_unit_test(refusing_a_file_closes_nothing),
		cmocka_unit_test(a_file_may_end_anywhere),
		cmocka_unit_test(any_bit_may_be_wrong),
		cmocka_unit_test(section_headers_may_lie),
		cmocka_unit_test(numbers_of_headers_may_lie),
		cmocka_unit_test(functions_without_names_begin_where_unwind_information_says),
		cmocka_unit_test(strings_without_an_end_are_not_read_beyond_it),
		cmocka_unit_test(a_detached_image_has_its_segments_and_no_sections),
		cmocka_unit_test(a_sparse_giant_is_refused),
		cmocka_unit_test(a_file_that_becomes_shorter_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_folder);
}
