# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What guest.sh, which sources this, does with disks. What blocks says of itself and the kernel's
# counts stand beside the recordings.

# beside NAME WHEN: the counts of the disk
beside() {
	cat /sys/block/vda/stat >"/out/$1.$2"
}

./blocks prepare /scratch/blocks 33554432
sync
beside io before
run io ./fathom record -c io -o /out/io -- sh -c './blocks both /scratch/blocks 2000 >/out/io.truth'
beside io after

# The page cache takes it; a kernel thread writes it when sync says so, and dd is gone.
beside writeback before
run writeback ./fathom record -c io -a --weight bytes -o /out/writeback -- \
	sh -c 'dd if=/dev/zero of=/scratch/buffered bs=64k count=256; sync'
beside writeback after

run file ./fathom record -c file -o /out/file -- \
	dd if=/share/fathom of=/scratch/copy bs=4096 count=100 conv=fsync

# Devices on devices, where the kernel has the module and the host dmsetup.
if [ -x ./dmsetup ] && [ -e /sys/class/misc/device-mapper ]; then
	head -c 16777216 /dev/zero >/dev/shm/lower
	losetup /dev/loop0 /dev/shm/lower
	./dmsetup --noudevsync --noudevrules create data --table "0 16384 linear /dev/loop0 2048" \
		>/out/dm.setup 2>&1
	# Nobody else makes its node here.
	mknod /tmp/mapped b "$(cut -d : -f 1 /sys/block/dm-0/dev)" "$(cut -d : -f 2 /sys/block/dm-0/dev)"
	run dm ./fathom record -c io --weight requests -o /out/dm -- \
		sh -c './blocks read /tmp/mapped 500 >/out/dm.truth'
	./dmsetup --noudevsync --noudevrules remove data
	losetup -d /dev/loop0
fi
