# SPDX-License-Identifier: BSD-2-Clause
"""kernel: the share of busy CPU time that the programs in the kernel take."""
import measure as m

ROUNDS = 5
SECONDS = 4
LIMIT_PERCENT = 0.1


def main():
    shares = {99: [], 999: []}
    per_sample = {99: [], 999: []}
    kinds = ("python3", "xz", "gcc")
    with m.scratch() as folder, m.Load(*[m.endless(kind) for kind in kinds]):
        for i in range(ROUNDS):
            for rate in shares:
                m.say(f"round {i + 1} of {ROUNDS}, {rate} Hz")
                r = m.record(folder, "-F", str(rate), "-d", str(SECONDS))
                shares[rate].append(r.cost["kernel_ns"] / 1e7 / r.busy_seconds())
                per_sample[rate].append(r.ns_per_sample() / 1e3)
    m.table(["rate", "us per sample: median (range) #", "% of a busy CPU: median (range) #",
             "limit #", ""],
            [[f"{rate} Hz", m.spread(per_sample[rate], "{:.2f}"), m.spread(shares[rate], "{:.3f}"),
              f"{LIMIT_PERCENT} %" if rate == 99 else "-",
              m.verdict(m.median(shares[rate]), LIMIT_PERCENT) if rate == 99 else ""]
             for rate in shares])


main()
