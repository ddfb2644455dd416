# SPDX-License-Identifier: BSD-2-Clause
"""io: what recording block requests costs: each request, and the throughput of a fast device.

The device is a loop device over a file in memory, the fastest that every machine has. bpftrace's own
biosnoop.bt (a line for each request) and biolatency.bt (one histogram) are what is there otherwise;
on a kernel without kprobes they are put on the tracepoints that stand at the same places from 6.5
on (block_io_start and block_io_done, block/blk-mq.c).
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import measure as m

ROUNDS = 7
SECONDS = 2
DISK_BYTES = 256 << 20
MODES = ("none", "fathom", "biolatency.bt", "biosnoop.bt")
# What becomes of the scripts without kprobes. Requests are then told apart by device and sector: good
# enough for what it costs.
TRACEPOINTS = {
    "kprobe:blk_account_io_start,\nkprobe:__blk_account_io_start": "tracepoint:block:block_io_start",
    "kprobe:blk_account_io_done,\nkprobe:__blk_account_io_done": "tracepoint:block:block_io_done",
    "((struct request *)arg0)->q->disk->disk_name": "args->dev",
    "%-12u %-7s %-16s": "%-12u %-7d %-16s",
    "[arg0]": "[args->dev, args->sector]",
}


@contextlib.contextmanager
def memory_disk():
    """A loop device over a file in memory; its name below /dev."""
    path = f"/dev/shm/fathom-bench-{os.getpid()}"
    loop = None
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, DISK_BYTES)
        loop = subprocess.run(["losetup", "-f", "--show", path], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
        yield loop
    finally:
        if loop:
            subprocess.run(["losetup", "-d", loop], check=False)
        os.unlink(path)


def fio(disk, folder, depth, jobs=1):
    """Random reads of 4 KiB; IOPS, and all requests in all."""
    out = f"{folder}/fio.json"
    subprocess.run(["fio", "--name=job", f"--filename={disk}", "--rw=randread", "--bs=4k",
                    "--direct=1", "--ioengine=libaio", f"--iodepth={depth}",
                    f"--numjobs={jobs}", "--group_reporting", "--norandommap", "--time_based",
                    f"--runtime={SECONDS}", "--output-format=json", f"--output={out}"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(out, encoding="utf-8") as f:
        read = json.load(f)["jobs"][0]["read"]
    return read["iops"], read["total_ios"]


def has_kprobes():
    return any("blk_account_io_start" in line.split()[2:3] for line in open("/proc/kallsyms")) \
        and os.path.exists("/sys/bus/event_source/devices/kprobe")


def script(name, folder):
    """Path of bpftrace's script, as it can be used on this kernel; None if there is none."""
    installed = shutil.which(name) or f"/usr/sbin/{name}"
    if not os.path.exists(installed) or has_kprobes():
        return installed if os.path.exists(installed) else None
    with open(installed, encoding="utf-8") as f:
        text = f.read()
    for old, new in TRACEPOINTS.items():
        text = text.replace(old, new)
    if "kprobe:" in text:
        return None
    path = f"{folder}/{name}"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Bpftrace:
    """A bpftrace script in the background; what it prints goes to a file, as people have it."""

    def __init__(self, path, folder):
        self.out = open(f"{folder}/bpftrace.out", "wb")
        # It looks for tracefs at the usual place only.
        self.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", "[ -e /sys/kernel/tracing/events ] || "
             "mount -t tracefs tracefs /sys/kernel/tracing; exec bpftrace \"$0\"", path],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT)

    def stop(self):
        if self.process.poll() is not None:
            raise RuntimeError("bpftrace: " + open(self.out.name, encoding="utf-8").read()[-500:])
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.out.close()


class Fathom:
    def __init__(self, folder):
        self.folder = folder
        self.costed = m.Costed([m.FATHOM, "record", "-q", "-a", "-c", "io", "-o",
                                f"{folder}/run"], folder)

    def stop(self):
        self.costed.interrupt()
        cost = self.costed.wait()
        with open(f"{self.folder}/run/summary.json", encoding="utf-8") as f:
            collectors = json.load(f)["collectors"]
        shutil.rmtree(f"{self.folder}/run")
        return cost, next(c for c in collectors if c["name"] == "io")


def with_fathom(disk, folder, depth, jobs=1):
    fathom = Fathom(folder)
    time.sleep(1.5)  # until it records
    iops, requests = fio(disk, folder, depth, jobs)
    cost, collector = fathom.stop()
    return iops, requests, cost, collector


def per_request(disk, folder):
    rows = []
    for depth in (1, 32):
        ns, runs = [], []
        for i in range(ROUNDS):
            m.say(f"cost of a request at depth {depth}, round {i + 1} of {ROUNDS}")
            _, _, _, collector = with_fathom(disk, folder, depth)
            ns.append(collector["cost"]["kernel_ns"] / collector["ledger"]["kept"])
            runs.append(collector["cost"]["kernel_runs"] / collector["ledger"]["kept"])
        rows.append([depth, m.spread(ns, "{:.0f}"), f"{m.median(runs):.1f}"])
    m.table(["requests at once", "ns in the kernel for each: median (range) #",
             "programs run for each #"], rows)


def throughput(disk, folder):
    scripts = {name: script(name, folder) for name in MODES if name.endswith(".bt")}
    modes = [mode for mode in MODES if mode not in scripts or scripts[mode]]
    iops = {mode: [] for mode in modes}
    for i in range(ROUNDS):
        for mode in modes[i % len(modes):] + modes[:i % len(modes)]:
            m.say(f"throughput, round {i + 1} of {ROUNDS}, {mode}")
            if mode == "fathom":
                iops[mode].append(with_fathom(disk, folder, 32)[0])
                continue
            tool = Bpftrace(scripts[mode], folder) if mode in scripts else None
            if tool:
                time.sleep(1.5)
            iops[mode].append(fio(disk, folder, 32)[0])
            if tool:
                tool.stop()
    rows = []
    for mode in modes:
        loss = [100 * (1 - with_it / bare) for with_it, bare in zip(iops[mode], iops["none"])]
        rows.append([mode, m.spread([n / 1e3 for n in iops[mode]], "{:.1f}"),
                     "-" if mode == "none" else m.spread(loss, "{:+.1f} %")])
    rows += [[name, "cannot be used on this kernel", "-"] for name in scripts if not scripts[name]]
    m.table(["recorder", "thousand requests per s, 32 at once: median (range) #",
             "less than without #"], rows)


def ledger(disk, folder):
    """As many requests as the machine can make, and what became of each of them."""
    m.say("as fast as it can be")
    iops, requests, cost, collector = with_fathom(disk, folder, 64, jobs=2)
    kept = collector["ledger"]
    lost = sum(n for cause, n in kept["lost"].items() if not cause.startswith("filtered"))
    m.table(["thousand requests per s #", "requests of fio #", "events of the collector #",
             "kept #", "lost #", "fathom's memory, MiB #"],
            [[f"{iops / 1e3:.0f}", requests, kept["fired"], kept["kept"], lost,
              f"{cost['rss_bytes'] / (1 << 20):.0f}"]])


def main():
    if not shutil.which("fio"):
        sys.exit("io: fio is not installed")
    # So that the loop device is given back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with m.scratch() as folder, memory_disk() as disk:
        per_request(disk, folder)
        throughput(disk, folder)
        ledger(disk, folder)


main()
