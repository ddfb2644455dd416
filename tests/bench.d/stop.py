# SPDX-License-Identifier: BSD-2-Clause
"""stop: from Ctrl-C to the finished run folder, and the loader's memory, seen from outside.

A compile keeps both CPUs busy before, during and after the recording. SIGINT comes after ten
seconds; what counts is the time from there until the program has ended.
"""
import os
import time

import measure as m

ROUNDS = 3
SECONDS = 10
LIMIT_S = 1
LIMIT_MIB = 100


def main():
    stops, peaks, kept = [], [], []
    compile_all = m.forever(f"ls {' '.join(m.sources())} | xargs -P{len(m.CPUS)} -n1 "
                            f"sh -c '{m.compile_one()} \"$0\" -o /dev/null'")
    with m.scratch() as folder, m.Load(compile_all):
        for i in range(ROUNDS):
            m.say(f"round {i + 1} of {ROUNDS}")
            out = f"{folder}/run"
            p = m.Costed([m.FATHOM, "record", "-q", "-a", "-o", out], folder)
            time.sleep(SECONDS)
            p.interrupt()
            cost = p.wait()
            if not os.path.isfile(f"{out}/manifest.json"):
                raise RuntimeError("the run folder is not whole")
            stops.append(cost["stop_ns"] / 1e9)
            peaks.append(cost["rss_bytes"] / 2**20)
            kept.append(m.Recording(out).ledger["kept"])
    m.table(["10 s of a compile on both CPUs, 99 Hz", "median (range) #", "limit #", ""], [
        ["stop to finished run folder", m.spread(stops, "{:.2f}") + " s", f"{LIMIT_S} s",
         m.verdict(m.median(stops), LIMIT_S)],
        ["peak memory of the program", m.spread(peaks, "{:.0f}") + " MiB", f"{LIMIT_MIB} MiB",
         m.verdict(max(peaks), LIMIT_MIB)],
        ["samples", m.spread(kept, "{:.0f}"), "", ""]])


main()
