# SPDX-License-Identifier: BSD-2-Clause
"""openmetrics: fails unless stdin is OpenMetrics 1.0 text of gauges and infos, and says why.

Strict: the ABNF of the specification, each family in one piece and with its metadata first, units as
suffixes, label names and series unique.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
ESCAPED = r'(?:[^"\\\n]|\\[\\"n])*'
LABEL = rf'[a-zA-Z_][a-zA-Z0-9_]*="{ESCAPED}"'
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? ({NUMBER})")
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)")
SUFFIXES = ("_total", "_created", "_count", "_sum", "_bucket", "_info")


def fail(number, why):
    sys.exit(f"line {number}: {why}")


text = sys.stdin.buffer.read().decode("utf-8")
if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
    fail(0, "does not end with # EOF")
families, series = {}, set()
current = None
for number, line in enumerate(text[: -len("# EOF\n")].split("\n")[:-1], 1):
    meta = META.fullmatch(line)
    if meta:
        what, name, value = meta.groups()
        if name != current:
            if what != "TYPE" or name in families:
                fail(number, "a family without TYPE, or in two pieces")
            families[name], current = {"samples": 0}, name
        if what in families[name] or families[name]["samples"]:
            fail(number, f"{what} twice, or after samples")
        if what == "TYPE" and value not in ("gauge", "info"):
            fail(number, f"type {value}")
        if what == "UNIT" and not name.endswith("_" + value):
            fail(number, f"{name} does not end in its unit {value}")
        if what == "HELP" and re.search(r"\\(?![\\n\"])", value):
            fail(number, "a bad escape")
        families[name][what] = value
        continue
    sample = SAMPLE.fullmatch(line)
    if not sample:
        fail(number, f"no sample: {line!r}")
    name, labels, _ = sample.groups()
    family = name[: -len("_info")] if name.endswith("_info") else name
    if family != current or (families[family]["TYPE"] == "info") != (name != family):
        fail(number, f"{name} is not of the family {current}")
    names = re.findall(rf'([a-zA-Z_][a-zA-Z0-9_]*)="{ESCAPED}"', labels or "")
    if len(set(names)) != len(names):
        fail(number, "a label twice")
    if (name, labels) in series:
        fail(number, "a series twice")
    series.add((name, labels))
    families[family]["samples"] += 1
for name, family in families.items():
    if not family["samples"]:
        fail(0, f"{name} is empty")
    for suffix in SUFFIXES:
        if name + suffix in families:
            fail(0, f"{name} and {name + suffix} clash")
print(len(series))
