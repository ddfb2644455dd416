# SPDX-License-Identifier: BSD-2-Clause
"""perf: fathom and perf over the same work at 999 Hz, in turns with each other and with neither."""
import json
import subprocess
import sys
import time

import measure as m

ROUNDS = 7
RATE = "999"
GAP_SECONDS = "0.8"
MODES = ("none", "fathom", "perf")


def work():
    """A fixed amount of work for two CPUs: a compile, a compression and an interpreter."""
    quoted = m.PYTHON.replace("'", "'\\''")
    python = f"'{sys.executable}' -c '{quoted}' 900"
    return ["sh", "-c", " ".join((
        f"ls {' '.join(m.sources())} | xargs -P2 -n1 sh -c '{m.compile_one()} \"$0\" -o /dev/null';",
        f"xz -6 -T1 -c '{m.FATHOM}' >/dev/null & xz -6 -T1 -c '{m.FATHOM}' >/dev/null; wait;",
        f"{python} & {python}; wait"))]


def profiler(mode, folder):
    if mode == "fathom":
        return [m.FATHOM, "record", "-q", "-a", "-F", RATE, "-o", f"{folder}/run"]
    return ["perf", "record", "-q", "-a", "-g", "-F", RATE, "-e", "cpu-clock",
            "-o", f"{folder}/perf.data"]


def gaps():
    out = subprocess.run([f"{m.BENCH}/gaps", str(m.CPUS[-1]), GAP_SECONDS],
                         stdout=subprocess.PIPE, check=True)
    return json.loads(out.stdout)


def one(mode, folder):
    """One run of the work, with the profiler started before and ended after it."""
    p = m.Costed(profiler(mode, folder), folder) if mode != "none" else None
    time.sleep(1)  # until it records
    result = {"work": m.run(work(), folder), "gaps": gaps()}
    if p:
        p.interrupt()
        result["own"] = p.wait(allowed=(0, 130))  # perf ends by the signal
    if mode == "fathom":
        recording = m.Recording(f"{folder}/run")
        result["kernel_ns"] = recording.cost["kernel_ns"]
        result["samples"] = recording.ledger["kept"]
    return result


def differences(runs, mode, of):
    """What the work took more than without a profiler in the same round, in seconds."""
    return [(of(a) - of(b)) / 1e9 for a, b in zip(runs[mode], runs["none"])]


def main():
    keep, folder = m.scratch()
    runs = {mode: [] for mode in MODES}
    with keep:
        one("none", folder)  # so that everything is in the page cache
        for i in range(ROUNDS):
            for mode in MODES[i % 3:] + MODES[:i % 3]:
                m.say(f"round {i + 1} of {ROUNDS}, {mode}")
                runs[mode].append(one(mode, folder))

    def wall(r):
        return r["work"]["wall_ns"]

    def cpu(r):
        return r["work"]["cpu_ns"]

    def lost(r):
        return r["gaps"]["gap_ns"] / r["gaps"]["seconds"] / 1e3

    own, whole, rows = {}, {}, []
    for mode in MODES:
        rs = runs[mode]
        row = [mode, f"{m.median([wall(r) for r in rs]) / 1e9:.2f}",
               f"{m.median([cpu(r) for r in rs]) / 1e9:.2f}"]
        if mode == "none":
            rows.append(row + ["-", "-", "-", "-", "-"])
            continue
        more = differences(runs, mode, cpu)
        own[mode] = [r["own"]["cpu_ns"] / 1e9 for r in rs]
        whole[mode] = m.median([o + d for o, d in zip(own[mode], more)])
        kernel = [r["kernel_ns"] / 1e9 for r in rs] if mode == "fathom" else []
        rows.append(row + [
            f"{100 * (m.median([wall(a) / wall(b) for a, b in zip(rs, runs['none'])]) - 1):+.1f} %",
            m.spread(more, "{:+.2f}"), m.spread(own[mode], "{:.2f}"),
            f"{m.median(kernel):.2f}" if kernel else "not told", f"{whole[mode]:.2f}"])
    m.table(["profiler", "work: wall, s #", "CPU, s #", "wall, in pairs #", "CPU more, in pairs, s #",
             "profiler's own CPU, s #", "of it in the kernel's programs, s #", "whole cost, s #"],
            rows)

    exact = m.median([(r["own"]["cpu_ns"] + r["kernel_ns"]) / 1e9 for r in runs["fathom"]])
    perf_own = m.median(own["perf"])
    m.table(["compared", "fathom #", "perf #", "ratio #", ""], [
        ["own CPU + the work's additional CPU, s", f"{whole['fathom']:.2f}", f"{whole['perf']:.2f}",
         f"{whole['fathom'] / whole['perf']:.2f}", m.verdict(whole["fathom"], whole["perf"])],
        ["fathom's own CPU + its programs in the kernel; perf's own CPU alone, s",
         f"{exact:.2f}", f"{perf_own:.2f}", f"{exact / perf_own:.2f}",
         m.verdict(exact, perf_own)]])

    base = m.median([lost(r) for r in runs["none"]])
    m.table(["profiler", "interrupted thread loses, us per s #", "of it to the profiler #",
             "us per sample #"],
            [[mode, m.spread([lost(r) for r in runs[mode]], "{:.0f}"),
              f"{m.median([lost(r) for r in runs[mode]]) - base:.0f}" if mode != "none" else "-",
              f"{(m.median([lost(r) for r in runs[mode]]) - base) / float(RATE):.1f}"
              if mode != "none" else "-"] for mode in MODES])


main()
