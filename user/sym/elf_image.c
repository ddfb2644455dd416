/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sym/elf_image.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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

/* Where the tables of headers are, from the file's own header. */
struct header {
	uint64_t phoff, shoff;
	uint32_t phnum, shnum, shstrndx;
	uint16_t phentsize, shentsize;
};

int elf_image_read(const struct elf_image *image, uint64_t offset, void *buffer, size_t len)
{
	uint8_t *to = buffer;
	ssize_t n;

	if (offset > image->size || len > image->size - offset)
		return errf(-EINVAL, "'%s' is broken: it points behind its own end", image->name);
	if (image->fd < 0) {
		if (len)
			memcpy(buffer, image->memory + offset, len);
		return 0;
	}
	while (len) {
		n = pread(image->fd, to, len, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errf(-errno, "cannot read '%s': %m", image->name);
		if (n == 0)
			return errf(-EIO, "'%s' became shorter while it was read", image->name);
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static int read_header_64(struct elf_image *image, struct header *ret)
{
	Elf64_Ehdr e = { 0 };
	int err = elf_image_read(image, 0, &e, sizeof(e));

	if (err)
		return err;
	image->machine = e.e_machine;
	image->entry = e.e_entry;
	*ret = (struct header){ e.e_phoff,    e.e_shoff,     e.e_phnum,	   e.e_shnum,
				e.e_shstrndx, e.e_phentsize, e.e_shentsize };
	return 0;
}

static int read_header_32(struct elf_image *image, struct header *ret)
{
	Elf32_Ehdr e = { 0 };
	int err = elf_image_read(image, 0, &e, sizeof(e));

	if (err)
		return err;
	image->machine = e.e_machine;
	image->entry = e.e_entry;
	*ret = (struct header){ e.e_phoff,    e.e_shoff,     e.e_phnum,	   e.e_shnum,
				e.e_shstrndx, e.e_phentsize, e.e_shentsize };
	return 0;
}

static int read_header(struct elf_image *image, struct header *ret)
{
	unsigned char ident[EI_NIDENT];

	if (image->size < sizeof(ident))
		return errf(-ENOEXEC, "'%s' is not an ELF file", image->name);
	if (elf_image_read(image, 0, ident, sizeof(ident)))
		return -EIO;
	if (memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != OUR_DATA ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return errf(-ENOEXEC, "'%s' is not an ELF file of this machine", image->name);
	image->is_64 = ident[EI_CLASS] == ELFCLASS64;
	return image->is_64 ? read_header_64(image, ret) : read_header_32(image, ret);
}

static Elf64_Shdr shdr_from_32(const Elf32_Shdr *s)
{
	return (Elf64_Shdr){
		.sh_name = s->sh_name,
		.sh_type = s->sh_type,
		.sh_flags = s->sh_flags,
		.sh_addr = s->sh_addr,
		.sh_offset = s->sh_offset,
		.sh_size = s->sh_size,
		.sh_link = s->sh_link,
		.sh_info = s->sh_info,
		.sh_addralign = s->sh_addralign,
		.sh_entsize = s->sh_entsize,
	};
}

static Elf64_Phdr phdr_from_32(const Elf32_Phdr *p)
{
	return (Elf64_Phdr){
		.p_type = p->p_type,
		.p_flags = p->p_flags,
		.p_offset = p->p_offset,
		.p_vaddr = p->p_vaddr,
		.p_paddr = p->p_paddr,
		.p_filesz = p->p_filesz,
		.p_memsz = p->p_memsz,
		.p_align = p->p_align,
	};
}

static int read_shdrs(const struct elf_image *image, uint64_t offset, Elf64_Shdr *shdrs, size_t n)
{
	_cleanup_(freep) Elf32_Shdr *small = NULL;
	size_t i;
	int err;

	if (image->is_64)
		return elf_image_read(image, offset, shdrs, n * sizeof(*shdrs));
	small = malloc(n * sizeof(*small));
	if (!small)
		return errf(-ENOMEM, "no memory for the sections of '%s'", image->name);
	err = elf_image_read(image, offset, small, n * sizeof(*small));
	for (i = 0; i < n && !err; i++)
		shdrs[i] = shdr_from_32(&small[i]);
	return err;
}

static int read_phdrs(struct elf_image *image, const struct header *h)
{
	_cleanup_(freep) Elf32_Phdr *small = NULL;
	size_t i;
	int err;

	if (!h->phoff || !h->phnum)
		return 0;
	if (h->phnum > MAX_PHDRS ||
	    h->phentsize != (image->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return errf(-EINVAL, "'%s' is broken: %u program headers of %u bytes", image->name,
			    h->phnum, h->phentsize);
	image->phdrs = calloc(h->phnum, sizeof(*image->phdrs));
	small = malloc(h->phnum * sizeof(*small));
	if (!image->phdrs || !small)
		return errf(-ENOMEM, "no memory for the segments of '%s'", image->name);
	err = elf_image_read(image, h->phoff, image->is_64 ? (void *)image->phdrs : small,
			     (size_t)h->phnum * h->phentsize);
	if (err)
		return err;
	image->n_phdrs = h->phnum;
	for (i = 0; i < image->n_phdrs && !image->is_64; i++)
		image->phdrs[i] = phdr_from_32(&small[i]);
	return 0;
}

/* Numbers that do not fit into the file's header are in section 0 (System V ABI, "Sections"). */
static int read_large_numbers(const struct elf_image *image, struct header *h)
{
	Elf64_Shdr first = { 0 };
	int err;

	if (!h->shoff)
		return 0;
	if (h->shentsize != (image->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
		return errf(-EINVAL, "'%s' is broken: section headers of %u bytes", image->name,
			    h->shentsize);
	if (h->shnum && h->shstrndx != SHN_XINDEX && h->phnum != PN_XNUM)
		return 0;
	err = read_shdrs(image, h->shoff, &first, 1);
	if (err)
		return err;
	if (!h->shnum)
		h->shnum = first.sh_size > MAX_SHDRS ? MAX_SHDRS + 1 : first.sh_size;
	if (h->shstrndx == SHN_XINDEX)
		h->shstrndx = first.sh_link;
	if (h->phnum == PN_XNUM)
		h->phnum = first.sh_info;
	return 0;
}

static int read_sections(struct elf_image *image, const struct header *h)
{
	const Elf64_Shdr *names;
	int err;

	if (!h->shoff || !h->shnum)
		return 0;
	if (h->shnum > MAX_SHDRS)
		return errf(-EFBIG, "'%s' has too many sections", image->name);
	image->shdrs = calloc(h->shnum, sizeof(*image->shdrs));
	if (!image->shdrs)
		return errf(-ENOMEM, "no memory for the sections of '%s'", image->name);
	err = read_shdrs(image, h->shoff, image->shdrs, h->shnum);
	if (err)
		return err;
	image->n_shdrs = h->shnum;
	names = elf_image_section_at(image, h->shstrndx);
	if (!names || !h->shstrndx)
		return 0;
	return elf_image_read_section(image, names, MAX_SECTION_NAMES, &image->section_names,
				      &image->section_names_len);
}

static uint64_t align_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Notes are name and contents, each padded to 4 bytes, or to 8 where the segment says so. */
static void find_build_id(struct elf_image *image, const uint8_t *notes, size_t len, uint64_t align)
{
	uint64_t at = 0, name, desc;
	Elf64_Nhdr n;

	align = align == 8 ? 8 : 4;
	while (at + sizeof(n) <= len) {
		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		desc = align_up(name + n.n_namesz, align);
		if (desc > len || n.n_descsz > len - desc)
			return;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(notes + name, ELF_NOTE_GNU, 4) && n.n_descsz &&
		    n.n_descsz <= ELF_BUILD_ID_MAX) {
			memcpy(image->build_id, notes + desc, n.n_descsz);
			image->build_id_len = n.n_descsz;
			return;
		}
		at = align_up(desc + n.n_descsz, align);
	}
}

static void read_notes(struct elf_image *image, uint64_t offset, uint64_t size, uint64_t align)
{
	_cleanup_(freep) uint8_t *notes = NULL;

	if (image->build_id_len || !size || size > MAX_NOTES)
		return;
	notes = malloc(size);
	if (notes && !elf_image_read(image, offset, notes, size))
		find_build_id(image, notes, size, align);
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

static int open_image(struct elf_image *image)
{
	struct header h = { 0 };
	int err = read_header(image, &h);

	if (!err)
		err = read_large_numbers(image, &h);
	if (!err)
		err = read_phdrs(image, &h);
	if (!err)
		err = read_sections(image, &h);
	if (!err)
		read_build_id(image);
	return err;
}

static int new_image(struct elf_image from, const char *name, struct elf_image **ret)
{
	_cleanup_(elf_image_freep) struct elf_image *image = malloc(sizeof(*image));
	int err;

	if (!image)
		return errf(-ENOMEM, "no memory for '%s'", name);
	*image = from;
	image->name = strdup(name);
	if (!image->name)
		return errf(-ENOMEM, "no memory for '%s'", name);
	err = open_image(image);
	if (err)
		return err;
	*ret = take(image);
	return 0;
}

int elf_image_open(int fd, const char *name, struct elf_image **ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return errf(-errno, "cannot look at '%s': %m", name);
	return new_image((struct elf_image){ .fd = fd, .size = st.st_size }, name, ret);
}

int elf_image_open_memory(const void *memory, size_t len, const char *name, struct elf_image **ret)
{
	return new_image((struct elf_image){ .fd = -1, .memory = memory, .size = len }, name, ret);
}

void elf_image_free(struct elf_image *image)
{
	if (!image)
		return;
	free((char *)image->name);
	free(image->phdrs);
	free(image->shdrs);
	free(image->section_names);
	free(image);
}

int elf_image_read_section(const struct elf_image *image, const Elf64_Shdr *shdr, size_t max,
			   char **ret, size_t *ret_len)
{
	uint64_t size = shdr->sh_type == SHT_NOBITS ? 0 : shdr->sh_size;
	_cleanup_(freep) char *data = NULL;
	int err;

	/* Before the allocation: a size beyond the file is a lie that would cost memory. */
	if (size > image->size)
		return errf(-EINVAL, "'%s' is broken: a section is larger than the file",
			    image->name);
	if (size > max)
		return errf(-EFBIG, "'%s' has a section of %llu bytes: the limit is %zu",
			    image->name, (unsigned long long)size, max);
	data = malloc(size + 1);
	if (!data)
		return errf(-ENOMEM, "no memory for a section of '%s'", image->name);
	err = elf_image_read(image, shdr->sh_offset, data, size);
	if (err)
		return err;
	data[size] = '\0';
	*ret = take(data);
	*ret_len = size;
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
