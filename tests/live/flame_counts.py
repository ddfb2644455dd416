# SPDX-License-Identifier: BSD-2-Clause
"""Whether pictures hold what folded stacks say, counted independently of what made them:

    flame_counts.py FOLDED EXTRACTED...      the same stacks with the same counts
    flame_counts.py --drawn FOLDED SVG       the frames that are drawn, each upon the one it stands
                                             on, are the beginnings of the stacks, with their samples
"""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree


def counts(path):
    found = collections.Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            stack, count = line.rstrip("\n").rsplit(" ", 1)
            found[stack] += int(count)
    return found


def compare(truth, path):
    found = counts(path)
    if found != truth:
        wrong = [(s, truth[s], found[s]) for s in {*truth, *found} if truth[s] != found[s]]
        sys.exit(f"{path}: {len(wrong)} of {len(truth)} stacks differ, such as {wrong[:3]}")


def beginnings(stacks):
    found = collections.Counter()
    for stack, count in stacks.items():
        path = ()
        for frame in stack.split(";"):
            path += (re.sub(r"_\[[kij]\]$", "", frame),)
            found[path] += count
    return found


def drawn(path):
    """By geometry alone: a frame's caller is the one below its middle."""
    svg = "{http://www.w3.org/2000/svg}"
    rows, found = [], collections.Counter()
    for row in ElementTree.parse(path).iter(svg + "g"):
        if row.get("class") != "row":
            continue
        boxes = []
        for g in row.findall(svg + "g"):
            title, rect = g.find(svg + "title").text.split("\n"), g.find(svg + "rect")
            samples = next(line for line in title[1:] if re.match(r"[\d,]+ samples?( itself)?, ", line))
            left, width = float(rect.get("x")), float(rect.get("width"))
            above = [p for (l, r, p) in (rows[-1] if rows else []) if l <= left + width / 2 <= r]
            names = (above[-1] if rows else ()) + ((title[0],) if rows else ())
            boxes.append((left, left + width + 0.5, names))
            if names:
                found[names] += int(samples.split()[0].replace(",", ""))
        rows.append(boxes)
    return found


def main():
    if sys.argv[1] == "--drawn":
        truth, found = beginnings(counts(sys.argv[2])), drawn(sys.argv[3])
        wrong = [(p, truth[p], found[p]) for p in {*truth, *found} if truth[p] != found[p]]
        if wrong:
            sys.exit(f"{len(wrong)} of {len(truth)} frames differ, such as {wrong[0]}")
        return
    truth = counts(sys.argv[1])
    if sum(truth.values()) < 50:
        sys.exit(f"only {sum(truth.values())} samples")
    for path in sys.argv[2:]:
        compare(truth, path)


main()
