# SPDX-License-Identifier: BSD-2-Clause
"""alloc_pair: what a malloc with its free takes without and with the library of allocations.

Without a recorder: its probes are nops. What a kept block costs with one is the recorder's to say.
"""
import os
import subprocess

import measure as m

ROUNDS = 9
PAIRS = 10_000_000
LIMIT_NS = 5
LIBRARY = os.path.realpath(os.path.join(m.BENCH, "../shim/libfathom-alloc.so"))
LOADS = (("one block of 100 bytes, again and again", "same", 1),
         ("any one of 2,000 blocks of 16 to 1,000 bytes", "pool", 1),
         ("the same in two threads", "pool", 2))
HOWS = (("bare", None), ("512 KiB", "interval=524288"), ("64 KiB", "interval=65536"),
        ("every block", "interval=1"))


def pair_ns(load, settings):
    env = dict(os.environ)
    if settings:
        env.update(LD_PRELOAD=LIBRARY, FATHOM_ALLOC=settings)
    return float(subprocess.run([f"{m.BENCH}/pairs", load[1], str(PAIRS), str(load[2])], env=env,
                                check=True, capture_output=True, text=True).stdout)


def main():
    took = {(load, how): [] for load in LOADS for how in HOWS}
    for i in range(ROUNDS):
        m.say(f"round {i + 1} of {ROUNDS}")
        for load in LOADS:
            for k in range(len(HOWS)):
                how = HOWS[(i + k) % len(HOWS)]
                took[load, how].append(pair_ns(load, how[1]))
    rows = []
    for load in LOADS:
        bare = took[load, HOWS[0]]
        for how in HOWS:
            more = [a - b for a, b in zip(took[load, how], bare)]
            is_default = how[0] == "512 KiB"
            rows.append([load[0], how[0], m.spread(took[load, how], "{:.1f}"),
                         m.spread(more, "{:+.1f}") if how[1] else "-",
                         f"{LIMIT_NS} ns" if is_default else "-",
                         m.verdict(m.median(more), LIMIT_NS) if is_default else ""])
    m.table(["pairs of malloc and free", "mean interval", "ns per pair #", "more than bare #",
             "limit #", ""], rows)


main()
