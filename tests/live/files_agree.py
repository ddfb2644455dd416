# SPDX-License-Identifier: BSD-2-Clause
"""Whether a recording of file operations agrees with what the workload says: files_agree.py RUN TRUTH

TRUTH is what tests/workloads/files.c has printed, among other lines. Numbers of operations, bytes and errors of each path
must be the same; the time must be part of what was seen from outside, and, where that is much more than
the way into the kernel and back, most of it.
"""
import json
import os
import sys

run, truth = sys.argv[1:]
with open(truth, encoding="utf-8") as f:
    truth = json.loads(next((line for line in f if line.startswith("{")), "null"))
with open(os.path.join(run, "summary.json"), encoding="utf-8") as f:
    summary = json.load(f)
collector = next(c for c in summary["collectors"] if c["name"] == "file")
rows = {(r["path"], r["operation"]): r for r in collector["latency"]["paths"]}
wrong = []

# Operations that take so long take it in the kernel, unless the machine is emulated.
LONG_NS = 1000000 if not os.environ.get("EMULATED") else 1 << 62

if not truth:
    sys.exit("the workload has said nothing")
for operation, want in truth.items():
    got = rows.get((want["path"], operation))
    if not got:
        wrong.append(f"{operation} of {want['path']} is missing")
        continue
    for key in ("operations", "bytes", "errors"):
        if got[key] != want[key]:
            wrong.append(f"{operation}: {key} {got[key]}, should be {want[key]}")
    if not 0 < got["sum_ns"] <= want["total_ns"]:
        wrong.append(f"{operation}: {got['sum_ns']} ns of {want['total_ns']} seen from outside")
    if want["total_ns"] > LONG_NS * want["operations"] and got["sum_ns"] < want["total_ns"] / 2:
        wrong.append(f"{operation}: only {got['sum_ns']} ns of {want['total_ns']}")

ledger = collector["ledger"]
if ledger["fired"] != ledger["kept"] + sum(ledger["lost"].values()):
    wrong.append("the ledger is not closed")
if ledger["loss_share"]:
    wrong.append("something was lost")
if ledger["kept"] != next(v["total"] for v in collector["values"] if v["type"] == "operations"):
    wrong.append("what was kept is not what is in the profile")

if wrong:
    print("\n".join(wrong))
    print("ledger:", json.dumps(ledger))
    print("notes:", json.dumps(collector.get("notes")))
    print("paths:", json.dumps([r for r in rows.values() if "/files" in r["path"]][:40]))
    sys.exit(1)
