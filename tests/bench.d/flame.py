# SPDX-License-Identifier: BSD-2-Clause
"""flame: flame graphs of large files, beside what other programs take for files of the same size.

Figures of programs that are not installed were measured elsewhere, on a machine of this kind, for
100,000 stacks (85 MB, 1.66 million nodes) and a million (859 MB, 13.5 million nodes) of 31 frames
of 28 bytes; they are marked so. What 'perf script' takes to make the text that such a file is made
from is for comparison. The pictures are opened and searched in headless Chromium, if it and
puppeteer-core are to be had.
"""
import json
import os
import shutil
import subprocess

import measure as m

ROUNDS = 3
SIZES = (100000, 1000000)
FLAMEGRAPH = os.path.join(os.path.dirname(m.FATHOM), "flamegraph")

WALL_LIMIT_SECONDS = {100000: 0.25, 1000000: 2.5}
MEMORY_LIMIT_BYTES = 800e6
OUTPUT_LIMIT_BYTES = 3e6
OPEN_LIMIT_MS, SEARCH_LIMIT_MS = 500, 100
SEARCHED = "parse_"

# Wall in seconds, peak memory in GB, output in MB.
ELSEWHERE = (("flamegraph.pl", 100000, "13", "0.79", "6.9"),
             ("flamegraph.pl", 1000000, "169", "6.45", "5.8"),
             ("inferno-flamegraph", 100000, "0.63 to 0.81", "0.18", "6.2"),
             ("inferno-flamegraph", 1000000, "7.3", "1.6", "5.1"),
             ("async-profiler's converter", 100000, "8 to 11", "0.7", "16.6"),
             ("async-profiler's converter", 1000000, "47", "5.6", "134"))


def to_file(program):
    """A command that writes the picture to its standard output."""
    return lambda stacks, svg: ["sh", "-c", 'exec "$0" "$1" >"$2"', program, stacks, svg]


def ours():
    commands = {"fathom flame": lambda stacks, svg: [m.FATHOM, "flame", "-o", svg, stacks]}
    if os.access(FLAMEGRAPH, os.X_OK):
        commands["flamegraph"] = to_file(FLAMEGRAPH)
    return commands


def installed():
    return {name: to_file(name) for name in ("inferno-flamegraph", "flamegraph.pl")
            if shutil.which(name)}


def write_stacks(n, path):
    with open(path, "wb") as out:
        subprocess.run([f"{m.BENCH}/stacks", str(n)], stdout=out, check=True)
    return os.path.getsize(path)


def measure_pictures(n, folder, commands):
    """By name, a list of what each round took. Rounds of all take turns."""
    stacks, svg = f"{folder}/{n}.folded", f"{folder}/{n}.svg"
    costs = {name: [] for name in commands}
    size = write_stacks(n, stacks)
    for i in range(ROUNDS):
        # Ours are the last, so that the picture that stays is one of them.
        for name, arguments in commands.items():
            m.say(f"{n:,} stacks, round {i + 1} of {ROUNDS}, {name}")
            cost = m.run(arguments(stacks, svg), folder)
            cost["output_bytes"] = os.path.getsize(svg)
            costs[name].append(cost)
    return size, costs


def seconds(costs, key):
    return m.spread([c[key] / 1e9 for c in costs], "{:.2f}")


def most(costs, key):
    return max(c[key] for c in costs)


def keeps_limits(n, costs):
    over = max(m.median([c["wall_ns"] / 1e9 for c in costs]) / WALL_LIMIT_SECONDS[n],
               most(costs, "rss_bytes") / MEMORY_LIMIT_BYTES,
               most(costs, "output_bytes") / OUTPUT_LIMIT_BYTES)
    return m.verdict(over, 1)


def rows_of(n, costs, names_of_ours):
    rows = [[f"`{name}`", f"{n:,}", seconds(cs, "wall_ns"), seconds(cs, "cpu_ns"),
             f"{most(cs, 'rss_bytes') / 1e6:.0f}", f"{most(cs, 'output_bytes') / 1e6:.1f}",
             keeps_limits(n, cs) if name in names_of_ours else ""] for name, cs in costs.items()]
    for name, size, wall, gigabytes, megabytes in ELSEWHERE:
        if size == n and name not in costs:
            rows.append([f"{name} (measured elsewhere)", f"{n:,}", wall, "not told",
                         f"{float(gigabytes) * 1000:.0f}", megabytes, ""])
    return rows


def pictures(folder):
    rows, sizes = [], []
    own = ours()
    for n in SIZES:
        size, costs = measure_pictures(n, folder, {**installed(), **own})
        sizes.append(f"{n:,} stacks are {size / 1e6:.0f} MB")
        rows += rows_of(n, costs, own)
        if n != SIZES[0]:
            os.unlink(f"{folder}/{n}.folded")
    limits = " and ".join(f"{s} s for {n:,} stacks" for n, s in WALL_LIMIT_SECONDS.items())
    print(f"{'; '.join(sizes)}. Limits of fathom's programs: {limits}, "
          f"{MEMORY_LIMIT_BYTES / 1e6:.0f} MB of memory, {OUTPUT_LIMIT_BYTES / 1e6:.0f} MB of "
          "output.\n")
    m.table(["program", "stacks #", "wall, s #", "CPU, s #", "peak memory, MB #", "output, MB #",
             "limits"], rows)


def in_browser(folder):
    """Each picture is opened in a page of its own; a search runs at each letter that is typed."""
    in_modules = ". tests/browser/modules.bash && fetch_modules && "
    if subprocess.run(["bash", "-c", in_modules + "command -v node && [ -n \"$CHROMIUM\" ]"],
                      capture_output=True, check=False).returncode:
        print("No browser, or no puppeteer-core: opening and searching were not measured.\n")
        return
    names = {f"{n}.svg": n for n in SIZES}
    timed = {name: [] for name in names}
    for i in range(ROUNDS):
        m.say(f"round {i + 1} of {ROUNDS}, in a browser")
        lines = subprocess.run(["bash", "-c", in_modules + 'node tests/browser/timing.js "$0" '
                                '"$modules/node_modules" "$@"', folder, SEARCHED, *names],
                               stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in lines.splitlines():
            timed[json.loads(line)["name"]].append(json.loads(line))
    rows = []
    for name, runs in timed.items():
        opened, searches = [r["opened"] for r in runs], [t for r in runs for t in r["times"]]
        over = max(m.median(opened) / OPEN_LIMIT_MS, m.median(searches) / SEARCH_LIMIT_MS)
        rows.append([f"{names[name]:,}", m.spread([r["seen"] for r in runs], "{:.0f}"),
                     m.spread(opened, "{:.0f}"), m.spread(searches, "{:.0f}"),
                     m.verdict(over, 1)])
    print(f"In headless Chromium, limits {OPEN_LIMIT_MS} ms to open and {SEARCH_LIMIT_MS} ms for a "
          f"search, one for each letter of \"{SEARCHED}\":\n")
    m.table(["stacks #", "until it is seen, ms #", "until it can be worked with, ms #",
             "search, ms #", "limits"], rows)


def reports(folder):
    costs = {"fathom report": [], "fathom report --json": []}
    for _ in range(ROUNDS):
        for name, found in costs.items():
            found.append(m.run([m.FATHOM, *name.split()[1:], f"{folder}/{SIZES[0]}.folded"],
                               folder))
    m.table(["report of 100,000 stacks", "wall, s #", "CPU, s #", "peak memory, MB #"],
            [[f"`{name}`", seconds(found, "wall_ns"), seconds(found, "cpu_ns"),
              f"{most(found, 'rss_bytes') / 1e6:.0f}"] for name, found in costs.items()])


def perf_script(folder):
    """Samples of the whole machine at work for some seconds, and their text."""
    data = f"{folder}/perf.data"
    with m.Load(*(m.endless("deep C") for _ in m.CPUS)):
        m.run(["perf", "record", "-q", "-a", "-g", "-F", "999", "-e", "cpu-clock", "-o", data,
               "sleep", "10"], folder)
    costs, text = [], f"{folder}/text"
    for i in range(ROUNDS):
        m.say(f"round {i + 1} of {ROUNDS}, perf script")
        costs.append(m.run(["sh", "-c", 'perf script -i "$0" >"$1"', data, text], folder))
    with open(text, encoding="utf-8", errors="replace") as f:
        samples = sum(1 for line in f if line == "\n")
    m.table(["for comparison", "samples #", "perf.data, MB #", "text, MB #", "wall, s #", "CPU, s #",
             "peak memory, MB #"],
            [["`perf script`", f"{samples:,}", f"{os.path.getsize(data) / 1e6:.1f}",
              f"{os.path.getsize(text) / 1e6:.1f}", seconds(costs, "wall_ns"),
              seconds(costs, "cpu_ns"), f"{most(costs, 'rss_bytes') / 1e6:.0f}"]])


def main():
    with m.scratch() as folder:
        pictures(folder)
        in_browser(folder)
        reports(folder)
        perf_script(folder)


main()
