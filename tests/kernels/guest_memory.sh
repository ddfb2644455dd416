# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Memory in a guest: a part of guest.sh. What is recorded is judged by judge_memory.bash.
run kmem-holds ./fathom record -c kmem --alloc-interval 1 -d 8 -o /out/kmem-holds -- ./kobjects 300 hold
run kmem-machine ./fathom record -c kmem -a -o /out/kmem-machine -- ./kobjects 300 exit
for what in anon huge release; do
	run pagefault-$what ./fathom record -q -c pagefault --alloc-interval 1 -o /out/pagefault-$what -- \
		./toucher $what 4096
done
run pagefault-machine ./fathom record -q -c pagefault --alloc-interval 64K -a -o /out/pagefault-machine -- \
	./toucher anon 16384
