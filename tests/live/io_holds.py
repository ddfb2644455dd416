# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a recording of block I/O is true: io_holds.py RUN EXPRESSION

An expression may use
  summary, collector, ledger, latency  what summary.json says
  lines                      the folded stacks: (root, frames, value)
  closed()                   the ledger adds up, and nothing is missing from the tables
  lost(), unseen()           losses, and those among them whose end the kernel did not tell of
  agrees()                   stacks and histograms have counted the same requests, but for those
                             that nobody saw ending
  near(a, b, slack)          |a - b| <= slack
  seen(n)                    n, and as many more as were not seen ending
  requests, nbytes, total_ns (DEVICE, OPERATION)    sums over devices that match a glob
  stage_ns(DEVICE, OPERATION, STAGE)
  quantile(DEVICE, OPERATION, STAGE, "p50")         of the first device that matches
  share(FRAME, ROOT)         percent of the root's value with a frame that matches a glob
  inferred(ROOT)             the value of what was written for it by inference
  outside(OPERATION, KEY)    what the workload measured itself (RUN.json)
  slow(DEVICE)               the list of slow requests
  route(ORIGIN)              requests that came through that device
"""
import fnmatch
import json
import os
import sys

run, expression = sys.argv[1:3]


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def read_lines():
    with open(os.path.join(run, "io.folded"), encoding="utf-8") as f:
        for line in f:
            stack, value = line.rstrip("\n").rsplit(" ", 1)
            root, *frames = stack.split(";")
            yield root, frames, int(value)


summary = read_json(os.path.join(run, "summary.json"))
collector = next(c for c in summary["collectors"] if c["name"] == "io")
ledger, latency = collector["ledger"], collector["latency"]
lines = list(read_lines())


def value(name):
    return next(v["total"] for v in collector["values"] if v["type"] == name)


def closed():
    return (ledger["fired"] == ledger["kept"] + sum(ledger["lost"].values())
            and ledger["kept"] == value("bios") and ledger["lost"]["drain"] == 0)


def lost():
    return sum(n for cause, n in ledger["lost"].items() if not cause.startswith("filtered_"))


def unseen():
    return ledger["lost"]["completion_unseen"] + ledger["lost"]["in_flight_end"]


def near(a, b, slack):
    return abs(a - b) <= slack


def seen(n):
    return n + unseen()


def groups(device, operation="*"):
    return [g for g in latency["groups"] if fnmatch.fnmatchcase(g["subject"], device)
            and fnmatch.fnmatchcase(g["operation"], operation)]


def requests(device, operation):
    return sum(g["operations"] for g in groups(device, operation))


def nbytes(device, operation):
    return sum(g["bytes"] for g in groups(device, operation))


def stage(group, name):
    return next(s for s in group["stages"] if s["stage"] == name)


def stage_ns(device, operation, name):
    return sum(s["n"] * (s["mean_ns"] or 0)
               for s in (stage(g, name) for g in groups(device, operation)))


def total_ns(device, operation):
    return stage_ns(device, operation, "total")


def quantile(device, operation, name, which):
    return stage(groups(device, operation)[0], name)[which + "_ns"]


def agrees():
    more = requests("*", "*") - value("requests")
    return (0 <= more <= ledger["lost"]["completion_unseen"]
            and (ledger["lost"]["completion_unseen"] > 0
                 or value("bytes") == nbytes("*", "*")))


def share(frame, root):
    of = [(frames, n) for r, frames, n in lines if fnmatch.fnmatchcase(r, root)]
    have = sum(n for frames, n in of if any(fnmatch.fnmatchcase(f, frame) for f in frames))
    return 100.0 * have / max(1, sum(n for _, n in of))


def inferred(root):
    return sum(n for r, frames, n in lines
               if fnmatch.fnmatchcase(r, root) and frames[-1].endswith(", inferred]"))


def outside(operation, key):
    return read_json(run + ".json")[operation][key]


def slow(device):
    document = read_json(os.path.join(run, "io.slow.json"))
    return [s for s in document["slow"] if s["subject"] == device]


def route(origin):
    return sum(r["requests"] for r in latency["routes"] if r["origin"] == origin)


sys.exit(0 if eval(expression) else f"it is false; latency: {latency['groups']}"[:2000])
