#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# make: what the Makefile promises, tried on a copy of the tree: parallel, without network, rebuilds
# exactly what a changed header concerns, installs one program that needs no other file.
set -u
cd "$(dirname "$0")/../.." || exit 3
. tests/tap.sh

tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
tree=$tmp/tree
mkdir "$tree"
tar -c --exclude=./.git --exclude=./build . | tar -x -C "$tree"

build() { make -C "$tree" -j2 V=1 O="$tmp/o" "$@" >"$tmp/log" 2>&1 || { tail -n 30 "$tmp/log"; return 1; }; }
without_network=()
if unshare -n true 2>/dev/null; then without_network=(unshare -n); fi

offline_build() { "${without_network[@]}" make -C "$tree" -j4 O="$tmp/o" >"$tmp/log" 2>&1 || { tail -n 30 "$tmp/log"; return 1; }; }
tap_check "builds in parallel, without network" offline_build
tap_check "has nothing to do a second time" make -q -C "$tree" O="$tmp/o"

# The objects (of C and of BPF) that depend on a header, by following #include lines ourselves.
users_of() { # users_of HEADER
	python3 - "$tree" "$tmp/o" "$1" <<'PY'
import os, re, sys
tree, out, header = sys.argv[1:]
includes = {}
for folder in ('bpf', 'user', 'flamegraph'):
    for root, _, names in os.walk(os.path.join(tree, folder)):
        for name in names:
            if name.endswith(('.c', '.h')):
                path = os.path.join(root, name)
                text = open(path, encoding='utf-8').read()
                includes[os.path.relpath(path, tree)] = re.findall(r'#include "([^"]+)"', text)
def reaches(path, seen):
    if path == header:
        return True
    if path.endswith('.skel.h'):
        path = 'bpf/' + path[:-len('.skel.h')] + '.bpf.c'
    if path in seen or path not in includes:
        return False
    seen.add(path)
    return any(reaches(i, seen) for i in includes[path])
for path in sorted(includes):
    if path.endswith('.bpf.c') and reaches(path, set()):
        print('bpf/' + os.path.basename(path)[:-2] + '.o')
    elif path.endswith('.c') and reaches(path, set()):
        print('obj/' + path[:-2] + '.o')
PY
}

rebuilds_exactly_users_of() { # HEADER
	local stamp=$tmp/stamp
	touch "$stamp"
	sleep 0.1
	touch "$tree/$1"
	build all || return 1
	find "$tmp/o" -name '*.o' -newer "$stamp" -printf '%P\n' | sort >"$tmp/rebuilt"
	users_of "$1" | sort >"$tmp/users"
	[ -s "$tmp/users" ] || { echo "no users of $1 found"; return 1; }
	diff "$tmp/users" "$tmp/rebuilt"
}
tap_check "touching bpf/wire.h rebuilds exactly its users" rebuilds_exactly_users_of bpf/wire.h
tap_check "touching user/base/str.h rebuilds exactly its users" rebuilds_exactly_users_of user/base/str.h
tap_check "touching bpf/ustack.bpf.h rebuilds exactly its users" rebuilds_exactly_users_of bpf/ustack.bpf.h

# The library that is preloaded is a part of the program as a file of its own.
rebuilds_the_library() {
	touch "$tmp/stamp"
	sleep 0.1
	touch "$tree/shim/draw.h"
	build all || return 1
	find "$tmp/o" \( -name '*.o' -o -name '*.so' \) -newer "$tmp/stamp" -printf '%P\n' | sort >"$tmp/rebuilt"
	printf '%s\n' obj/user/collect/shim_image.o shim/libfathom-alloc.so shim/sampling.o | diff - "$tmp/rebuilt"
}
tap_check "touching a header of the preloaded library rebuilds it, and what it is put into" rebuilds_the_library

installs() {
	make -C "$tree" O="$tmp/o" DESTDIR="$tmp/root" PREFIX=/usr install >"$tmp/log" 2>&1 || { cat "$tmp/log"; return 1; }
	# Alone in an empty folder it still knows all that it needs.
	mkdir "$tmp/alone"
	cp "$tmp/root/usr/bin/fathom" "$tmp/alone/"
	mv "$tmp/o" "$tmp/hidden"
	(cd "$tmp/alone" && ./fathom --version && printf 'a;b 1\n' | ./fathom flame - >x.svg && grep -q '</svg>' x.svg)
	local status=$?
	mv "$tmp/hidden" "$tmp/o"
	return "$status"
}
tap_check "installs one program that needs no other file" installs
uninstalls() {
	make -C "$tree" O="$tmp/o" DESTDIR="$tmp/root" PREFIX=/usr uninstall >"$tmp/log" 2>&1
	[ -z "$(find "$tmp/root" -type f)" ] || { find "$tmp/root" -type f; return 1; }
}
tap_check "uninstall leaves no file" uninstalls

refuses_warnings() {
	echo 'static int unused_in_test;' >>"$tree/user/model/ledger.c"
	! build all && grep -q unused_in_test "$tmp/log"
}
tap_check "a warning in C is an error" refuses_warnings
refuses_bpf_warnings() {
	echo 'static int unused_in_test;' >>"$tree/bpf/follow.bpf.c"
	! make -C "$tree" O="$tmp/o" "$tmp/o/bpf/follow.bpf.o" >"$tmp/log" 2>&1 && grep -q unused_in_test "$tmp/log"
}
tap_check "a warning in a BPF program is an error" refuses_bpf_warnings

tap_done
