# SPDX-License-Identifier: BSD-2-Clause
"""kinds: what a sample costs in the kernel, by what it interrupts and how its stack is walked."""
import measure as m

ROUNDS = 3
SECONDS = 2
KINDS = ("python3", "perl", "xz", "gcc", "deep C")
RATES = (99, 999)
# How the user stack is walked: a name, and what 'record' is told for it.
UNWINDERS = (("frame pointers", ()),)


def main():
    runs = {}
    with m.scratch() as folder:
        for kind in KINDS:
            with m.Load(*[m.endless(kind) for _ in m.CPUS]):
                for i in range(ROUNDS):
                    for rate in RATES:
                        for name, options in UNWINDERS:
                            m.say(f"{kind}, {rate} Hz, {name}, round {i + 1} of {ROUNDS}")
                            r = m.record(folder, "-F", str(rate), "-d", str(SECONDS), *options)
                            runs.setdefault((kind, rate, name), []).append(r)
    header = ["work", "rate"]
    for name, _ in UNWINDERS:
        header += [f"{name}: user frames #", "kernel frames #", "complete #", "us per sample #"]
    rows = []
    for kind in KINDS:
        for rate in RATES:
            row = [kind, f"{rate} Hz"]
            for name, _ in UNWINDERS:
                rs = runs[kind, rate, name]
                row += [f"{m.median([r.user_frames for r in rs]):.1f}",
                        f"{m.median([r.kernel_frames for r in rs]):.1f}",
                        f"{100 * m.median([r.complete_share for r in rs]):.0f} %",
                        m.spread([r.ns_per_sample() / 1e3 for r in rs], "{:.2f}")]
            rows.append(row)
    m.table(header, rows)


main()
