# SPDX-License-Identifier: BSD-2-Clause
"""What a process and its children did with files, as bpftrace and strace have it.

    file_truth.py program TRACEFS PID        a bpftrace program about PID and who descends from it
    file_truth.py strace-calls TRACEFS       what strace is to trace: the same system calls
    file_truth.py sum BPFTRACE STRACE        JSON: {"bpftrace": {FAMILY: {"n": N, "ns": N}, ...},
                                             "strace": {FAMILY: {"n": N, "ns": N}, ...},
                                             "calls": {"bpftrace": {CALL: N}, "strace": {CALL: N}},
                                             "strace_share": X}

Families are read, write, sync and open; of the first three, calls on files and folders, and of open
those that opened one. BPFTRACE is what the program printed by 'bpftrace -f json', STRACE
what 'strace -f -yy -T -o' wrote.

Times are those between the tracepoints sys_enter and sys_exit. strace's -T is no truth for times: its
clock runs from one stop of the process to the next (strace.c), and each stop holds a switch to
strace and back, some 20 to 40 us for each call, ten times what a short one takes. strace_share is
how much longer than between the tracepoints all was by it.
"""
import json
import os
import re
import sys
from collections import defaultdict

FAMILIES = {
    "read": ("read", "pread64", "readv", "preadv", "preadv2"),
    "write": ("write", "pwrite64", "writev", "pwritev", "pwritev2"),
    "sync": ("fsync", "fdatasync"),
    "open": ("open", "openat", "openat2", "creat"),
}
FAMILY_OF = {call: family for family, calls in FAMILIES.items() for call in calls}
S_IFMT, S_IFREG, S_IFDIR = 0o170000, 0o100000, 0o040000

PROGRAM = """
BEGIN { @in[%(pid)s] = 1; }
tracepoint:sched:sched_process_fork /@in[args->parent_pid]/ { @in[args->child_pid] = 1; }
"""

# The file of a descriptor, as the kernel finds it.
MODE = """
	$table = ((struct task_struct *)curtask)->files->fdt;
	$file = *(uint64 *)((uint64)$table->fd + 8 * (uint64)%(fd)s);
	$mode = ((struct file *)$file)->f_inode->i_mode;
"""

ON_FD = """
tracepoint:syscalls:sys_enter_%(call)s /@in[tid]/ {
	if ((uint64)args->fd < (uint64)((struct task_struct *)curtask)->files->fdt->max_fds) {
""" + MODE % {"fd": "args->fd"} + """
		if (($mode & %(fmt)d) == %(reg)d || ($mode & %(fmt)d) == %(dir)d) { @since[tid] = nsecs; }
	}
}
tracepoint:syscalls:sys_exit_%(call)s /@since[tid]/ {
	@n["%(call)s"] = count();
	@ns["%(call)s"] = sum(nsecs - @since[tid]);
	delete(@since[tid]);
}
"""

ON_OPEN = """
tracepoint:syscalls:sys_enter_%(call)s /@in[tid]/ { @since[tid] = nsecs; }
tracepoint:syscalls:sys_exit_%(call)s /@since[tid]/ {
	$now = nsecs;
	if (args->ret >= 0) {
""" + MODE % {"fd": "args->ret"} + """
		if (($mode & %(fmt)d) == %(reg)d || ($mode & %(fmt)d) == %(dir)d) {
			@n["%(call)s"] = count();
			@ns["%(call)s"] = sum($now - @since[tid]);
		}
	}
	delete(@since[tid]);
}
"""

END = "END { clear(@in); clear(@since); }"


def calls_here(tracefs):
    """Not every architecture has each of them."""
    there = os.listdir(os.path.join(tracefs, "events/syscalls"))
    return [call for call in FAMILY_OF if f"sys_enter_{call}" in there]


def program(tracefs, pid):
    text = PROGRAM % {"pid": int(pid)}
    for call in calls_here(tracefs):
        form = ON_OPEN if FAMILY_OF[call] == "open" else ON_FD
        text += form % {"call": call, "fmt": S_IFMT, "reg": S_IFREG, "dir": S_IFDIR}
    return text + END


def read_bpftrace(path):
    n, ns = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and (entry := json.loads(line))["type"] == "map":
                n.update(entry["data"].get("@n", {}))
                ns.update(entry["data"].get("@ns", {}))
    return n, ns


CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
TIMED = re.compile(r" = (\S.*?) <([\d.]+)>$")
ON_FILE = re.compile(r"^\d+<(/[^<>]*)(<?)")  # of a device: 1</dev/null<char 1:3>>


def read_strace(path):
    n, ns, began = defaultdict(int), defaultdict(int), {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if found := CALL.match(line):
                pid, call, rest = found.groups()
                if rest.endswith("<unfinished ...>\n") or rest.endswith("<unfinished ...>"):
                    began[pid] = rest
                    continue
                arguments = rest
            elif found := RESUMED.match(line):
                pid, call, rest = found.groups()
                arguments = began.pop(pid, "")
            else:
                continue
            if call not in FAMILY_OF or not (end := TIMED.search(rest.rstrip("\n"))):
                continue
            text = end[1] if FAMILY_OF[call] == "open" else arguments
            # A folder may be gone when the work is done.
            if FAMILY_OF[call] == "open" and "O_DIRECTORY" in arguments:
                continue
            named = ON_FILE.match(text)
            if named and not named[2]:
                n[call] += 1
                ns[call] += round(float(end[2]) * 1e9)
    return n, ns


def by_family(n, ns):
    result = {family: {"n": 0, "ns": 0} for family in FAMILIES}
    for call, count in n.items():
        result[FAMILY_OF[call]]["n"] += count
        result[FAMILY_OF[call]]["ns"] += ns.get(call, 0)
    return result


def summary(bpftrace, strace):
    n, ns = read_bpftrace(bpftrace)
    strace_n, strace_ns = read_strace(strace)
    return {"bpftrace": by_family(n, ns), "strace": by_family(strace_n, strace_ns),
            "calls": {"bpftrace": n, "strace": strace_n},
            "strace_share": sum(strace_ns.values()) / max(sum(ns.values()), 1)}


def main(what, *arguments):
    if what == "program":
        print(program(*arguments))
    elif what == "strace-calls":
        print(",".join(calls_here(*arguments)))
    else:
        print(json.dumps(summary(*arguments), indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
