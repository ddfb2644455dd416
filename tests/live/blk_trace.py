# SPDX-License-Identifier: BSD-2-Clause
"""blk_trace: how long requests took, from blktrace's events: blk_trace.py FILE [PID]

FILE has records of struct blk_io_trace in the byte order of the machine
(include/uapi/linux/blktrace_api.h). As a program it prints JSON, with PID of those only that this thread has queued:
  {"read": {"q2c": {"n": N, "mean_ns": N, "p50_ns": N, ...}, "d2c": {...}}, "write": ...,
   "unpaired": N}
unpaired: completions whose beginning is not in the file, or is not told apart from another's.
"""
import json
import math
import struct
import sys
from collections import defaultdict

RECORD = struct.Struct("=IIQQIIIIIHH")
MAGIC = 0x65617400
ACTIONS = {1: "queue", 6: "requeue", 7: "issue", 8: "complete"}
WRITE = 1 << (1 + 16)  # BLK_TC_WRITE above BLK_TC_SHIFT
FLUSH, DISCARD = 1 << (2 + 16), 1 << (13 + 16)
QUANTILES = (50, 90, 95, 99)


def events(path):
    """(time_ns, action, sector, bytes, is_write, pid), in the order of time."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while at + RECORD.size <= len(data):
        (magic, _, time, sector, size, action, pid, _, _, _, more) = RECORD.unpack_from(data, at)
        if magic & 0xffffff00 != MAGIC:
            raise ValueError(f"{path}: no record at byte {at}")
        at += RECORD.size + more
        name = ACTIONS.get(action & 0xffff)
        if name and size and not action & DISCARD:
            found.append((time, name, sector, size, bool(action & WRITE), pid))
    return sorted(found)


def requests(path, wanted=None):
    """Of each request that ended, and that the thread 'wanted' had queued if there is one:
    (is_write, bytes, q2c_ns or None, d2c_ns); and how many completions are without a beginning. One is known by its first sector and direction, as btt
    does it; where two such are on their way at once, neither is used."""
    queued, issued = defaultdict(list), defaultdict(list)
    found, unpaired = [], 0
    for time, action, sector, size, is_write, pid in events(path):
        key = sector, is_write
        if action == "queue":
            queued[key].append((time, pid))
        elif action == "issue":
            issued[key].append(time)
        elif action == "requeue":
            issued.pop(key, None)
        else:
            starts, begins = issued.pop(key, []), queued.pop(key, [])
            if len(starts) != 1 or len(begins) > 1:
                unpaired += 1
                continue
            began, by = begins[0] if begins else (None, None)
            if wanted in (None, by):
                found.append((is_write, size, time - began if begins else None, time - starts[0]))
    return found, unpaired


def quantile(ordered, percent):
    """The nearest rank."""
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def stage(values):
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    return {"n": len(ordered), "mean_ns": round(sum(ordered) / len(ordered)),
            "max_ns": ordered[-1],
            **{f"p{percent}_ns": quantile(ordered, percent) for percent in QUANTILES}}


def summary(path, wanted=None):
    found, unpaired = requests(path, wanted and int(wanted))
    result = {"unpaired": unpaired}
    for name, is_write in (("read", False), ("write", True)):
        own = [r for r in found if r[0] == is_write]
        if own:
            result[name] = {"bytes": sum(r[1] for r in own),
                            "q2c": stage(r[2] for r in own if r[2] is not None),
                            "d2c": stage(r[3] for r in own)}
    return result


if __name__ == "__main__":
    print(json.dumps(summary(*sys.argv[1:]), indent=1))
