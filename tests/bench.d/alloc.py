# SPDX-License-Identifier: BSD-2-Clause
"""alloc: what recording allocations costs those who allocate: a pair of malloc and free in a loop
that does nothing else, by every way there is and by other tools; and programs that have other things
to do, redis-server under redis-benchmark and the C compiler. All in turns."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import measure as m

ROUNDS = 5
PAIRS = 20_000_000
PAIRS_SLOW = 1_000_000  # where each costs a microsecond or more
LIMIT_SHIM_NS = 5
LIMIT_UPROBE_NS = 1200
LIMIT_CHANGE = 1.0  # percent
PAIR = f"{m.BENCH}/pairs"
LIBC_FUNCTIONS = "uprobe:libc:malloc { @a[ustack] = count(); } uprobe:libc:free { @f = count(); }"


def fathom(folder, *arguments):
    return [m.FATHOM, "record", "-q", "-c", "alloc", "-o", f"{folder}/run", *arguments]


def ns_of(text):
    """The figure that 'pairs' printed, whatever others print around it."""
    return next(float(line) for line in text.splitlines() if line.strip()[:1].isdigit())


def output_of(argv):
    return subprocess.run(argv, check=True, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def bare(_folder, pairs):
    return ns_of(output_of([PAIR, "same", str(pairs), "1"]))


def shim(interval):
    def one(folder, pairs):
        text = output_of(fathom(folder, "--alloc-interval", interval, "--",
                                PAIR, "same", str(pairs), "1"))
        shutil.rmtree(f"{folder}/run")
        return ns_of(text)
    return one


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def settle(pid):
    """Until a tool opens no more events and links."""
    last = 0
    for _ in range(15):
        time.sleep(2)
        now = descriptors(pid)
        if now == last > 20:
            return
        last = now


def attached(command_of, *arguments):
    """A program that waits until the probes are there."""
    def one(folder, pairs):
        with subprocess.Popen([PAIR, "same", str(pairs), "1", "wait"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as work:
            with subprocess.Popen(command_of(folder, work.pid, *arguments),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as tool:
                settle(tool.pid)
                ns = ns_of(work.communicate("go\n")[0])
                tool.send_signal(signal.SIGINT)
                tool.wait()
        shutil.rmtree(f"{folder}/run", ignore_errors=True)
        return ns
    return one


def uprobes(folder, pid, *arguments):
    return fathom(folder, "-p", str(pid), "--max-slowdown", "none", *arguments)


def bpftrace(_folder, _pid):
    return ["unshare", "-m", "sh", "-c", "mount -t tracefs t /sys/kernel/tracing 2>/dev/null; "
            f"exec bpftrace -e '{LIBC_FUNCTIONS}'"]


def heaptrack(folder, pairs):
    text = output_of(["heaptrack", "-o", f"{folder}/heap", PAIR, "same", str(pairs), "1"])
    return ns_of(text)


HOWS = [("bare", bare, PAIRS, None),
        ("library, 512 KiB (default)", shim("512K"), PAIRS, LIMIT_SHIM_NS),
        ("library, 64 KiB", shim("64K"), PAIRS, None),
        ("library, every block", shim("1"), PAIRS_SLOW, None),
        ("uprobes, allocated only, 512 KiB", attached(uprobes, "--allocated-only"), PAIRS_SLOW,
         LIMIT_UPROBE_NS),
        ("uprobes, in use, 512 KiB", attached(uprobes), PAIRS_SLOW, None),
        ("uprobes, allocated only, every block",
         attached(uprobes, "--allocated-only", "--alloc-interval", "1"), PAIRS_SLOW, None),
        ("uprobes, in use, every block", attached(uprobes, "--alloc-interval", "1"), PAIRS_SLOW,
         None)]


def pair_table(folder):
    hows = list(HOWS)
    if shutil.which("heaptrack"):
        hows.append(("heaptrack", heaptrack, PAIRS_SLOW, None))
    if shutil.which("bpftrace"):
        hows.append(("bpftrace, first instruction of malloc (stack) and free",
                     attached(bpftrace), 200_000, None))
    took = {how[0]: [] for how in hows}
    for i in range(ROUNDS):
        m.say(f"pairs, round {i + 1} of {ROUNDS}")
        for name, run, pairs, _ in hows:
            took[name].append(run(folder, pairs))
    rows = []
    for name, _, _, limit in hows:
        more = [a - b for a, b in zip(took[name], took["bare"])]
        rows.append([name, m.spread(took[name], "{:.1f}"),
                     "-" if name == "bare" else m.spread(more, "{:+.1f}"),
                     f"{limit} ns" if limit else "-",
                     m.verdict(m.median(more), limit) if limit else ""])
    m.table(["a pair of malloc and free", "ns of CPU time: median (range) #", "more than bare #",
             "limit #", ""], rows)


# --- programs ----------------------------------------------------------------------------------------

# Runs a command for each line that it is given, and says what that took: user and system seconds.
WORKER = """
import os, subprocess, sys
for line in sys.stdin:
    process = subprocess.Popen(line.split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    usage = os.wait4(process.pid, 0)[2]
    print(usage.ru_utime + usage.ru_stime, flush=True)
"""


class Worker:
    def __init__(self, before):
        self.process = subprocess.Popen([*before, sys.executable, "-c", WORKER], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compiler(folder):
    command = f"{m.compiler()} -O2 -S -o /dev/null {m.large_source()}"
    plain, recorded = Worker([]), Worker(fathom(folder, "--"))
    pairs = []
    for i in range(ROUNDS + 1):
        m.say(f"compiler, round {i} of {ROUNDS}")
        turns = (plain, recorded) if i % 2 else (recorded, plain)
        took = {worker: worker.run(command) for worker in turns}
        pairs.append((took[plain], took[recorded]))
    plain.end()
    recorded.end()
    shutil.rmtree(f"{folder}/run")
    return pairs[1:]  # the first one fills the page cache


class Redis:
    def __init__(self, before, port):
        self.port = port
        self.process = subprocess.Popen(
            [*before, "redis-server", "--port", str(port), "--save", "", "--appendonly", "no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def seconds(self):
        """CPU time of the server for as many requests as there always are."""
        before = self.used()
        output_of(["redis-benchmark", "-p", str(self.port), "-t", "set,lpush,lpop", "-n", "150000",
                   "-d", "200", "-r", "100000", "-q"])
        return self.used() - before

    def used(self):
        text = output_of(["redis-cli", "-p", str(self.port), "info", "cpu"])
        figures = dict(line.strip().split(":") for line in text.splitlines() if ":" in line)
        return float(figures["used_cpu_user"]) + float(figures["used_cpu_sys"])

    def end(self):
        subprocess.run(["redis-cli", "-p", str(self.port), "shutdown", "nosave"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process.wait()


def redis(folder):
    plain, recorded = Redis([], 7391), Redis(fathom(folder, "--"), 7392)
    time.sleep(3)
    pairs = []
    for i in range(ROUNDS + 1):
        m.say(f"redis, round {i} of {ROUNDS}")
        turns = (plain, recorded) if i % 2 else (recorded, plain)
        took = {server: server.seconds() for server in turns}
        pairs.append((took[plain], took[recorded]))
    plain.end()
    recorded.end()
    shutil.rmtree(f"{folder}/run")
    return pairs[1:]


def program_row(name, pairs):
    changes = [100 * (b / a - 1) for a, b in pairs]
    return [name, m.spread([a for a, _ in pairs], "{:.2f}"), m.spread(changes, "{:+.1f} %"),
            f"{LIMIT_CHANGE} %", m.verdict(m.median(changes), LIMIT_CHANGE)]


def churn_table(folder):
    """A day's worth of pairs: nothing of what was sampled is left or lost."""
    m.say("a thousand million pairs")
    subprocess.run(fathom(folder, "--", f"{m.BENCH}/../workloads/allocs", "churn", "15625000", "64"),
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with open(f"{folder}/run/summary.json", encoding="utf-8") as f:
        c = json.load(f)["collectors"][0]
    shutil.rmtree(f"{folder}/run")
    totals, ledger = c["memory"]["totals"], c["ledger"]
    m.table(["pairs in 64 threads #", "estimated #", "sampled #", "lost #", "seen to be freed #",
             "in use at the end #"],
            [[10 ** 9, totals["alloc"]["objects"], ledger["kept"],
              ledger["fired"] - ledger["filtered"] - ledger["kept"], c["notes"]["frees"],
              totals["inuse"]["objects"]]])


def main():
    with m.scratch() as folder:
        os.chmod(folder, 0o755)
        pair_table(folder)
        churn_table(folder)
        rows = [program_row("the C compiler, one large file", compiler(folder))]
        if shutil.which("redis-server"):
            rows.append(program_row("redis-server, 450,000 requests", redis(folder)))
        m.table(["recorded by the library at 512 KiB", "CPU seconds without #",
                 "with, in turns #", "limit #", ""], rows)


main()
