# SPDX-License-Identifier: BSD-2-Clause
"""gate: how often the gate is wrong, by simulation: runs tests/bench_gate.c and bench_functions.c.

Nothing of this depends on the machine but the last table's times.
"""
import subprocess

import measure as m

FALSE_ALARMS, POWER, FAMILY = 0.01, 0.90, 0.07


def percent(value):
    return f"{value * 100:.1f} %"


def read(program):
    m.say(program)
    out = subprocess.run([f"{m.BENCH}/{program}"], stdout=subprocess.PIPE, check=True)
    return {name: float(value) for name, value, _ in
            (line.split() for line in out.stdout.decode().splitlines())}


def at_least(value, limit):
    return "PASS" if value >= limit else "below limit"


def metrics(v):
    def row(what, name, limit=None):
        value = v[f"{name}_regressed"]
        judged = ["", ""]
        if limit is not None:
            judged = [f"at most {percent(limit)}", m.verdict(value, limit)]
        return [what, percent(value), percent(v[f"{name}_confirmed"]),
                percent(v[f"{name}_inconclusive"]), percent(v[f"{name}_without_effect"]),
                percent(v[f"{name}_t_test"]) if f"{name}_t_test" in v else "-", *judged]

    m.table(["B is the same program", "false alarms #", "after a retry #", "inconclusive #",
             "without a least effect #", "t-test of means #", "limit #", ""],
            [row("in turns (ABBA), 15 pairs", "same", FALSE_ALARMS),
             row("in turns, 15 pairs, hard disturbances", "same_hard", FALSE_ALARMS),
             row("smoke: in turns, 10 pairs", "same_smoke", FALSE_ALARMS),
             row("nightly: in turns, 20 pairs", "same_nightly", FALSE_ALARMS),
             row("release: in turns, 30 pairs", "same_release", FALSE_ALARMS),
             row("all of A, then all of B, 15 pairs", "same_halves")])


def power(v):
    def row(what, name, limit=None):
        value = v[f"{name}_regressed"]
        judged = ["", ""]
        if limit is not None:
            judged = [f"at least {percent(limit)}", at_least(value, limit)]
        return [what, percent(value), percent(v[f"{name}_confirmed"]),
                percent(v[f"{name}_inconclusive"]), percent(v[f"{name}_passed"]), *judged]

    m.table(["B is slower", "regressed #", "after a retry #", "inconclusive #",
             "passed: a miss #", "limit #", ""],
            [row("+8 %, 15 pairs", "worse_8", POWER),
             row("+8 %, 15 pairs, wall time is the only metric", "worse_8_alone", POWER),
             row("+5 %, 15 pairs", "worse_5"),
             row("+8 %, 15 pairs, hard disturbances", "worse_8_hard"),
             row("+8 %, 30 pairs, hard disturbances", "worse_8_hard_30"),
             row("smoke: +8 %, 10 pairs", "worse_8_smoke"),
             row("nightly: +8 %, 20 pairs", "worse_8_nightly"),
             row("release: +8 %, 30 pairs", "worse_8_release"),
             row("release: +5 %, 30 pairs", "worse_5_release"),
             row("+8 %, all of A, then all of B, 15 pairs", "worse_8_halves")])


def intervals(v):
    m.table(["intervals of 95 % that cover the truth", "in turns #", "all of A, then all of B #"],
            [["B is the same program", percent(v["same_covered"]),
              percent(v["same_halves_covered"])],
             ["+8 %", percent(v["worse_8_covered"]), percent(v["worse_8_halves_covered"])]])


def functions(v):
    rows = []
    for pairs in (8, 12):
        name = f"same_{pairs}"
        value = v[f"{name}_any"]
        rows.append([f"nothing changed, {pairs} pairs", percent(value),
                     percent(v[f"{name}_blamed"]), "-", "-", f"at most {percent(FAMILY)}",
                     m.verdict(value, FAMILY)])
    for what, name in (("+20 %, 8 pairs", "first_20_8"), ("+20 %, 12 pairs", "first_20_12"),
                       ("+10 %, 12 pairs", "first_10_12"),
                       ("+10 %, 12 pairs, functions vary by sampling alone", "first_10_12_plain")):
        rows.append([f"the first function {what}", percent(v[f"{name}_any"]),
                     percent(v[f"{name}_blamed"]), percent(v[f"{name}_found"]),
                     percent(v[f"{name}_first"]), "", ""])
    m.table(["profiles", "any other significant #", "and named #", "it is named #",
             "as the first #", "limit #", ""], rows)


def flips(v):
    m.table(["sign flips, 2,000 series", "CPU time #", "limit #", ""],
            [[f"12 pairs, all {2 ** 12:,} flips", f"{v['sign_flip_12']:.3f} s", "1 s",
              m.verdict(v["sign_flip_12"], 1)],
             ["30 pairs, 10,000 flips", f"{v['sign_flip_30']:.3f} s", "", ""]])


def main():
    v = read("bench_gate")
    metrics(v)
    power(v)
    intervals(v)
    functions(read("bench_functions"))
    flips(v)


main()
