# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about the samples of a run in time is true: times.py RUN NAME EXPRESSION

NAME.pb.gz is decoded here: what fathom says of its own files proves nothing. An expression may use
  slot                  ns, as the summary says; None without --timeline
  samples               (time in ns or None, value of the first type, frames from the root, labels)
  total                 sum of their values
  start                 of the recording, ns of the wall clock
  span                  ns
  folded                sum of NAME.folded
  ledger, timeline      of the collector, from the summary
  turns(FILE)           of the workload 'turns': [(function, from, to, CPU)], ns, two of them since
                        the recording's start
  during(a, b)          samples of the slots that lie in that time altogether
  share(samples, frame) of their values, as a percentage
"""
import gzip
import json
import os
import sys

import roots

run, name, expression = sys.argv[1:]


def fields(data):
    at = 0
    while at < len(data):
        key, at = roots.varint(data, at)
        value, at = roots.varint(data, at)
        if key & 7 == 2:
            data_at, at = at, at + value
            value = data[data_at:at]
        yield key >> 3, value


def numbers(value):
    """Of a repeated field: packed, or one."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = roots.varint(value, at)
        found.append(number)
    return found


def of(field, message):
    return [value for number, value in fields(message) if number == field]


with gzip.open(os.path.join(run, name + ".pb.gz")) as file:
    profile = file.read()
strings = [text.decode(errors="replace") for text in of(6, profile)]
functions = {of(1, f)[0]: strings[of(2, f)[0]] for f in of(5, profile)}
# Inlined functions are lines of one location, the innermost first.
locations = {of(1, loc)[0]: [functions[of(1, line)[0]] for line in of(4, loc)]
             for loc in of(4, profile)}
start = of(9, profile)[0]


def sample(message):
    labels = {}
    for label in of(3, message):
        text, number = of(2, label), of(3, label)
        labels[strings[of(1, label)[0]]] = strings[text[0]] if text else (number or [0])[0]
    ids = [i for part in of(1, message) for i in numbers(part)]
    frames = [f for i in ids for f in locations[i]][::-1]
    values = [v for part in of(2, message) for v in numbers(part)]
    return labels.get("time_ns"), values[0], frames, labels


samples = [sample(message) for message in of(2, profile)]
total = sum(s[1] for s in samples)
with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
    summary = json.load(file)
collector = next(c for c in summary["collectors"] if c["name"] == name)
ledger, timeline, span = collector["ledger"], collector.get("timeline"), summary["span_ns"]
slot = timeline and timeline["slot_ns"]
with open(os.path.join(run, name + ".folded"), encoding="utf-8") as file:
    folded = sum(int(line.rsplit(" ", 1)[1]) for line in file)


def turns(path):
    with open(path, encoding="utf-8") as listed:
        rows = [line.split() for line in listed]
    return [(function, int(a) - start, int(b) - start, int(cpu)) for function, a, b, cpu in rows]


def during(a, b):
    return [s for s in samples if s[0] is not None and a <= s[0] and s[0] + slot <= b]


def share(some, frame):
    return 100.0 * sum(s[1] for s in some if frame in s[2]) / max(sum(s[1] for s in some), 1)


if not eval(f"({expression})"):  # pylint: disable=eval-used # the tests' own
    print("not true:", expression)
    print("slot", slot, "samples", len(samples), "total", total, "folded", folded, ledger)
    print(sorted((s[0] or -1, s[1], s[2][-1:]) for s in samples)[:60])
    sys.exit(1)
