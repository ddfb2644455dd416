# SPDX-License-Identifier: BSD-2-Clause
"""symbols: what looking up names costs: runs tests/bench_sym.c.

The fastest round counts: other programs' turns only ever add to what a lookup takes.
"""
import glob
import os
import re
import subprocess

import measure as m

ROUNDS = 5
LIMIT_S = 0.5
WHAT = {
    "kallsyms_parse_200k": "parsing 200,000 kernel symbols",
    "ksyms_find": "1 M lookups of kernel addresses, table alone",
    "kallsyms_load_live": "loading this kernel's symbols",
    "symbolizer_kernel": "1 M lookups of kernel addresses",
    "elf_load": "loading the symbols of the C library",
    "symbolizer_user_first": "1 M lookups of user addresses, at random",
    "symbolizer_user_again": "1 M lookups of user addresses, again and again",
}


FILES = 300
MANY = {
    "names": ("100,000 addresses in {} files of this machine: names", 1.0),
    "lines": ("100,000 addresses in {} files with debug information: names, lines, inlined", 5.0),
}


def programs(*patterns):
    """ELF files, each once, in the order of their names."""
    found = []
    for path in sorted({os.path.realpath(p) for g in patterns for p in glob.glob(g)}):
        if os.path.isfile(path) and os.path.getsize(path) > 8192:
            with open(path, "rb") as file:
                if file.read(5) == b"\x7fELF\x02":
                    found.append(path)
    return found


def with_debug_files(paths):
    """Those whose debug files are installed."""
    out = subprocess.run(["readelf", "-n", *paths], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False).stdout.decode()
    found = []
    for part in out.split("\nFile: ")[1:]:
        build_id = re.search(r"Build ID: ([0-9a-f]{4,})", part)
        if build_id and os.path.exists(f"/usr/lib/debug/.build-id/{build_id[1][:2]}/"
                                       f"{build_id[1][2:]}.debug"):
            found.append(part.split("\n", 1)[0])
    return found


def many(how, files):
    """One row: the fastest round, over so many files."""
    found = []
    for _ in range(ROUNDS):
        out = subprocess.run([f"{m.BENCH}/bench_sym", f"--{how}", *files],
                             stdout=subprocess.PIPE, check=True).stdout.decode()
        found.append({line.split()[0]: float(line.split()[1]) for line in out.splitlines()})
    best = min(found, key=lambda values: values[f"many_{how}"])
    seconds = best[f"many_{how}"]
    what, limit = MANY[how]
    note = f" ({best['many_with_lines']:.0f} % have lines)" if how == "lines" else ""
    return [what.format(len(files)) + note, f"{seconds:.3f} s", f"{limit} s",
            m.verdict(seconds, limit)]


def main():
    values = {}
    for i in range(ROUNDS):
        m.say(f"round {i + 1} of {ROUNDS}")
        out = subprocess.run([f"{m.BENCH}/bench_sym"], stdout=subprocess.PIPE, check=True)
        for line in out.stdout.decode().splitlines():
            name, value, unit = line.split()
            if name in WHAT:
                values.setdefault((name, unit), []).append(float(value))
    rows = []
    for (name, unit), found in values.items():
        if unit == "ns":  # of one lookup: a million of them in seconds
            seconds = min(found) / 1e3
            rows.append([WHAT[name], f"{seconds:.3f} s", f"{LIMIT_S} s",
                         m.verdict(seconds, LIMIT_S)])
        else:
            rows.append([WHAT[name], f"{min(found):.1f} {unit}", "", ""])
    libraries = programs("/usr/lib/*-linux-gnu/*.so*", "/usr/lib/*-linux-gnu/gconv/*.so")
    rows.append(many("names", (programs("/usr/bin/*") + libraries)[:FILES]))
    debug = with_debug_files(libraries)[:FILES]
    if len(debug) < 100:  # no package of debug files is installed (libc6-dbg): what was built here
        debug = programs(f"{m.BENCH}/*", f"{m.BENCH}/../obj/unit/*", f"{m.BENCH}/../workloads/*")
    rows.append(many("lines", debug[:FILES]))
    m.table(["names", f"fastest of {ROUNDS} #", "limit #", ""], rows)


main()
