# SPDX-License-Identifier: BSD-2-Clause
"""flame: flame graph and report of a large file: 100,000 stacks, 31 frames of 28 bytes each."""
import os
import random

import measure as m

ROUNDS = 3
STACKS = 100000
FRAMES = 31
FRAME_BYTES = 28


def write_stacks(path):
    """Stacks that share their callers as real ones do: each continues a part of the one before."""
    chance = random.Random(1)
    names = [f"function_{i:05d}_".ljust(FRAME_BYTES, "x") for i in range(20000)]
    seen, stack = set(), []
    with open(path, "w") as f:
        while len(seen) < STACKS:
            depth = chance.randint(1, 2 * FRAMES - 1)
            stack = stack[:chance.randint(0, min(len(stack), depth))]
            while len(stack) < depth:
                stack.append(chance.choice(names))
            line = ";".join(stack)
            if line not in seen:
                seen.add(line)
                f.write(f"{line} {chance.randint(1, 100)}\n")


COMMANDS = (("fathom flame", lambda stacks, svg: ["flame", "-o", svg, stacks]),
            ("fathom report", lambda stacks, _: ["report", stacks]),
            ("fathom report --json", lambda stacks, _: ["report", "--json", stacks]))


def main():
    costs = {name: [] for name, _ in COMMANDS}
    with m.scratch() as folder:
        stacks, svg = f"{folder}/big.folded", f"{folder}/big.svg"
        write_stacks(stacks)
        megabytes = os.path.getsize(stacks) / 1e6
        for i in range(ROUNDS):
            for name, arguments in COMMANDS:
                m.say(f"round {i + 1} of {ROUNDS}, {name}")
                costs[name].append(m.run([m.FATHOM, *arguments(stacks, svg)], folder))
                if os.path.exists(svg):
                    svg_megabytes = os.path.getsize(svg) / 1e6
                    os.unlink(svg)
    print(f"{STACKS:,} stacks in {megabytes:.0f} MB; the flame graph has {svg_megabytes:.1f} MB.\n")
    m.table(["command", "wall, s #", "CPU, s #", "peak memory, MiB #"],
            [[f"`{name}`", m.spread([c["wall_ns"] / 1e9 for c in found], "{:.2f}"),
              m.spread([c["cpu_ns"] / 1e9 for c in found], "{:.2f}"),
              f"{max(c['rss_bytes'] for c in found) / 2**20:.0f}"]
             for name, found in costs.items()])


main()
