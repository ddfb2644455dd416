# SPDX-License-Identifier: BSD-2-Clause
# The one build file. 'make help' lists the targets.
#   O=DIR      build there (default: build)     V=1        show the commands
#   DESTDIR=   PREFIX=   for install            ARCH=      x86_64 or arm64 (default: what CC compiles for)
#   CC=aarch64-linux-gnu-gcc O=build/arm64      for another architecture, after scripts/cross-sysroot

O ?= build
V ?= 0
PREFIX ?= /usr/local
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool 2>/dev/null) /usr/sbin/bpftool)
PROTOC_C ?= protoc-c
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

machine := $(shell $(CC) -dumpmachine)
ARCH ?= $(if $(filter aarch64%,$(machine)),arm64,x86_64)
bpf_arch := $(if $(filter arm64,$(ARCH)),arm64,x86)

ifeq ($(V),1)
say = @:
q =
else
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-8s %s\n')
q = @
endif

# Another architecture's libraries are where scripts/cross-sysroot has put them; SYSROOT= (empty) if
# the compiler finds them by itself.
cross := $(filter-out $(shell uname -m)-%,$(machine))
ifneq ($(cross),)
SYSROOT ?= $(or $(CROSS_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fathom-cross)/$(ARCH)
endif
ifneq ($(SYSROOT),)
ifeq ($(wildcard $(SYSROOT)/usr/lib),)
$(error no libraries for $(ARCH) in '$(SYSROOT)': run scripts/cross-sysroot $(ARCH))
endif
override CC += --sysroot=$(SYSROOT)
override PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(machine)/pkgconfig $(PKG_CONFIG)
endif

libs := libbpf libelf libdw jansson yaml-0.1 libprotobuf-c liblzma zlib nettle capstone
lib_cflags := $(shell $(PKG_CONFIG) --cflags $(libs) 2>/dev/null)
lib_ldlibs := $(shell $(PKG_CONFIG) --libs $(libs) 2>/dev/null) -liberty -lm

warnings := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror
CFLAGS ?= -O2 -g
all_cflags = $(CFLAGS) -std=gnu11 $(warnings) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DFATHOM_VERSION='"$(VERSION)"' -DSHIM_LIBRARY='"$(shim)"' -fno-omit-frame-pointer -pthread -I. -I$(O)/gen $(lib_cflags)
san_flags := -fsanitize=address,undefined -fno-sanitize-recover=undefined
bpf_flags := -g -O2 -target bpf -mcpu=v2 -D__TARGET_ARCH_$(bpf_arch) -I. -Ivmlinux/$(ARCH) \
	-Wall -Wextra -Wshadow -Wvla -Werror -Wno-unused-parameter -Wno-missing-prototypes
# v2 and not v3: the 5.10 verifier tracks 64-bit bounds better than those of 32-bit subregisters.

# The library that commands are started with (shim/). Its functions keep to one piece each, since the
# one that called a probe is to be known by its name.
shim := $(O)/shim/libfathom-alloc.so
shim_sources := $(wildcard shim/*.c)
shim_cflags := -O2 -fPIC -std=gnu11 $(warnings) -D_GNU_SOURCE -I. -fvisibility=hidden -fno-builtin \
	-ftls-model=initial-exec -fno-reorder-blocks-and-partition
shim_ldflags := -shared -Wl,-soname,libfathom-alloc.so -Wl,-z,defs -Wl,-z,now -Wl,-z,relro

sources := $(filter-out user/cmd/main.c flamegraph/main.c,$(wildcard user/*/*.c flamegraph/*.c))
bpf_sources := $(wildcard bpf/*.bpf.c)
skeletons := $(bpf_sources:bpf/%.bpf.c=$(O)/gen/%.skel.h)
# One script of them all, in one scope: what is computed first, then what draws it, then the start.
flame_scripts := $(wildcard $(addprefix flamegraph/,data.js tree.js layout.js))
flame_scripts += $(filter-out $(flame_scripts) flamegraph/main.js,$(sort $(wildcard flamegraph/*.js)))
flame_scripts += $(wildcard flamegraph/main.js)
embedded := $(O)/gen/flame_scripts.js.h \
	$(patsubst %,$(O)/gen/%.h,$(notdir $(wildcard user/bench/*.yaml)))
generated := $(skeletons) $(O)/gen/pprof.pb-c.h $(embedded)
unit_tests := $(patsubst tests/%.c,%,$(wildcard tests/unit/test_*.c tests/native/test_*.c))
workloads := $(patsubst tests/workloads/%.c,$(O)/workloads/%,$(wildcard tests/workloads/*.c))
# Hard to unwind. What needs a compiler that is not there is not built, and its tests say SKIP.
uw := $(O)/workloads/unwind
compiler = $(if $(cross),,$(shell command -v $(1)))
workloads += $(patsubst tests/workloads/unwind/%.c,$(uw)/%,$(wildcard tests/workloads/unwind/*.c)) \
	$(uw)/spot.so $(uw)/wrapper.so $(uw)/plain-static $(uw)/plain-static-pie $(uw)/plain-stripped \
	$(if $(call compiler,g++),$(uw)/exceptions) \
	$(if $(call compiler,musl-gcc),$(uw)/plain-musl $(uw)/plain-musl-static) \
	$(if $(call compiler,rustc),$(uw)/rusty) $(if $(call compiler,go),$(uw)/gopher)
# Whose allocator is in the program, and another library's.
workloads += $(O)/workloads/allocator-static \
	$(if $(call compiler,musl-gcc),$(O)/workloads/allocator-musl $(O)/workloads/allocator-musl-static)
benchmarks := $(patsubst tests/bench.d/%.c,$(O)/bench/%,$(wildcard tests/bench.d/*.c)) \
	$(patsubst tests/%.c,$(O)/bench/%,$(wildcard tests/bench_*.c))
walk_sources := $(wildcard tests/walk/*.c)
fuzzers := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
manuals := $(patsubst docs/man/%.md,$(O)/man/%,$(wildcard docs/man/*.md))

.PHONY: all demo test live kernels bench lint check fuzz install uninstall clean help workloads tests man
.DELETE_ON_ERROR:
.SECONDARY:

all: $(O)/fathom $(O)/flamegraph

help:
	@echo 'all      build $(O)/fathom and $(O)/flamegraph'
	@echo 'demo     record the whole machine while something works (root)'
	@echo 'test     unit, native and command-line tests, plain and with ASan and UBSan'
	@echo 'live     tests on this kernel (root)'
	@echo 'kernels  the smoke test on other kernels, in qemu'
	@echo 'bench    measure what docs/overhead.md says (root); PARTS="perf start": only these'
	@echo 'lint     formatting, static analysis, layers'
	@echo 'fuzz     fuzz the parsers, FUZZ_SECONDS each (default 30)'
	@echo 'install  into $$(DESTDIR)$$(PREFIX); uninstall takes it away'
	@echo 'clean    remove $(O)'

# --- generated: skeletons, protobuf, strings --------------------------------------------------

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $@
	@mkdir -p $(@D)
	$(q)$(CLANG) $(bpf_flags) -MMD -MP -MF $(O)/bpf/$*.d -MT $@ -c $< -o $@

$(O)/gen/%.skel.h: $(O)/bpf/%.bpf.o
	$(say) SKEL $@
	@mkdir -p $(@D)
	$(q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@.tmp && mv $@.tmp $@

$(O)/gen/pprof.pb-c.h $(O)/gen/pprof.pb-c.c &: user/export/pprof.proto
	$(say) PROTO $<
	@mkdir -p $(O)/gen
	$(q)$(PROTOC_C) --proto_path=user/export --c_out=$(O)/gen pprof.proto

# A file as a C string of its name, whose dots and dashes become underscores: "flame_js".
define embed
$(say) EMBED $@
@mkdir -p $(@D)
$(q){ echo 'static const char $(subst .,_,$(subst -,_,$(notdir $<)))[] = ""'; \
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $<; echo ';'; } >$@.tmp && mv $@.tmp $@
endef
# Without comments and indentation: it is in each picture.
$(O)/gen/flame_scripts.js: $(flame_scripts)
	@mkdir -p $(@D)
	$(q)cat /dev/null $^ | sed -e '/^[[:space:]]*\/\/ /d; s/^[[:space:]]*//; /^$$/d' >$@.tmp && mv $@.tmp $@
$(O)/gen/flame_scripts.js.h: $(O)/gen/flame_scripts.js
	$(embed)
$(O)/gen/%.yaml.h: user/bench/%.yaml
	$(embed)

# --- the library that is preloaded ---------------------------------------------------------------

$(O)/shim/%.o: shim/%.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(q)$(CC) $(shim_cflags) -MMD -MP -c $< -o $@

$(shim): $(shim_sources:%.c=$(O)/%.o)
	$(say) LD $@
	$(q)$(CC) $(shim_ldflags) $^ -o $@

# --- two variants of everything in C: obj (as installed) and san (ASan and UBSan) ---------------

obj_flags :=
define variant
$(O)/$(1)/gen/pprof.pb-c.o: $(O)/gen/pprof.pb-c.c
	$$(say) CC $$@
	@mkdir -p $$(@D)
	$$(q)$$(CC) $$(all_cflags) $$($(1)_flags) -Wno-error -w -MMD -MP -c $$< -o $$@

# Native tests include the programs of bpf/, on fakes of the kernel's headers and of libbpf's.
$(O)/$(1)/tests/native/%.o: fakes := -Itests/native/fake -Wno-unused-parameter -Wno-unknown-pragmas
$(O)/$(1)/%.o: %.c | $(generated)
	$$(say) CC $$@
	@mkdir -p $$(@D)
	$$(q)$$(CC) $$(fakes) $$(all_cflags) $$($(1)_flags) -MMD -MP -c $$< -o $$@

# In both of them as it is, without sanitizers.
$(O)/$(1)/user/collect/shim_image.o: $(shim)

$(O)/$(1)/libfathom.a: $(sources:%.c=$(O)/$(1)/%.o) $(O)/$(1)/gen/pprof.pb-c.o
	$$(say) AR $$@
	$$(q)rm -f $$@ && $$(AR) rcs $$@ $$^

$(O)/$(1)/fathom: $(O)/$(1)/user/cmd/main.o $(O)/$(1)/libfathom.a
	$$(say) LD $$@
	$$(q)$$(CC) $$(all_cflags) $$($(1)_flags) $$(LDFLAGS) $$^ $$(lib_ldlibs) -o $$@

# Only what it needs of the libraries: it is to run where there is no libbpf.
$(O)/$(1)/bin/flamegraph: $(O)/$(1)/flamegraph/main.o $(O)/$(1)/libfathom.a
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(q)$$(CC) $$(all_cflags) $$($(1)_flags) $$(LDFLAGS) -Wl,--as-needed $$^ $$(lib_ldlibs) -o $$@

$(unit_tests:%=$(O)/$(1)/%): $(O)/$(1)/%: $(O)/$(1)/tests/%.o $(O)/$(1)/libfathom.a
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(q)$$(CC) $$(all_cflags) $$($(1)_flags) $$(LDFLAGS) $$^ -lcmocka $$(lib_ldlibs) -o $$@

$(O)/$(1)/walk_compare: $(walk_sources:%.c=$(O)/$(1)/%.o) $(O)/$(1)/libfathom.a
	$$(say) LD $$@
	$$(q)$$(CC) $$(all_cflags) $$($(1)_flags) $$(LDFLAGS) $$^ $$(lib_ldlibs) -o $$@
endef
$(eval $(call variant,obj))
$(eval $(call variant,san))

$(O)/fathom: $(O)/obj/fathom
	$(q)cp $< $@.tmp && mv $@.tmp $@

$(O)/flamegraph: $(O)/obj/bin/flamegraph
	$(q)cp $< $@.tmp && mv $@.tmp $@

$(O)/walk_compare: $(O)/obj/walk_compare
	$(q)cp $< $@.tmp && mv $@.tmp $@

# --- tests ---------------------------------------------------------------------------------------

# Workloads keep frame pointers and their functions, and say so themselves where they must not.
$(O)/workloads/%: tests/workloads/%.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(q)$(CC) -O1 -g -std=gnu11 $(warnings) -D_GNU_SOURCE -fno-omit-frame-pointer \
		-fno-optimize-sibling-calls -fno-inline -pthread -MMD -MP $< -o $@ -lm

$(O)/workloads/allocator-musl%: CC := musl-gcc
$(O)/workloads/allocator%-static $(O)/workloads/allocator-static: LDFLAGS += -static
$(O)/workloads/allocator-%: tests/workloads/allocator.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(q)$(CC) -O1 -g -std=gnu11 $(warnings) -D_GNU_SOURCE -fno-omit-frame-pointer \
		-fno-optimize-sibling-calls -fno-inline -pthread -MMD -MP -MF $@.d $< -o $@ $(LDFLAGS)
$(O)/workloads/allocator-%.d: ;

# Those of unwind/ are optimised and have no frame pointers; what else each of them needs:
uw_cflags := -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -fomit-frame-pointer -pthread
uw_cc := $(CC) -std=gnu11
$(uw)/plt: uw_more := -fno-builtin -Wl,-z,lazy
$(uw)/plain-static: uw_more := -static
$(uw)/plain-static-pie: uw_more := -static-pie
$(uw)/plain-stripped: uw_more := -s
$(uw)/plain-musl $(uw)/plain-musl-static: uw_cc := musl-gcc -std=gnu11
$(uw)/plain-musl-static: uw_more := -static
uw_build = $(q)mkdir -p $(@D) && $(uw_cc) $(uw_cflags) $(uw_more) -MMD -MP -MF $@.d $< -o $@

$(uw)/%: tests/workloads/unwind/%.c
	$(say) CC $@
	$(uw_build) -lm
# Dependencies that were noted are no workloads.
$(uw)/plain-%.d: ;
$(uw)/plain-%: tests/workloads/unwind/plain.c
	$(say) CC $@
	$(uw_build)
$(uw)/%.so: tests/workloads/unwind/lib/%.c
	$(say) CC $@
	$(uw_build) -shared -fPIC
$(uw)/%: tests/workloads/unwind/%.cc
	$(say) CXX $@
	$(q)mkdir -p $(@D) && g++ $(uw_cflags) -MMD -MP -MF $@.d $< -o $@
$(uw)/%: tests/workloads/unwind/%.rs
	$(say) RUSTC $@
	$(q)mkdir -p $(@D) && rustc -C opt-level=2 -g -o $@ $<
$(uw)/%: tests/workloads/unwind/%.go
	$(say) GO $@
	$(q)mkdir -p $(@D) && GOCACHE=$(abspath $(O))/go-cache GOFLAGS= CGO_ENABLED=0 go build -o $@ $<

# Loads and probes of the benchmark are built like workloads; bench_* time the library.
$(O)/bench/%: tests/bench.d/%.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(q)$(CC) -O1 -g -std=gnu11 $(warnings) -D_GNU_SOURCE -fno-omit-frame-pointer \
		-fno-optimize-sibling-calls -MMD -MP $< -o $@

$(O)/bench/bench_%: tests/bench_%.c $(O)/obj/libfathom.a
	$(say) CC $@
	@mkdir -p $(@D)
	$(q)$(CC) $(all_cflags) $(LDFLAGS) -MMD -MP $< $(O)/obj/libfathom.a $(lib_ldlibs) -o $@

$(O)/fuzz/%: tests/fuzz/%.c $(O)/san/libfathom.a
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(q)$(CLANG) $(all_cflags) -fsanitize=fuzzer,address,undefined -MMD -MP $< \
		$(sources) $(O)/gen/pprof.pb-c.c -Wno-everything $(lib_ldlibs) -o $@

workloads: $(workloads)
tests: $(O)/fathom $(O)/san/fathom $(O)/flamegraph $(O)/san/bin/flamegraph $(O)/walk_compare $(O)/bench/bench_cfi $(workloads) \
	$(foreach v,obj san,$(unit_tests:%=$(O)/$(v)/%))

test: tests
	$(q)O=$(O) tests/run unit native cli
live: tests
	$(q)O=$(O) tests/run live
kernels: tests
	$(q)O=$(O) tests/run kernels
bench: $(O)/fathom $(O)/flamegraph $(O)/walk_compare $(benchmarks)
	$(q)O=$(O) tests/bench $(PARTS)
check:
	$(q)scripts/check-layers
lint: check
	$(q)O=$(O) scripts/lint
fuzz: $(fuzzers) $(workloads)
	$(q)O=$(O) tests/run fuzz
demo: $(O)/fathom $(workloads)
	$(q)O=$(O) scripts/demo --no-setup

# --- install -----------------------------------------------------------------------------------

$(O)/man/%: docs/man/%.md
	@mkdir -p $(@D)
	$(q)pandoc -f markdown-smart -s -t man $< -o $@
man: $(manuals)

install: $(O)/fathom $(O)/flamegraph $(if $(shell command -v pandoc),$(manuals))
	install -D -m 755 $(O)/fathom $(DESTDIR)$(PREFIX)/bin/fathom
	install -D -m 755 $(O)/flamegraph $(DESTDIR)$(PREFIX)/bin/flamegraph
	$(q)for m in $(manuals); do [ ! -e "$$m" ] || install -D -m 644 "$$m" \
		"$(DESTDIR)$(PREFIX)/share/man/man1/$$(basename "$$m")"; done
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/fathom $(DESTDIR)$(PREFIX)/share/man/man1/fathom*.1
	rm -f $(DESTDIR)$(PREFIX)/bin/flamegraph $(DESTDIR)$(PREFIX)/share/man/man1/flamegraph.1
clean:
	rm -rf $(O)

dependencies := $(shell find $(O) -name '*.d' -type f 2>/dev/null)
# Nothing makes them but what they belong to: plain-% would take them for programs.
$(dependencies): ;
-include $(dependencies)
