# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a run folder is true: holds.py RUN EXPRESSION

An expression may use
  summary, manifest, collector, ledger, stacks   what the JSON files say
  lines                  the folded stacks: (root, frames, count), root is the process or thread
  total(root)            samples of the roots that match a glob
  count(frame, root)     samples with a frame that matches a glob anywhere in the stack
  share(frame, root)     the same as a percentage of the root's samples
  near(a, b, points)     |a - b| <= points
  about(frame, root, percent, points)
                         the share is that percentage, within so many points and three standard
                         errors: a short recording on a busy machine has few samples, but 20 at least
  unnamed()              percentage of samples with a frame that has no name, not counting the
                         system's libraries, whose symbols may not be installed
  closed()               the ledger adds up and agrees with the folded stacks
  user(root)             samples with a user stack; a task that has none does not count below. Inlined
                         frames are left out here: no walk finds them
  broken(root)           those whose outermost frame is not where nobody has called from
  chain(root, *frames)   percentage of those in which frames, outermost first, call one another
                         directly; each is a glob or several, "a|b"
  ends_at(root)          what is outermost where that is no root: [(name, samples)]
"""
import fnmatch
import json
import math
import os
import re
import sys
from collections import Counter

import roots

run, expression = sys.argv[1:]


if not os.path.isdir(run):
    print("there is no recording to look at:", run)
    sys.exit(1)


def load(name):
    with open(os.path.join(run, name), encoding="utf-8") as file:
        return json.load(file)


summary, manifest = load("summary.json"), load("manifest.json")
collector = summary["collectors"][0]
ledger, stacks = collector["ledger"], collector["stacks"]
lines = []
with open(os.path.join(run, "cpu.folded"), encoding="utf-8") as folded:
    for line in folded:
        stack, n = line.rsplit(" ", 1)
        root, *frames = stack.split(";")
        lines.append((root, frames, int(n)))


def matches(name, glob):
    # '[' begins names that fathom makes; in these globs only * and ? are special.
    return fnmatch.fnmatchcase(name, glob.replace("[", "[[]"))


def total(root="*"):
    return sum(n for r, _, n in lines if matches(r, root))


def count(frame, root="*"):
    return sum(n for r, frames, n in lines
               if matches(r, root) and any(matches(f, frame) for f in frames))


def share(frame, root="*"):
    return 100.0 * count(frame, root) / max(total(root), 1)


def near(a, b, points):
    return abs(a - b) <= points


def about(frame, root, percent, points):
    n = total(root)
    error = 100 * math.sqrt(percent / 100 * (1 - percent / 100) / max(n, 1))
    return n >= 20 and near(share(frame, root), percent, points + 3 * error)


def is_unnamed(frame):
    module = re.fullmatch(r"\[(.*)\+0x[0-9a-f]+\](_\[k\])?", frame)
    return bool(module) and not re.match(r"(lib|ld-).*\.so", module[1])


def unnamed():
    bad = sum(n for _, frames, n in lines if any(map(is_unnamed, frames)))
    return 100.0 * bad / max(total(), 1)


def closed():
    samples = [v["total"] for v in collector["values"] if v["type"] == "samples"]
    return (ledger["fired"] == ledger["kept"] + sum(ledger["lost"].values())
            and ledger["kept"] == total() == samples[0] and ledger["lost"]["drain"] == 0)


def all_due():
    """Events and ticks that never came are what rate, time and CPUs make: none is counted twice."""
    due = collector["rate_hz"] * summary["span_ns"] / 1e9 * collector["cpus_sampled"]
    return near(ledger["fired"] + collector["ticks_missed"], due, 0.03 * due + 5)


files = roots.files_of(os.path.join(run, "cpu.pb.gz"))


def user_stacks(root):
    for r, frames, n in lines:
        own = [f for f in frames if not f.endswith(("_[k]", "_[i]"))]
        if own and matches(r, root):
            yield own, n


def user(root="*"):
    return sum(n for _, n in user_stacks(root))


def broken(root="*"):
    return sum(n for frames, n in user_stacks(root) if not roots.is_root(frames[0], files))


def ends_at(root="*"):
    ends = Counter()
    for frames, n in user_stacks(root):
        if not roots.is_root(frames[0], files):
            ends[frames[0]] += n
    return ends.most_common(8)


def follows(frames, globs):
    return all(any(matches(f, g) for g in glob.split("|")) for f, glob in zip(frames, globs))


def chain(root, *globs):
    good = sum(n for frames, n in user_stacks(root)
               if any(follows(frames[i:], globs) for i in range(len(frames) - len(globs) + 1)))
    return 100.0 * good / max(user(root), 1)


# Parentheses: an expression may have several lines.
if not eval("(" + expression + ")"):  # pylint: disable=eval-used
    print("does not hold:", expression)
    print("ledger:", json.dumps(ledger), "stacks:", json.dumps(stacks))
    print("roots:", Counter({r: total(r) for r, _, _ in lines}).most_common(12))
    names = Counter()
    for _, frames, n in lines:
        names.update({f: n for f in set(frames)})
    print("functions:", names.most_common(20))
    if "broken" in expression or "chain" in expression:
        print("user samples:", user(), "outermost, but no roots:", ends_at())
    sys.exit(1)
