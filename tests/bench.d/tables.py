# SPDX-License-Identifier: BSD-2-Clause
"""tables: what making unwind tables costs: runs tests/bench_tables.c.

The fastest round counts: other programs' turns only ever add to what it takes.
"""
import glob
import os
import shutil
import subprocess
import sys

import measure as m

ROUNDS = 30
SMALL_LIMIT_MS = 15  # the C library and Python together
LARGE_LIMIT_MS = 60  # each of the compilers and engines


def mapped(part):
    """The file with that in its name that this Python has mapped, or None."""
    with open("/proc/self/maps", encoding="utf-8") as f:
        for line in f:
            path = line.split(maxsplit=5)[-1].strip()
            if part in os.path.basename(path):
                return path
    return None


def output(*command):
    try:
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return ""
    return out.stdout.decode().strip()


def first(pattern):
    found = sorted(glob.glob(pattern))
    return found[0] if found else None


def measure(path):
    out = output(f"{m.BENCH}/bench_tables", "-n", str(ROUNDS), path).splitlines()[-1]
    words = out[len(path):].split()  # "1.2 ms 3 functions 4 rows 5 bytes ..."
    return {words[i + 1]: float(words[i]) for i in range(0, len(words), 2)}


def main():
    small = [mapped("libc.so"), mapped("libpython") or os.path.realpath(sys.executable)]
    libraries = os.path.dirname(small[0] or "/usr/lib/x")
    large = [shutil.which("node"), output(m.compiler(), "-print-prog-name=cc1"),
             first(f"{libraries}/libcrypto.so.*"), first(f"{libraries}/libLLVM-*.so.*")]
    rows, together = [], 0
    for path in small + large:
        if not path or not os.path.exists(path):
            continue
        path = os.path.realpath(path)
        m.say(path)
        x = measure(path)
        limit = ""
        if path in [os.path.realpath(p) for p in small if p]:
            together += x["ms"]
        elif os.path.basename(path) in ("node", "cc1"):
            limit = m.verdict(x["ms"], LARGE_LIMIT_MS)
        rows.append([os.path.basename(path), f"{x['ms']:.1f}", f"{x['functions']:,.0f}",
                     f"{x['rows']:,.0f}", f"{x['rows'] / x['ms'] / 1e3:.1f}",
                     f"{x['bytes'] / 1024:,.0f}",
                     f"{LARGE_LIMIT_MS} ms" if limit else "", limit])
    rows.append(["the first two together", f"{together:.1f}", "", "", "", "",
                 f"{SMALL_LIMIT_MS} ms", m.verdict(together, SMALL_LIMIT_MS)])
    m.table(["file", "ms #", "functions #", "rows #", "million rows/s #", "KiB #", "limit #", ""],
            rows)


main()
