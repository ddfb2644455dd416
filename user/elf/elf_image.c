/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/elf/elf_image.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "user/base/array.h"
#include "user/base/err.h"

/* Larger than in any program, small enough to be read at once. */
#define MAX_PHDRS	  4096
#define MAX_SHDRS	  65536
#define MAX_SECTION_NAMES (4u << 20)
#define MAX_NOTES	  65536 /* bytes of one section or segment */
#define MAX_NOTE_READS	  64

#define PAGE_MASK 4095ull

#define OUR_DATA (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB)

/* Where an image is opened from. */
struct source {
	int fd;
	const char *memory; /* instead of 'fd', or NULL */
	size_t len;	    /* of 'memory' */
};

static bool peek(const struct source *from, uint64_t offset, void *buffer, size_t len)
{
	if (!from->memory)
		return pread(from->fd, buffer, len, offset) == (ssize_t)len;
	if (offset > from->len || len > from->len - offset)
		return false;
	memcpy(buffer, from->memory + offset, len);
	return true;
}

/*
 * Before libelf allocates by it: the number of sections, which is in section 0 where the header has
 * none (System V ABI, "Sections"). A number in the header has 16 bits and is small enough.
 */
static int check_number_of_sections(const struct source *from, const char *name)
{
	union {
		Elf32_Ehdr e32;
		Elf64_Ehdr e64;
	} h;
	union {
		Elf32_Shdr s32;
		Elf64_Shdr s64;
	} first;
	bool is_64;

	if (!peek(from, 0, &h, sizeof(h)) || memcmp(h.e64.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e64.e_ident[EI_DATA] != OUR_DATA)
		return errf(-ENOEXEC, "'%s' is not an ELF file of this machine", name);
	is_64 = h.e64.e_ident[EI_CLASS] == ELFCLASS64;
	if (is_64 ? h.e64.e_shnum || !h.e64.e_shoff : h.e32.e_shnum || !h.e32.e_shoff)
		return 0;
	if (!peek(from, is_64 ? h.e64.e_shoff : h.e32.e_shoff, &first,
		  is_64 ? sizeof(first.s64) : sizeof(first.s32)))
		return errf(-EINVAL, "'%s' is broken: it points behind its own end", name);
	if ((is_64 ? first.s64.sh_size : first.s32.sh_size) > MAX_SHDRS)
		return errf(-EFBIG, "'%s' has too many sections", name);
	return 0;
}

static int read_phdrs(struct elf_image *image, const GElf_Ehdr *e)
{
	size_t n, i;

	if (!e->e_phoff || !e->e_phnum)
		return 0;
	if (elf_getphdrnum(image->elf, &n) || !n || n > MAX_PHDRS)
		return errf(-EINVAL, "'%s' is broken: its number of segments", image->name);
	image->phdrs = calloc(n, sizeof(*image->phdrs));
	if (!image->phdrs)
		return errf(-ENOMEM, "no memory for the segments of '%s'", image->name);
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(image->elf, i, &image->phdrs[i]))
			return errf(-EINVAL, "'%s' is broken: its segments", image->name);
	}
	image->n_phdrs = n;
	return 0;
}

static int read_shdrs(struct elf_image *image, const GElf_Ehdr *e)
{
	size_t n, i;

	if (!e->e_shoff)
		return 0;
	/* To libelf, a file whose section headers are behind its end has none. */
	if (elf_getshdrnum(image->elf, &n) || (e->e_shnum && !n))
		return errf(-EINVAL, "'%s' is broken: its number of sections", image->name);
	if (n > MAX_SHDRS)
		return errf(-EFBIG, "'%s' has too many sections", image->name);
	image->shdrs = calloc(n + 1, sizeof(*image->shdrs));
	if (!image->shdrs)
		return errf(-ENOMEM, "no memory for the sections of '%s'", image->name);
	for (i = 0; i < n; i++) {
		if (!gelf_getshdr(elf_getscn(image->elf, i), &image->shdrs[i]))
			return errf(-EINVAL, "'%s' is broken: its sections", image->name);
	}
	image->n_shdrs = n;
	return 0;
}

static int read_section_names(struct elf_image *image)
{
	const Elf64_Shdr *names;
	size_t i;

	if (elf_getshdrstrndx(image->elf, &i) || i == SHN_UNDEF)
		return 0;
	names = elf_image_section_at(image, i);
	return names ? elf_image_strings(image, names, MAX_SECTION_NAMES, &image->section_names,
					 &image->section_names_len)
		     : 0;
}

/* Notes are padded to 4 bytes, or to 8 where the section or segment says so. */
static void read_notes(struct elf_image *image, uint64_t offset, uint64_t size, uint64_t align)
{
	size_t at = 0, name, desc;
	Elf_Data *notes;
	GElf_Nhdr n;

	if (image->build_id_len || !size || size > MAX_NOTES)
		return;
	notes = elf_getdata_rawchunk(image->elf, offset, size,
				     align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	while ((at = gelf_getnote(notes, at, &n, &name, &desc)) > 0) {
		const char *bytes = notes->d_buf;

		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != sizeof(ELF_NOTE_GNU) ||
		    memcmp(bytes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) != 0 || !n.n_descsz ||
		    n.n_descsz > ELF_BUILD_ID_MAX)
			continue;
		memcpy(image->build_id, bytes + desc, n.n_descsz);
		image->build_id_len = n.n_descsz;
		return;
	}
}

/* Sections first: the segments of a separate debug file point to what it does not have. */
static void read_build_id(struct elf_image *image)
{
	size_t i, reads = 0;

	for (i = 0; i < image->n_shdrs; i++) {
		const Elf64_Shdr *s = &image->shdrs[i];

		if (s->sh_type == SHT_NOTE && reads++ < MAX_NOTE_READS)
			read_notes(image, s->sh_offset, s->sh_size, s->sh_addralign);
	}
	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type == PT_NOTE && reads++ < MAX_NOTE_READS)
			read_notes(image, p->p_offset, p->p_filesz, p->p_align);
	}
}

static int read_headers(struct elf_image *image)
{
	GElf_Ehdr e;
	int err;

	if (elf_kind(image->elf) != ELF_K_ELF || !gelf_getehdr(image->elf, &e))
		return errf(-ENOEXEC, "'%s' is not an ELF file", image->name);
	image->is_64 = gelf_getclass(image->elf) == ELFCLASS64;
	image->machine = e.e_machine;
	image->entry = e.e_entry;
	err = read_phdrs(image, &e);
	if (!err)
		err = read_shdrs(image, &e);
	if (!err)
		err = read_section_names(image);
	if (!err)
		read_build_id(image);
	return err;
}

static int open_image(const struct source *from, const char *name, struct elf_image **ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = calloc(1, sizeof(*image));
	int err;

	/* Before anything may free it, which closes what it owns. */
	if (image) {
		image->own_fd = -1;
		image->fd = from->fd;
	}
	err = check_number_of_sections(from, name);
	if (err)
		return err;
	if (!image || !(image->name = strdup(name)))
		return errf(-ENOMEM, "no memory for '%s'", name);
	elf_version(EV_CURRENT);
	/* Reading, libelf writes to no memory that it is given. */
	image->elf = from->memory ? elf_memory((char *)from->memory, from->len)
				  : elf_begin(from->fd, ELF_C_READ, NULL);
	if (!image->elf)
		return errf(-EINVAL, "cannot read '%s': %s", name, elf_errmsg(-1));
	err = read_headers(image);
	if (err)
		return err;
	*ret = take(image);
	return 0;
}

int elf_image_open(int fd, const char *name, struct elf_image **ret)
{
	return open_image(&(struct source){ .fd = fd }, name, ret);
}

int elf_image_open_memory(const void *memory, size_t len, const char *name, struct elf_image **ret)
{
	return open_image(&(struct source){ .fd = -1, .memory = memory, .len = len }, name, ret);
}

int elf_image_again(const struct elf_image *image, struct elf_image **ret)
{
	if (image->fd < 0)
		return -ENOTSUP;
	return elf_image_open(image->fd, image->name, ret);
}

void elf_image_detach(struct elf_image *image)
{
	image->fd = -1;
	elf_end(image->elf);
	image->elf = NULL;
	closep(&image->own_fd);
	image->own_fd = -1;
	free(take(image->own_memory));
	free(take(image->shdrs));
	image->n_shdrs = 0;
	image->section_names = NULL;
	image->section_names_len = 0;
}

void elf_image_free(struct elf_image *image)
{
	if (!image)
		return;
	elf_image_detach(image);
	free(image->name);
	free(image->phdrs);
	free(image);
}

int elf_image_data(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
		   Elf_Data **ret)
{
	Elf_Data *data;

	if (shdr->sh_type == SHT_NOBITS)
		return errf(-EINVAL, "'%s' is broken: a section has no contents", image->name);
	/* Before libelf allocates it. */
	if (shdr->sh_size > max)
		return errf(-EFBIG, "'%s' has a section of %llu bytes: the limit is %zu",
			    image->name, (unsigned long long)shdr->sh_size, max);
	data = elf_rawdata(elf_getscn(image->elf, shdr - image->shdrs), NULL);
	if (!data)
		return errf(-EIO, "cannot read a section of '%s': %s", image->name, elf_errmsg(-1));
	*ret = data;
	return 0;
}

int elf_image_strings(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
		      const char **ret, size_t *ret_len)
{
	const char *end;
	Elf_Data *data;
	int err = elf_image_data(image, shdr, max, &data);

	if (err)
		return err;
	end = data->d_size ? memrchr(data->d_buf, '\0', data->d_size) : NULL;
	*ret = data->d_buf;
	*ret_len = end ? end + 1 - *ret : 0;
	return 0;
}

const char *elf_image_section_name(const struct elf_image *image, const Elf64_Shdr *shdr)
{
	return shdr->sh_name < image->section_names_len ? image->section_names + shdr->sh_name : "";
}

const Elf64_Shdr *elf_image_section(const struct elf_image *image, const char *name)
{
	size_t i;

	for (i = 1; i < image->n_shdrs; i++) {
		if (!strcmp(elf_image_section_name(image, &image->shdrs[i]), name))
			return &image->shdrs[i];
	}
	return NULL;
}

const Elf64_Shdr *elf_image_section_at(const struct elf_image *image, size_t i)
{
	return i < image->n_shdrs ? &image->shdrs[i] : NULL;
}

const Elf64_Shdr *elf_image_section_of_type(const struct elf_image *image, uint32_t type)
{
	size_t i;

	for (i = 0; i < image->n_shdrs; i++) {
		if (image->shdrs[i].sh_type == type)
			return &image->shdrs[i];
	}
	return NULL;
}

const Elf64_Phdr *elf_image_segment_of_type(const struct elf_image *image, uint32_t type)
{
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		if (image->phdrs[i].p_type == type)
			return &image->phdrs[i];
	}
	return NULL;
}

int elf_image_bytes_at(const struct elf_image *image, uint64_t address, size_t max, Elf_Data **ret)
{
	Elf_Data *data;
	uint64_t offset, len;
	size_t i;

	for (i = 0; i < image->n_phdrs; i++) {
		const Elf64_Phdr *p = &image->phdrs[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
		    address - p->p_vaddr >= p->p_filesz)
			continue;
		len = p->p_filesz - (address - p->p_vaddr);
		if (len > max)
			len = max;
		/* libelf takes signed offsets, and checks both against the size of the file. */
		if (__builtin_add_overflow(p->p_offset, address - p->p_vaddr, &offset) ||
		    offset > INT64_MAX)
			break;
		data = elf_getdata_rawchunk(image->elf, offset, len, ELF_T_BYTE);
		if (!data)
			return errf(-EIO, "cannot read a segment of '%s': %s", image->name,
				    elf_errmsg(-1));
		*ret = data;
		return 0;
	}
	return errf(-EINVAL, "'%s' is broken: it has no bytes at %#llx", image->name,
		    (unsigned long long)address);
}

static bool segment_has(const Elf64_Phdr *p, uint64_t offset, bool whole_pages)
{
	uint64_t start = p->p_offset, size = p->p_filesz;

	if (p->p_type != PT_LOAD || !size)
		return false;
	if (whole_pages) {
		size += start & PAGE_MASK;
		start -= start & PAGE_MASK;
		size = (size + PAGE_MASK) & ~PAGE_MASK;
	}
	return offset >= start && offset - start < size;
}

bool elf_image_address(const struct elf_image *image, uint64_t offset, uint64_t *ret)
{
	int round;
	size_t i;

	/* Executable and exact, exact, and what is mapped only because pages are whole. */
	for (round = 0; round < 3; round++) {
		for (i = 0; i < image->n_phdrs; i++) {
			const Elf64_Phdr *p = &image->phdrs[i];

			if (!segment_has(p, offset, round == 2) ||
			    (round == 0 && !(p->p_flags & PF_X)))
				continue;
			*ret = p->p_vaddr + (offset - p->p_offset);
			return true;
		}
	}
	return false;
}
