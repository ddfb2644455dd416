#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The kernel types that we compiled against exist in the running kernel, and the check can fail.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# is_wrong WANTED ARG...: verify fails and says WANTED
# shellcheck disable=SC2317 # tap_check runs it
is_wrong() {
	local wanted=$1 output status=0
	shift
	output=$(scripts/kernel-types verify "$@" 2>&1) || status=$?
	echo "$output"
	[ "$status" -eq 1 ] && grep -qF -- "$wanted" <<<"$output"
}

# changed SED: a copy of the list; altered SED: a copy of the header
changed() { sed "$1" vmlinux/types >"$tmp/types"; }
altered() { sed "$1" "$header" >"$tmp/vmlinux.h"; }

case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x86_64 ;; esac
header=vmlinux/$arch/vmlinux.h

if [ ! -r /sys/kernel/btf/vmlinux ]; then
	tap_skip "kernel types" "the running kernel has no BTF"
	tap_done
fi

tap_check "all types and members are in the running kernel" scripts/kernel-types verify

changed 's/thread_pid stack/thread_pidd stack/'
tap_check "a misspelt member is missing" \
	is_wrong "struct task_struct.thread_pidd: missing" --types "$tmp/types"

changed 's/thread_pid stack/thread_pidd? stack/'
tap_check "an optional member may be missing" scripts/kernel-types verify --types "$tmp/types"

changed 's/mm_context_t: vdso/mm_context_t: vdso_base/'
tap_check "a misspelt member of a struct that only a typedef names is missing" \
	is_wrong "typedef mm_context_t.vdso_base: missing" --types "$tmp/types"

altered 's/pid_t tgid;/u64 tgid;/'
tap_check "a member of another size is wrong" \
	is_wrong "struct task_struct.tgid: has 4 bytes here, 8 in ours" --header "$tmp/vmlinux.h"

altered 's/__u64 sample_period;/__u64 hole, sample_period;/'
tap_check "an ABI member elsewhere is wrong" \
	is_wrong "struct bpf_perf_event_data.sample_period: at bit" --header "$tmp/vmlinux.h"

altered 's/BPF_MAP_TYPE_HASH = 1,/BPF_MAP_TYPE_HASH = 2,/'
tap_check "another value is wrong" \
	is_wrong "BPF_MAP_TYPE_HASH: is 1 here, 2 in ours" --header "$tmp/vmlinux.h"

tap_check "a header is made from the running kernel and is right" bash -c \
	"scripts/kernel-types generate --header '$tmp/new.h' $arch &&
	scripts/kernel-types verify --header '$tmp/new.h' $arch"

tap_done
