# SPDX-License-Identifier: BSD-2-Clause
"""start: from the start of the program to its first sample, told by the samples themselves.

On each CPU a marker (marker.c) keeps running and changes its comm each millisecond to the time. The
smallest of those comms in the profile is when the first sample was taken; the time at which
fathom was forked and executed is taken outside. Markers of the lowest priority leave the CPUs to
fathom; with markers of an ordinary one it has to share them.
"""
import re
import shutil

import measure as m

ROUNDS = 9
LIMIT_MS = 300
HOWS = (("markers of the lowest priority", ["idle"], []), ("markers of ordinary priority", [], []),
        ("the same, with -- COMMAND", [], ["--", "sleep", "0.5"]))


def first_sample_ns(path):
    """When the first sample of the profile was taken, on CLOCK_MONOTONIC."""
    with open(path, encoding="utf-8") as f:
        times = [int(found.group(1)) for found in map(re.compile(r"@(\d+);").match, f) if found]
    if not times:
        raise RuntimeError("no marker was sampled")
    return (min(times) + 1) * 1000000  # its comm is up to a millisecond old


def main():
    seen = {how[0]: [] for how in HOWS}
    told = {how[0]: [] for how in HOWS}
    with m.scratch() as folder:
        for i in range(ROUNDS):
            for name, marker, command in HOWS:
                m.say(f"round {i + 1} of {ROUNDS}, {name}")
                markers = [[f"{m.BENCH}/marker", str(cpu), *marker] for cpu in m.CPUS]
                ends = command or ["-d", "0.5"]
                out = f"{folder}/run"
                with m.Load(*markers):
                    cost = m.run([m.FATHOM, "record", "-q", "-a", "-o", out, *ends], folder)
                at = first_sample_ns(f"{out}/cpu.folded")
                seen[name].append((at - cost["began_ns"]) / 1e6)
                told[name].append(m.Recording(out).cost["start_ns"] / 1e6)
                shutil.rmtree(out, ignore_errors=True)
    m.table(["start to first sample", "seen by the samples, ms #", "told by the summary, ms #",
             "limit #", ""],
            [[name, m.spread(seen[name], "{:.0f}"), m.spread(told[name], "{:.0f}"),
              f"{LIMIT_MS} ms", m.verdict(m.median(seen[name]), LIMIT_MS)]
             for name, _, _ in HOWS])


main()
