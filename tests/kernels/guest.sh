#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What tests/kernels/run does inside a guest, with busybox alone: it makes recordings in /out, and
# the exit status and standard error of each beside them. The host judges them.
cd /share || exit 1

# run NAME COMMAND...
run() {
	name=$1
	shift
	"$@" >"/out/$name.out" 2>"/out/$name.err" </dev/null
	echo $? >"/out/$name.status"
}

uname -r >/out/release
# Emulated interrupts are slow; the kernel would lower the rate that sampling may have.
echo 0 >/proc/sys/kernel/perf_cpu_time_max_percent
run doctor ./fathom doctor --json
run doctor-text ./fathom doctor
run command ./fathom record -F 199 -o /out/command -- ./burn 4
run children ./fathom record -F 199 -o /out/children -- ./burn 3 children
run storm ./fathom record -F 199 -o /out/storm -- ./storm 60 fork
run exec ./fathom record -F 199 -o /out/exec -- ./storm 20 exec
run vdso ./fathom record -F 199 -o /out/vdso -- ./vdso 2

run plain ./fathom record -F 199 -o /out/plain -- ./plain 2
run frames ./fathom record -F 199 -o /out/frames -- ./frames 1
run signals ./fathom record -F 199 -o /out/signals -- ./signals 2
run threads ./fathom record -F 199 -o /out/threads -- ./threads 2
run plain-static ./fathom record -F 199 -o /out/plain-static -- ./plain-static 1
head -c 400000 fathom >/tmp/data
run xz ./fathom record -F 199 -o /out/xz -- ./xz -9 -c /tmp/data
run turns ./fathom record -F 199 --timeline=50ms -o /out/turns -- ./turns 4 /out/turns.list

./burn 600 &
burn=$!
./vdso 600 &
vdso=$!
run machine ./fathom record -F 99 -o /out/machine -d 3
run pid ./fathom record -F 99 -o /out/pid -p $burn -d 2
run comm ./fathom record -F 99 -o /out/comm --comm 'vd?o' -d 2
mkdir /sys/fs/cgroup/inner
echo $vdso >/sys/fs/cgroup/inner/cgroup.procs
run cgroup ./fathom record -F 99 -o /out/cgroup --cgroup /sys/fs/cgroup/inner -d 2
run namespace unshare -m -p -f sh -c \
	'mount -t proc proc /proc && { ./burn 600 & ./fathom record -F 99 -o /out/namespace --with-pid -p $! -d 2; }'
kill -9 $burn $vdso
run tiny ./fathom record -F 999 -o /out/tiny --table-entries 1 -- ./stacks 2
mkdir /scratch/files
for what in calls uring faults; do
	run files-$what ./fathom record -c file -o /out/files-$what -- ./files $what /scratch/files
done
run timed ./fathom record -c io,file,pagefault --timeline=50ms -o /out/timed -- ./files calls /scratch/files
run report ./fathom report /out/command
# shellcheck source=tests/kernels/guest_disks.sh
. ./guest_disks.sh
# shellcheck source=tests/kernels/guest_memory.sh
. ./guest_memory.sh
# shellcheck source=tests/kernels/guest_alloc.sh
. ./guest_alloc.sh
cat /proc/sys/kernel/bpf_stats_enabled >/out/stats
exit 0
