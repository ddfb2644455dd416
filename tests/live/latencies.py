# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a collector of latencies is true, and what others say of the same:

    latencies.py RUN COLLECTOR EXPRESSION [NAME=JSON-FILE]...

An expression may use
  NAME                   what is in that file, and fio(job-file, "read") of one that fio wrote
  summary, collector, ledger, latency, lines       what the run folder has; lines are of the folded
                         stacks: (root, frames, weight), root is the process
  operations(subject, operation), size(...), inferred(...)
                         of all groups that match these globs: how many, bytes, bytes whose process
                         is inferred
  stage(subject, operation, name)
                         of the one group of these names: n, mean_ns, p50_ns, p95_ns, p99_ns, max_ns
  weight(root, frame)    of the stacks of roots that match a glob, and with such a frame in them
  route(subject, origin) requests that a device served and that were made for another
  paths(path, operation) rows of the paths that match: operations, bytes, sum_ns, ... of each
  within(a, b, share, ns)
                         |a - b| is at most that share of b, or so many ns
  step_apart(a, b)       a and b are at most a step of the histogram (1/32) apart, and what two
                         programs at one event differ by
  one_step(ours, theirs) the same stage's mean and quantiles are that
  lost                   events that were wanted and not kept
  closed()               the ledger adds up
"""
import fnmatch
import json
import os
import sys
from collections import Counter

QUANTILES = ("p50_ns", "p95_ns", "p99_ns")
# Programs at one event run one after another: the second reads its clock when the first is done,
# which takes that much more when a request ends than when it is issued.
SAME_EVENT_NS = 500


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def matches(name, glob):
    return fnmatch.fnmatchcase(name, glob.replace("[", "[[]"))


class Run:
    def __init__(self, folder, name):
        self.summary = load(os.path.join(folder, "summary.json"))
        self.collector = next(c for c in self.summary["collectors"] if c["name"] == name)
        self.ledger, self.latency = self.collector["ledger"], self.collector["latency"]
        self.lost = sum(n for cause, n in self.ledger["lost"].items()
                        if not cause.startswith("filtered"))
        self.lines = []
        with open(os.path.join(folder, f"{name}.folded"), encoding="utf-8") as folded:
            for line in folded:
                stack, n = line.rsplit(" ", 1)
                root, *frames = stack.split(";")
                self.lines.append((root, frames, int(n)))

    def groups(self, subject="*", operation="*"):
        return [g for g in self.latency["groups"]
                if matches(g["subject"], subject) and matches(g["operation"], operation)]

    def operations(self, subject="*", operation="*"):
        return sum(g["operations"] for g in self.groups(subject, operation))

    def of_files(self, operation):
        """Groups of that operation on files and folders, and how many of it succeeded."""
        found = [g for g in self.groups("*", operation)
                 if not g.get("apart") and g["subject"] not in ("pipe", "socket", "other")]
        return found, sum(g["operations"] - (g["errors"] if operation == "open" else 0)
                          for g in found)

    def size(self, subject="*", operation="*"):
        return sum(g["bytes"] for g in self.groups(subject, operation))

    def inferred(self, subject="*", operation="*"):
        return sum(g["inferred_bytes"] or 0 for g in self.groups(subject, operation))

    def stage(self, subject, operation, name):
        for group in self.latency["groups"]:
            if (group["subject"], group["operation"]) == (subject, operation):
                return next(s for s in group["stages"] if s["stage"] == name)
        raise LookupError(f"no '{operation}' of '{subject}'")

    def weight(self, root="*", frame="*"):
        return sum(n for r, frames, n in self.lines
                   if matches(r, root) and (frame == "*" or any(matches(f, frame) for f in frames)))

    def route(self, subject, origin):
        return sum(r["requests"] for r in self.latency["routes"]
                   if (r["subject"], r["origin"]) == (subject, origin))

    def paths(self, path="*", operation="*"):
        return [p for p in self.latency["paths"]
                if matches(p["path"], path) and matches(p["operation"], operation)]

    def closed(self):
        return self.ledger["fired"] == self.ledger["kept"] + sum(self.ledger["lost"].values())


def fio(job_file, operation):
    """Of what fio's only job says: total_ios, bytes, and its latency from submission to completion
    in the form of a stage."""
    job = job_file["jobs"][0][operation]
    found = {"total_ios": job["total_ios"], "bytes": job["io_bytes"], "n": job["clat_ns"]["N"],
             "mean_ns": job["clat_ns"]["mean"], "max_ns": job["clat_ns"]["max"],
             "submit_ns": job["slat_ns"]["mean"]}
    for quantile in QUANTILES:
        found[quantile] = job["clat_ns"].get("percentile", {}).get(f"{quantile[1:3]}.000000", 0)
    return found


def within(a, b, share, ns):
    return abs(a - b) <= max(share * b, ns)


def step_apart(a, b):
    return abs(a - b) <= b / 32 + SAME_EVENT_NS


def one_step(ours, theirs):
    return ours["n"] > 0 and all(step_apart(ours[key], theirs[key])
                                 for key in ("mean_ns", *QUANTILES))


def main(folder, name, expression, *files):
    if not os.path.isdir(folder):
        print("there is no recording to look at:", folder)
        return 1
    run = Run(folder, name)
    names = {key: getattr(run, key) for key in dir(run) if not key.startswith("_")}
    names.update(fio=fio, within=within, step_apart=step_apart, one_step=one_step,
                  QUANTILES=QUANTILES)
    for file in files:
        key, _, path = file.partition("=")
        names[key] = load(path)
    # Parentheses: an expression may have several lines.
    if eval("(" + expression + ")", names):  # pylint: disable=eval-used
        return 0
    print("does not hold:", expression)
    print("ledger:", json.dumps(run.ledger))
    for group in run.latency["groups"][:12]:
        print(group["subject"], group["operation"], group["operations"], group["bytes"],
              json.dumps(group["stages"]))
    print("routes:", json.dumps(run.latency["routes"][:12]))
    roots = Counter()
    for root, _, n in run.lines:
        roots[root] += n
    print("roots:", roots.most_common(12))
    for key, value in names.items():
        if any(file.startswith(key + "=") for file in files):
            print(key + ":", json.dumps(value if "jobs" not in value else
                                        {op: fio(value, op) for op in ("read", "write")})[:2000])
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
