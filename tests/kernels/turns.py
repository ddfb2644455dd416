# SPDX-License-Identifier: BSD-2-Clause
"""Whether a recording has every block of each() of tests/workloads/allocator.c, which was called again
and again: whole turns, to the byte. Of the first and of the last one a part may be missing, for the
recording begins and ends when it likes.

    turns.py RUN AT_LEAST AT_MOST [--allocated-only]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../live"))
import memories  # pylint: disable=wrong-import-position

# Bytes of each call, and which call's block a realloc takes back. What is left is never freed.
CALLS = [(1001, None), (3000, None), (2001, None), (40001, 0), (50000, 2), (6001, None), (6400, None),
         (7001, None), (8001, None)]


def account(first, end):
    """(objects, bytes, objects in use, bytes in use) after the calls from 'first' until 'end'."""
    made, freed = CALLS[first:end], [old for _, old in CALLS[first:end] if old is not None]
    back = [CALLS[old][0] for old in freed if first <= old < end]
    total = sum(n for n, _ in made)
    return len(made), total, len(made) - len(back), total - sum(back)


def main():
    folder, at_least, at_most, *options = sys.argv[1:]
    run = memories.Run(folder, "alloc")
    values = run.of("each")
    names = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
    if options:
        names = names[:2]
    got = [values[name] for name in names]
    whole = account(0, len(CALLS))
    for turns in range(int(at_least), int(at_most) + 1):
        for first in range(1, len(CALLS) + 1):
            for end in range(len(CALLS)):
                parts = zip(whole, account(first, len(CALLS)), account(0, end))
                if [w * turns + a + b for w, a, b in parts][:len(got)] == got:
                    return 0
    if 0 < run.lost() <= 2:
        print("a block is missing, which is counted as lost")
        return 0
    print(f"not {at_least} to {at_most} turns of {whole}, nor with parts of two more:", got)
    return 1


if __name__ == "__main__":
    sys.exit(main())
