# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a collector of memory is true, and what a program says of itself:

    memories.py RUN COLLECTOR EXPRESSION [TRUTH]

An expression may use
  summary, collector, ledger, memory, notes   what the run folder says
  stacks                 [(frames, values, intervals)] of all stacks, root first
  of(frame, ...)         the values of all stacks with frames that match these globs, summed
  total(value)           of all stacks
  truth                  what the program printed: {site: {"objects": ..., "bytes": ...}}
  differences()          sites whose exact values are not those: [(site, what, wanted, got)]
  lost()                 events that were wanted and not kept
  accounted()            the same as 'not differences()', but for blocks that the ledger has as lost
  coverage()             of the intervals of alloc_space and alloc_objects of the sites, how many hold
                         the truth, and how many there are
  closed()               the ledger adds up
  within(a, b, share)    |a - b| is at most that share of b
"""
import fnmatch
import json
import os
import sys
from collections import Counter

WHAT = {
    "objects": "alloc_objects",
    "bytes": "alloc_space",
    "leaked_objects": "leaked_objects",
    "leaked_bytes": "leaked_space",
    "temporary_objects": "temporary_objects",
    "temporary_bytes": "temporary_space",
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def matches(name, glob):
    # '[' begins names that fathom makes; in these globs only * and ? are special.
    return fnmatch.fnmatchcase(name, glob.replace("[", "[[]"))


class Run:
    def __init__(self, folder, name, truth=None):
        self.summary = load(os.path.join(folder, "summary.json"))
        self.collector = next(c for c in self.summary["collectors"] if c["name"] == name)
        self.ledger, self.memory = self.collector["ledger"], self.collector["memory"]
        self.notes = self.collector["notes"]
        self.stacks = [(s["stack"].split(";"), s["values"], s["intervals"])
                       for s in load(os.path.join(folder, f"{name}.stacks.json"))["stacks"]]
        self.truth = truth or {}

    def of(self, *wanted):
        sums = Counter()
        for frames, values, _ in self.stacks:
            if all(any(matches(f, glob) for f in frames) for glob in wanted):
                sums.update({k: v for k, v in values.items() if v is not None})
        return sums

    def total(self, value):
        return sum(values[value] for _, values, _ in self.stacks)

    def differences(self):
        found = []
        for site, truth in self.truth.items():
            values = self.of(site)
            for what, value in WHAT.items():
                if truth[what] != values[value]:
                    found.append((site, what, truth[what], values[value]))
        return found

    def lost(self):
        return self.ledger["fired"] - self.ledger["filtered"] - self.ledger["kept"]

    def accounted(self):
        missing = 0
        short = {d[0] for d in self.differences() if d[1] == "objects" and d[2] > d[3]}
        for site, what, wanted, got in self.differences():
            if site not in short or got > wanted:
                return False
            missing += wanted - got if what == "objects" else 0
        return missing <= self.lost()

    def sites(self):
        """(truth, estimate, low, high) of the sites that have one stack."""
        for site, truth in self.truth.items():
            mine = [s for s in self.stacks if site in s[0]]
            if len(mine) == 1:
                for what in ("objects", "bytes"):
                    name = WHAT[what]
                    ends = mine[0][2][name]
                    yield truth[what], mine[0][1][name], ends["lower"], ends["upper"]

    def coverage(self):
        hits = [low <= truth <= high for truth, _, low, high in self.sites()]
        return sum(hits), len(hits)

    def closed(self):
        return self.ledger["fired"] == self.ledger["kept"] + sum(self.ledger["lost"].values())


def within(a, b, share):
    return abs(a - b) <= share * b


def main():
    folder, name, expression, *rest = sys.argv[1:]
    run = Run(folder, name, load(rest[0]) if rest else None)
    names = {n: getattr(run, n) for n in dir(run) if not n.startswith("_")}
    names["within"] = within
    if eval(f"({expression})", names):  # pylint: disable=eval-used
        return 0
    print("not true:", " ".join(expression.split()))
    print("ledger:", run.ledger, "notes:", run.notes)
    if run.truth:
        for difference in run.differences()[:20]:
            print("difference:", *difference)
    for frames, values, _ in run.stacks[:5]:
        print(values["alloc_space"], ";".join(frames))
    return 1


if __name__ == "__main__":
    sys.exit(main())
