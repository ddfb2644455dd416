# SPDX-License-Identifier: BSD-2-Clause
"""identity: the same dumps of running programs, walked by fathom's tables and by libdw.

tests/walk/compare.c takes the dumps and walks them; what differs is explained line by line.
"""
import os
import subprocess

import measure as m

DUMPS = 600
SKIP_MS = 200
KINDS = ("python3", "perl", "xz", "gzip", "cc1", "node", "openssl")
# Those of tests/workloads/unwind that say something about C and C++ which the programs do not.
WORKLOADS = ("plain", "frames", "signals", "exceptions", "threads", "plain-static")
LIMIT_PERCENT = 99
# The limit is for compiled code: what a JIT compiler makes has no call frame information.
WITHOUT_LIMIT = ("node",)
REASONS = 8


def compare(command, comm=None):
    """What walk_compare says: its numbers by name, and its differences."""
    build = os.path.dirname(m.BENCH)
    only = ["-c", comm] if comm else []
    out = subprocess.run([f"{build}/walk_compare", "-n", str(DUMPS), "-s", str(SKIP_MS), *only,
                          "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         check=False)
    if out.returncode:
        raise RuntimeError(out.stderr.decode(errors="replace")[-500:])
    numbers, differences = {}, []
    for line in out.stdout.decode(errors="replace").splitlines():
        name, _, rest = line.partition(" ")
        if name == "difference":
            differences.append(rest)
        else:
            numbers[name] = float(rest)
    return numbers, differences


def limit(name, percent):
    if name in WITHOUT_LIMIT:
        return ["-", ""]
    return [f"{LIMIT_PERCENT} %", "PASS" if percent >= LIMIT_PERCENT else "below limit"]


def main():
    commands = [(kind, m.endless(kind), None if kind == "python3" else m.COMMS[kind])
                for kind in KINDS if m.is_there(kind)]
    build = os.path.dirname(m.BENCH)
    commands += [(name, [f"{build}/workloads/unwind/{name}", "6"], None) for name in WORKLOADS]
    rows, reasons = [], []
    for name, command, comm in commands:
        m.say(name)
        got, differences = compare(command, comm)
        n = got["samples"]
        if not n:
            continue
        percent = 100 * got["identical"] / n
        rows.append([name, f"{n:.0f}", f"{percent:.1f} %", f"{got['ours_longer']:.0f}",
                     f"{got['libdw_longer']:.0f}", f"{got['differing']:.0f}",
                     f"{100 * got['ours_complete'] / n:.1f} %",
                     f"{100 * got['libdw_complete'] / n:.1f} %", f"{got['ours_frames']:.1f}",
                     *limit(name, percent)])
        reasons += [f"- {name}: {d}" for d in differences if " identical at " not in d][:REASONS]
    m.table(["program", "dumps #", "the same frames #", "fathom's go on #", "libdw's go on #",
             "others #", "whole: fathom #", "whole: libdw #", "mean frames #", "limit #", ""], rows)
    if reasons:
        print("What is not the same: how often, after which frame, and fathom's rule there (0: none).\n")
        print("\n".join(reasons) + "\n")


main()
