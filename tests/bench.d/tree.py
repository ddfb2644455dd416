# SPDX-License-Identifier: BSD-2-Clause
"""tree: the whole machine at the default rate while a C project is made: many short processes.

The project is a copy of this one; each round makes it anew. The cost is the time of fathom's
programs in the kernel and the CPU time of its own process, start and end included, as a share of all CPUs.
"""
import os
import shutil
import subprocess

import measure as m

ROUNDS = 3
JOBS = 2
LIMIT_PERCENT = 0.3
LIMIT_WHOLE = 98


def copy_to(folder):
    project = f"{folder}/project"
    files = ["Makefile", "bpf", "user", "flamegraph", "vmlinux"]
    os.mkdir(project)
    for name in files:
        (shutil.copytree if os.path.isdir(name) else shutil.copy)(name, f"{project}/{name}")
    return project


def make(project):
    """The command: everything, from nothing."""
    return ["sh", "-c", f"make -s -C '{project}' O=made clean && "
            f"exec make -s -j{JOBS} -C '{project}' O=made all"]


def main():
    rs = []
    with m.scratch() as folder:
        project = copy_to(folder)
        subprocess.run(make(project), check=True, stdout=subprocess.DEVNULL)
        for i in range(ROUNDS):
            m.say(f"round {i + 1} of {ROUNDS}")
            rs.append(m.record(folder, "--", *make(project)))
    kernel, loader = [], []
    for r in rs:
        machine_ns = r.summary["span_ns"] * len(m.CPUS)
        kernel.append(100 * (r.cost["kernel_ns"] + r.cost["following_ns"]) / machine_ns)
        loader.append(100 * r.cost["loader_cpu_ns"] / machine_ns)
    both = [k + l for k, l in zip(kernel, loader)]
    whole = [100 * r.user_whole / r.user_samples for r in rs]
    m.table([f"make -j{JOBS} of a C project, 99 Hz", "median (range) #", "limit #", ""], [
        ["programs in the kernel, % of the machine", m.spread(kernel, "{:.3f}"), "", ""],
        ["fathom itself, % of the machine", m.spread(loader, "{:.3f}"), "", ""],
        ["both", m.spread(both, "{:.3f}"), f"{LIMIT_PERCENT} %",
         m.verdict(m.median(both), LIMIT_PERCENT)],
        ["whole user stacks, %", m.spread(whole, "{:.2f}"), f"{LIMIT_WHOLE} %",
         "PASS" if m.median(whole) >= LIMIT_WHOLE else "below limit"],
        ["user stacks", m.spread([r.user_samples for r in rs], "{:.0f}"), "", ""],
        ["seconds", m.spread([r.summary["span_ns"] / 1e9 for r in rs], "{:.0f}"), "", ""]])


main()
