# SPDX-License-Identifier: BSD-2-Clause
"""symbols: what looking up names costs: runs tests/bench_sym.c.

The fastest round counts: other programs' turns only ever add to what a lookup takes.
"""
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
    m.table(["names", f"fastest of {ROUNDS} #", "limit #", ""], rows)


main()
