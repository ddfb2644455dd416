# SPDX-License-Identifier: BSD-2-Clause
"""perf: fathom and perf over the same work at 999 Hz, in turns with each other and with neither.

The limit is for all of 'record', from its start to its exit: the profiler's own CPU time and what
its interruptions take. Interruptions are taken in two ways: by what the work takes more than
without a profiler, and by a thread that watches itself being interrupted. Until they are told to
stop both do the same; then fathom makes names, folded stacks and a picture, and perf leaves raw
samples, of which 'perf script' makes stacks.
"""
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
    one = f"{m.compile_one()} \"$0\" -o /dev/null"
    return ["sh", "-c", " ".join((
        f"ls {' '.join(m.sources())} | xargs -P2 -n1 sh -c '{one}';",
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
    """One run of the work, with the profiler started before and ended after it; in seconds."""
    p = m.Costed(profiler(mode, folder), folder) if mode != "none" else None
    time.sleep(1)  # until it records
    work_cost = m.run(work(), folder)
    result = {"wall": work_cost["wall_ns"] / 1e9, "cpu": work_cost["cpu_ns"] / 1e9, "gaps": gaps()}
    if p:
        p.interrupt()
        cost = p.wait(allowed=(0, 130))  # perf ends by the signal
        result["own"] = (cost["cpu_ns"] - cost["stop_cpu_ns"]) / 1e9
        result["after"] = cost["stop_cpu_ns"] / 1e9
    if mode == "fathom":
        recording = m.Recording(f"{folder}/run")
        result["kernel"] = recording.cost["kernel_ns"] / 1e9
    if mode == "perf":
        script = m.run(["perf", "script", "-i", f"{folder}/perf.data"], folder)
        result["script"] = script["cpu_ns"] / 1e9
    return result


def all_of(runs, key):
    return [r[key] for r in runs]


def costs_table(runs, more):
    rows = []
    for mode in MODES:
        rs = runs[mode]
        row = [mode, f"{m.median(all_of(rs, 'wall')):.2f}", f"{m.median(all_of(rs, 'cpu')):.2f}"]
        if mode == "none":
            rows.append(row + ["-"] * 5)
            continue
        slower = m.median([a["wall"] / b["wall"] for a, b in zip(rs, runs["none"])]) - 1
        kernel = f"{m.median(all_of(rs, 'kernel')):.2f}" if mode == "fathom" else "not told"
        rows.append(row + [f"{100 * slower:+.1f} %", m.spread(more[mode], "{:+.2f}"), kernel,
                           m.spread(all_of(rs, "own"), "{:.2f}"),
                           m.spread(all_of(rs, "after"), "{:.2f}")])
    m.table(["profiler", "work: wall, s #", "CPU, s #", "wall more #", "CPU more, s #",
             "of it in fathom's programs, s #", "profiler's own CPU until the stop, s #",
             "and after it, s #"], rows)


def interruption(runs, mode):
    """What a sample's interruption takes, in seconds. What disturbs it only makes it longer, and
    most of them are samples: the lower quartile."""
    return m.median([r["gaps"]["quartile_ns"] for r in runs[mode]]) / 1e9


def verdict_table(runs, more):
    wall = m.median([r["wall"] for mode in MODES for r in runs[mode]])

    def by_interruptions(mode):
        samples = int(RATE) * wall * len(m.CPUS)
        return m.median(all_of(runs[mode], "own")) + interruption(runs, mode) * samples

    def by_work(mode):
        return m.median([r["own"] + d for r, d in zip(runs[mode], more[mode])])

    def to_the_end(mode):
        return by_interruptions(mode) + m.median(all_of(runs[mode], "after"))

    def with_names(mode):
        return m.median([r["own"] + r["after"] + r.get("script", 0) for r in runs[mode]])

    def row(what, cost, has_limit):
        fathom, perf = cost("fathom"), cost("perf")
        return [what, f"{fathom:.2f}", f"{perf:.2f}", f"{fathom / perf:.2f}" if perf > 0 else "-",
                m.verdict(fathom, perf) if has_limit else ""]

    m.table(["compared, of one run of the work", "fathom, s #", "perf, s #", "ratio #", ""], [
        row("all of `record`, start to exit: own CPU + interruptions", to_the_end, True),
        row("until the stop alone: own CPU + interruptions", by_interruptions, False),
        row("until the stop alone: own CPU + the work's additional CPU", by_work, False),
        row("own CPU from start to stacks with names, `perf script` included", with_names,
            False)])


def gaps_table(runs):
    rows = []
    for mode in MODES:
        found = all_of(runs[mode], "gaps")
        rows.append([mode, f"{m.median([g['gaps'] / g['seconds'] for g in found]):.0f}",
                     m.spread([g["quartile_ns"] / 1e3 for g in found], "{:.1f}"),
                     m.spread([g["gap_ns"] / g["seconds"] / 1e7 for g in found], "{:.2f}")])
    m.table(["profiler", "interruptions per s #", "one of them, lower quartile, us #",
             "all of them, % of the CPU #"], rows)


def main():
    runs = {mode: [] for mode in MODES}
    with m.scratch() as folder:
        one("none", folder)  # so that everything is in the page cache
        for i in range(ROUNDS):
            for mode in MODES[i % 3:] + MODES[:i % 3]:
                m.say(f"round {i + 1} of {ROUNDS}, {mode}")
                runs[mode].append(one(mode, folder))
    more = {mode: [a["cpu"] - b["cpu"] for a, b in zip(runs[mode], runs["none"])]
            for mode in MODES}
    costs_table(runs, more)
    verdict_table(runs, more)
    gaps_table(runs)


main()
