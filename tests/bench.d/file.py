# SPDX-License-Identifier: BSD-2-Clause
"""file: what recording an operation on a file costs in the kernel, with its whole user stack.

The files are in the page cache, where an operation is as short as it can be. What is filtered costs
little and is not counted among the operations, though its time is in the sum.
"""
import json
import os
import shutil

import measure as m

ROUNDS = 7
SECONDS = 2
LIMIT_US = 1.5

READS = """
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
def read(): return os.pread(fd, 4096, 0)
def work(depth): return work(depth - 1) if depth else read()
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for _ in range(1000):
        work(5)
"""

DATABASE = """
import random, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma cache_size = 10")  # so that it reads its file again
db.execute("pragma synchronous = off")
db.execute("create table t (id integer primary key, text)")
db.execute("begin")
db.executemany("insert into t values (?, ?)", ((i, "x" * 200) for i in range(20000)))
db.execute("commit")
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for _ in range(100):
        db.execute("select text from t where id = ?", (random.randrange(20000),)).fetchone()
    db.execute("update t set text = ? where id = ?", ("y" * 200, random.randrange(20000)))
"""


def recorded(script, path, folder):
    """The file collector's part of the summary of a Python program that works on a file."""
    run = f"{folder}/run"
    m.run([m.FATHOM, "record", "-q", "-c", "file", "-o", run, "--",
           "python3", "-c", script, path, str(SECONDS)], folder)
    with open(f"{run}/summary.json", encoding="utf-8") as f:
        collector = next(c for c in json.load(f)["collectors"] if c["name"] == "file")
    shutil.rmtree(run)
    return collector


def row(name, script, folder):
    costs, frames, complete, seen, lost = [], [], [], 0, 0
    for i in range(ROUNDS):
        m.say(f"{name}, round {i + 1} of {ROUNDS}")
        path = f"{folder}/work"
        with open(path, "wb") as f:
            f.write(b"" if script is DATABASE else b"x" * 65536)
        c = recorded(script, path, folder)
        os.unlink(path)
        ledger, stacks = c["ledger"], c["stacks"]
        operations = ledger["fired"] - ledger["filtered"]
        costs.append(c["cost"]["kernel_ns"] / operations / 1e3)
        whole = stacks["complete"]
        complete.append(100 * whole / max(1, whole + stacks["truncated"]))
        seen += operations
        lost += operations - ledger["kept"]
    return [name, seen, lost, m.spread(complete, "{:.1f} %"), m.spread(costs, "{:.2f}"),
            f"{LIMIT_US} us", m.verdict(m.median(costs), LIMIT_US)]


def main():
    with m.scratch() as folder:
        m.table(["work", "operations #", "lost #", "whole stacks: median (range) #",
                 "us in the kernel for each: median (range) #", "limit", ""],
                [row("a Python program that reads 4 KiB at a time", READS, folder),
                 row("sqlite in Python, random rows", DATABASE, folder)])


main()
