# SPDX-License-Identifier: BSD-2-Clause
"""unwind: what a sample costs in the kernel and what its user stack is worth, by what it interrupts
and how its stack is walked: by tables and by frame pointers, in turns over the same programs.

The first samples of a process are passed up and unwound late, which costs more: their share is told.
A stack is whole if its outermost frame is where nobody has called from (tests/live/roots.py).
"""
import measure as m

ROUNDS = 2
SECONDS = 3
KINDS = ("python3", "perl", "xz", "gzip", "cc1", "node", "openssl", "deep C")
RATES = (99, 999)
LIMITS_US = {("python3", 999): 1.8, ("cc1", 999): 6}
WALKS = (("tables", ()), ("frame pointers", ("--user-stacks=fp",)))


def columns(rs):
    """Of one walk; a round may have caught no sample of a program."""
    stacks = [r for r in rs if r.user_samples]
    whole = 100 * sum(r.user_whole for r in stacks) / max(sum(r.user_samples for r in stacks), 1)
    frames = m.median([r.user_frames for r in stacks]) if stacks else 0
    return [f"{whole:.1f} %", f"{frames:.1f}",
            m.spread([r.ns_per_sample() / 1e3 for r in rs], "{:.2f}")]


def limit(kind, rate, us):
    most = LIMITS_US.get((kind, rate))
    return (f"{most} us", m.verdict(us, most)) if most else ("", "")


def main():
    runs = {}
    kinds = [kind for kind in KINDS if m.is_there(kind)]
    with m.scratch() as folder:
        for kind in kinds:
            with m.Load(*[m.endless(kind) for _ in m.CPUS]):
                m.record(folder, "-d", "0.5")  # caches of files and pages
                for i in range(ROUNDS):
                    for rate in RATES:
                        for name, options in WALKS[::1 if i % 2 else -1]:
                            m.say(f"{kind}, {rate} Hz, {name}, round {i + 1} of {ROUNDS}")
                            r = m.record(folder, "-F", str(rate), "-d", str(SECONDS), *options,
                                         comm=m.COMMS.get(kind))
                            runs.setdefault((kind, rate, name), []).append(r)
    header = ["work", "rate"]
    for name, _ in WALKS:
        header += [f"{name}: whole #", "user frames #", "us per sample #"]
    header += ["tables / frame pointers #", "unwound late #", "limit #", ""]
    rows = []
    for kind in kinds:
        for rate in RATES:
            by_walk = [runs[kind, rate, name] for name, _ in WALKS]
            cost = [m.median([r.ns_per_sample() for r in rs]) for rs in by_walk]
            rows.append([kind, f"{rate} Hz", *columns(by_walk[0]), *columns(by_walk[1]),
                         f"{cost[0] / cost[1]:.1f}",
                         m.spread([100 * r.late_share for r in by_walk[0]], "{:.1f} %"),
                         *limit(kind, rate, cost[0] / 1e3)])
    m.table(header, rows)


main()
