# SPDX-License-Identifier: BSD-2-Clause
"""cfi: unwind tables of every program and library on the machine, against libdw: runs
tests/bench_cfi.c, which says what its reasons mean."""
import os
import subprocess

import measure as m

FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/opt"]
WHAT = {
    "files": "ELF files",
    "files_without_cfi": "of them, without call frame information",
    "files_refused": "of them, for another kind of machine",
    "rows": "rows of libdw's",
    "rows_same": "the same in ours",
    "rows_outermost": "the same: no caller",
    "rows_cfa_unsupported": "the walk cannot use the CFA's expression",
    "rows_ra_unsupported": "the walk cannot use the return address's rule",
    "rows_unknown_to_libdw": "libdw cannot say",
    "rows_not_evaluated": "the comparison cannot evaluate it",
    "rows_overlapping": "functions that overlap, not compared",
    "rows_broken": "malformed",
    "registers_unsupported": "saved registers other than that, which the walk cannot use",
    "rbx_undefined_by_default": "rbx is not mentioned, which libdw takes for lost",
    "gaps": "gaps between functions",
    "gaps_dropped": "of them, padding that counts as the function before it",
    "gaps_special": "of them, entry points and signal trampolines",
    "rules": "different rules",
    "unexplained": "different without a reason",
}


def files():
    """Programs and libraries, each once."""
    found = set()
    for top in FOLDERS:
        for folder, _, names in os.walk(top):
            for name in names:
                path = f"{folder}/{name}"
                if os.path.islink(path) or not os.path.isfile(path) or "\n" in path:
                    continue
                if ".so" in name or os.access(path, os.X_OK):
                    found.add(os.path.realpath(path))
    return sorted(found)


def main():
    paths = files()
    m.say(f"{len(paths)} files")
    # It fails if something is unexplained, which is in the table then.
    out = subprocess.run([f"{m.BENCH}/bench_cfi", "-"], input="\n".join(paths).encode(),
                         stdout=subprocess.PIPE, check=False).stdout.decode(errors="replace")
    counts = {}
    for line in out.splitlines():
        name, _, count = line.rpartition(" ")
        if name in WHAT:
            counts[name] = int(count)
        else:
            m.say(line)
    m.table(["unwind tables and libdw", "#"],
            [[text, f"{counts[name]:,}"] for name, text in WHAT.items()])


main()
