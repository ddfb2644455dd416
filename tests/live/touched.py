# SPDX-License-Identifier: BSD-2-Clause
"""Whether an expression about a recording of page faults is true:

    touched.py FATHOM RUN EXPRESSION [TRUTH]

An expression may use
  summary, collector, ledger, notes      what the run folder says
  total(value)           of all stacks: "samples", "faults", "major_faults", "rss_growth",
                         "rss_released"
  of(value, function)    of the stacks with that function
  truth                  what the workload has printed
  closed()               the ledger adds up
  within(a, b, share)    |a - b| is at most that share of b
"""
import json
import os
import subprocess
import sys

fathom, run, expression, *rest = sys.argv[1:]


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


summary = load(os.path.join(run, "summary.json"))
collector = next(c for c in summary["collectors"] if c["name"] == "pagefault")
ledger, notes = collector["ledger"], collector["notes"]
truth = load(rest[0]) if rest else None


def total(value):
    return next(v["total"] for v in collector["values"] if v["type"] == value)


def of(value, function):
    got = subprocess.run([fathom, "report", "--json", "-c", "pagefault", "--value", value, run],
                         capture_output=True, text=True, check=True)
    return next((f["total"] for f in json.loads(got.stdout)["functions"]
                 if f["function"] == function), 0)


def closed():
    return (ledger["fired"] == ledger["kept"] + sum(ledger["lost"].values())
            and ledger["kept"] == total("samples") and ledger["lost"]["drain"] == 0)


def within(a, b, share):
    return abs(a - b) <= share * b


if not eval(f"({expression})"):  # pylint: disable=eval-used
    print("not true:", " ".join(expression.split()))
    print("ledger:", ledger, "notes:", notes, "truth:", truth)
    print("values:", collector["values"])
    sys.exit(1)
