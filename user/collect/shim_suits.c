/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/collect/shim_suits.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "user/base/cleanup.h"
#include "user/base/err.h"
#include "user/base/file.h"
#include "user/collect/command_path.h"
#include "user/collect/shim_image.h"
#include "user/elf/elf_image.h"

#define MAX_SCRIPTS	 5	      /* fs/exec.c: more of them are ELOOP */
#define FIRST_LINE	 256	      /* BINPRM_BUF_SIZE */
#define MAX_SYMBOL_BYTES (256u << 20) /* a larger table is not looked at */

#define OTHERS "record it with the other probes instead"

/* --- the file as a program of this machine ------------------------------------------------ */

/* As the kernel has it: cap_bprm_creds_from_file(), security/commoncap.c; begin_new_exec(). */
static int check_rights(int fd, const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatvfs(fd, &fs))
		return errf(-errno, "cannot look at '%s': %m", path);
	if (fs.f_flag & ST_NOSUID)
		return 0;
	if (st.st_mode & S_ISUID && st.st_uid != getuid())
		return errf(-ENOTSUP,
			    "'%s' is set-user-ID: it would ignore the library of allocations",
			    path);
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
		return errf(-ENOTSUP,
			    "'%s' is set-group-ID: it would ignore the library of allocations",
			    path);
	if (getuid() && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return errf(-ENOTSUP,
			    "'%s' gets capabilities: it would ignore the library of allocations",
			    path);
	return 0;
}

static int check_machine(const struct elf_image *image)
{
	_cleanup_(elf_image_freep) struct elf_image *own = NULL;
	const void *bytes;
	size_t len;
	int err;

	bytes = shim_image(&len);
	err = elf_image_open_memory(bytes, len, SHIM_FILE_NAME, &own);
	if (err)
		return err;
	if (image->is_64 != own->is_64 || image->machine != own->machine)
		return errf(-ENOTSUP,
			    "'%s' is a program of another machine (%d bits, ELF machine %u): the "
			    "library of allocations is not",
			    image->name, image->is_64 ? 64 : 32, image->machine);
	return 0;
}

static int check_loader(const struct elf_image *image)
{
	const Elf64_Phdr *interpreter = elf_image_segment_of_type(image, PT_INTERP);
	const char *path, *name;
	Elf_Data *data;
	int err;

	if (!interpreter)
		return errf(-ENOTSUP, "'%s' is linked statically: it loads no library, so " OTHERS,
			    image->name);
	err = elf_image_bytes_at(image, interpreter->p_vaddr, 4096, &data);
	if (err)
		return err;
	path = data->d_buf;
	if (!data->d_size || !memchr(path, '\0', data->d_size))
		return errf(-EINVAL, "'%s' is broken: the name of its loader has no end",
			    image->name);
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	if (!strncmp(name, "ld-musl", strlen("ld-musl")))
		return errf(-ENOTSUP,
			    "'%s' is linked with musl: the library of allocations needs glibc, "
			    "so " OTHERS,
			    image->name);
	if (strncmp(name, "ld-linux", strlen("ld-linux")) != 0)
		return errf(-ENOTSUP, "'%s' is loaded by '%s', not by glibc's loader, so " OTHERS,
			    image->name, path);
	return 0;
}

/* --- whose memory it is ------------------------------------------------------------------- */

static bool is_sanitizer(const char *name)
{
	static const char *const inits[] = { "__asan_init", "__hwasan_init", "__msan_init",
					     "__tsan_init", "__lsan_init" };
	size_t i;

	for (i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		if (!strcmp(name, inits[i]))
			return true;
	}
	return false;
}

static int check_symbol(const struct elf_image *image, const GElf_Sym *symbol, const char *name)
{
	if (is_sanitizer(name))
		return errf(-ENOTSUP,
			    "'%s' is built with a sanitizer (%s), which has an allocator of its "
			    "own and must come first",
			    image->name, name);
	if (symbol->st_shndx != SHN_UNDEF && GELF_ST_BIND(symbol->st_info) != STB_LOCAL &&
	    !strcmp(name, "malloc"))
		return errf(-ENOTSUP,
			    "'%s' has an allocator of its own, which comes before any library: "
			    "so " OTHERS,
			    image->name);
	return 0;
}

/* A table that cannot be read forbids nothing: what is in it is not known. */
static int check_symbols(const struct elf_image *image, const Elf64_Shdr *section)
{
	const Elf64_Shdr *names;
	const char *text;
	Elf_Data *data;
	GElf_Sym symbol;
	size_t len, n, i;
	int err;

	names = section ? elf_image_section_at(image, section->sh_link) : NULL;
	if (!names || elf_image_data(image, section, MAX_SYMBOL_BYTES, &data) ||
	    elf_image_strings(image, names, MAX_SYMBOL_BYTES, &text, &len))
		return 0;
	data->d_type = ELF_T_SYM;
	n = data->d_size / (image->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));
	for (i = 0; i < n && i <= INT32_MAX && gelf_getsym(data, i, &symbol); i++) {
		if (symbol.st_name >= len)
			continue;
		err = check_symbol(image, &symbol, text + symbol.st_name);
		if (err)
			return err;
	}
	return 0;
}

static int check_elf(int fd, const char *path)
{
	_cleanup_(elf_image_freep) struct elf_image *image = NULL;
	int err = elf_image_open(fd, path, &image);

	if (err == -ENOEXEC)
		return errf(-ENOTSUP, "'%s' is no program of this machine", path);
	if (!err)
		err = check_machine(image);
	if (!err)
		err = check_loader(image);
	if (!err)
		err = check_symbols(image, elf_image_section_of_type(image, SHT_DYNSYM));
	if (!err)
		err = check_symbols(image, elf_image_section_of_type(image, SHT_SYMTAB));
	return err;
}

/* --- what is executed --------------------------------------------------------------------- */

/* "#!interpreter argument": as fs/binfmt_script.c reads it. Empty if it is no script. */
static void script_interpreter(const char *line, char ret[FIRST_LINE])
{
	size_t len;

	*ret = '\0';
	if (strncmp(line, "#!", 2) != 0)
		return;
	line += 2 + strspn(line + 2, " \t");
	len = strcspn(line, " \t\n");
	memcpy(ret, line, len);
	ret[len] = '\0';
}

static int check_file(const char *path, int depth)
{
	_cleanup_(closep) int fd = file_open(path, FILE_TRUSTED);
	char line[FIRST_LINE + 1], interpreter[FIRST_LINE];
	ssize_t n;
	int err;

	if (fd < 0)
		return fd;
	n = pread(fd, line, FIRST_LINE - 1, 0);
	if (n < 0)
		return errf(-errno, "cannot read '%s': %m", path);
	line[n] = '\0';
	script_interpreter(line, interpreter);
	if (*interpreter && depth < MAX_SCRIPTS)
		return check_file(interpreter, depth + 1);
	if (*interpreter)
		return errf(-ELOOP, "'%s' is a script whose interpreters are scripts", path);
	/* Without a first line execvp(3) has the shell read it. */
	if (!depth && (n < SELFMAG || memcmp(line, ELFMAG, SELFMAG) != 0))
		return check_file("/bin/sh", depth + 1);
	err = check_rights(fd, path);
	return err ? err : check_elf(fd, path);
}

int shim_suits_file(const char *path)
{
	return check_file(path, 0);
}

int shim_suits(const char *command)
{
	const char *name = strrchr(command, '/');
	_cleanup_(freep) char *path = NULL;
	int err;

	if (!strcmp(name ? name + 1 : command, "valgrind"))
		return errf(-ENOTSUP,
			    "'%s' executes programs itself, and would end them at our "
			    "probes: what it runs is not recorded",
			    command);
	err = command_path(command, &path);
	return err ? err : shim_suits_file(path);
}
