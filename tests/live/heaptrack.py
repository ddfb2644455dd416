# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a recording of alloc and what heaptrack found of the same program is
true:

    heaptrack.py RUN HEAPTRACK EXPRESSION

HEAPTRACK.raw is what heaptrack's library wrote, HEAPTRACK.interpreted what heaptrack_interpret made of
it. An expression may use
  ours(value), theirs(cost)   of the whole program; a cost is allocations, peak or leaked
  near(value, cost, slack)    these are the same up to so many
  left(slack)                 the same of what is left. When a program ends that has a pool of exceptions
                              of its own, heaptrack frees that one
  top(value, cost)            the same function asked for the most of it, with the same number
  unlike(value, cost, slack)  of our ten functions with most of it, those with at least 1 % of the
                              whole whose number differs from heaptrack's by more than 1 % and that
                              slack: [(function, ours, theirs)]
  compared(value)             the share of the whole that unlike() has looked at

A site is the function that called the allocator: the one that there is in the machine's code, whatever
was inlined into it. Heaptrack's library brings libstdc++ along, which takes memory for exceptions
when it starts: that is left out. Functions without a name are where their code is in the file.
"""
import bisect
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

import memories

# What heaptrack leaves out of its stacks.
ALLOCATORS = {"operator new", "operator new[]", "malloc", "calloc", "realloc", "reallocarray",
              "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc"}
UNNAMED = re.compile(r"\[(.+)\+0x([0-9a-f]+)\]$")


def plain(frame):
    """A function's name without what debug information, the compiler and libc's aliases add."""
    name = frame.split("(")[0].strip().removeprefix("__GI_")
    while "<" in name and name != (shorter := re.sub(r"<[^<>]*>", "", name)):
        name = shorter
    return re.sub(r"\.(isra|constprop|part|cold)\b.*", "", name).lstrip("_") or frame


class Modules:
    """Where the files of a process are, as heaptrack's own record has it: lines of
    'm LENGTH PATH BASE [OFFSET SIZE]...' in hexadecimal, 'x' being the program."""

    def __init__(self, raw):
        program, self.ranges = "", []
        with open(raw, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                words = line.split()
                if words[0] == "x":
                    program = words[2]
                if words[0] == "m" and len(words) > 4:
                    base = int(words[3], 16)
                    end = base + sum(int(word, 16) for word in words[-2:])
                    path = program if words[2] == "x" else words[2]
                    self.ranges.append((base, end, os.path.basename(os.path.realpath(path))))

    def find(self, address):
        """(file, offset)"""
        for base, end, name in self.ranges:
            if base <= address < end:
                return name, address - base
        return "", address


class Heaptrack:
    """Counters by site; that of a function without a name is (file, offset of the call)."""

    def __init__(self, name):
        self.name, self.modules, self.pool = name, Modules(name + ".raw"), 0
        self.costs = {cost: self.read(cost) for cost in ("allocations", "peak", "leaked")}

    def read(self, cost):
        sites = Counter()
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as folded:
            subprocess.run(["heaptrack_print", "-f", self.name + ".interpreted", "-F", folded.name,
                            "--flamegraph-cost-type", cost, "--disable-builtin-suppressions",
                            "-p0", "-a0", "-T0", "-n0", "-s0"], check=True, capture_output=True)
            for line in folded:
                stack, _, number = line.rpartition(" ")
                frame = stack.rstrip("; ").split(";")[-1]
                if self.is_pool(stack, frame):
                    self.pool = max(self.pool, int(number))
                else:
                    sites[self.site(frame)] += int(number)
        return sites

    def is_pool(self, stack, frame):
        module = self.modules.find(int(frame, 16))[0] if frame.startswith("0x") else ""
        return "_dl_init" in stack and ("eh_alloc" in frame or module.startswith("libstdc++.so"))

    def site(self, frame):
        return self.modules.find(int(frame, 16)) if frame.startswith("0x") else plain(frame)


class Both:
    def __init__(self, folder, name):
        self.run, self.heaptrack = memories.Run(folder, "alloc"), Heaptrack(name)
        # Where functions without a name begin, as far as they are in stacks.
        self.starts = {}
        for stack in self.run.stacks:
            for match in filter(None, map(UNNAMED.match, stack[0])):
                self.starts.setdefault(match[1], set()).add(int(match[2], 16))
        self.starts = {name: sorted(starts) for name, starts in self.starts.items()}

    def ours(self, value):
        return self.run.total(value)

    def theirs(self, cost):
        return sum(self.heaptrack.costs[cost].values())

    def near(self, value, cost, slack):
        return abs(self.ours(value) - self.theirs(cost)) <= slack

    def left(self, slack):
        more = self.ours("leaked_space") - self.theirs("leaked")
        return min(abs(more), abs(more - self.heaptrack.pool)) <= slack

    def our_sites(self, value):
        sites = Counter()
        for frames, values, _ in self.run.stacks:
            frames = [f for f in frames[1:] if not f.endswith("_[i]")]
            while len(frames) > 1 and frames[-1] in ALLOCATORS:
                frames.pop()
            match = UNNAMED.match(frames[-1])
            site = (match[1], int(match[2], 16)) if match else plain(frames[-1])
            sites[site] += values[value]
        return sites

    def their_sites(self, cost):
        sites = Counter()
        for site, number in self.heaptrack.costs[cost].items():
            if isinstance(site, tuple):
                starts = self.starts.get(site[0], [])
                i = bisect.bisect_right(starts, site[1])
                site = (site[0], starts[i - 1]) if i else site
            sites[site] += number
        return sites

    def large(self, value):
        whole = self.ours(value)
        return [(site, n) for site, n in self.our_sites(value).most_common(10) if n >= whole / 100]

    def unlike(self, value, cost, slack):
        theirs = self.their_sites(cost)
        return [(site, n, theirs[site]) for site, n in self.large(value)
                if abs(n - theirs[site]) > 0.01 * n + slack]

    def compared(self, value):
        return sum(n for _, n in self.large(value)) / self.ours(value)

    def top(self, value, cost):
        return self.our_sites(value).most_common(1) == self.their_sites(cost).most_common(1)


def main():
    folder, name, expression = sys.argv[1:]
    both = Both(folder, name)
    names = {n: getattr(both, n) for n in dir(both) if not n.startswith("_")}
    if eval(" ".join(expression.split()), {}, names):  # pylint: disable=eval-used
        return 0
    print("not true:", " ".join(expression.split()))
    for value, cost in (("alloc_objects", "allocations"), ("peak_space", "peak"),
                        ("leaked_space", "leaked")):
        print(f"{value}: {both.ours(value)}, heaptrack's {cost}: {both.theirs(cost)}")
        ours, theirs = both.our_sites(value), both.their_sites(cost)
        for site in sorted(ours | theirs, key=lambda s: -abs(ours[s] - theirs[s]))[:10]:
            print(f"    {site}: {ours[site]}, {theirs[site]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
