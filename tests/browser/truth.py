#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# truth: what a flame graph of folded stacks must show, counted from the text alone.
#   truth.py FILE matched PATTERN        weight of the stacks with a matching frame, and of all
#   truth.py FILE self                   what each function spent itself
#   truth.py FILE total                  weight of the stacks that have the function, each once
#   truth.py FILE below NAME...          weight of the stacks that begin with these frames
import collections
import json
import re
import sys


def stacks(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            stack, _, count = line.rstrip("\n").rpartition(" ")
            yield [re.sub(r"_\[[kij]\]$", "", frame) for frame in stack.split(";")], int(count)


def main():
    path, what, *rest = sys.argv[1:]
    sums = collections.Counter()
    for frames, count in stacks(path):
        if what == "matched":
            sums["all"] += count
            sums["matched"] += count * any(re.search(rest[0], frame) for frame in frames)
        elif what == "self":
            sums[frames[-1]] += count
        elif what == "below":
            sums["below"] += count * (frames[: len(rest)] == rest)
        else:
            for frame in set(frames):
                sums[frame] += count
    print(json.dumps(sums))


main()
