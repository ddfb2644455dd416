# SPDX-License-Identifier: BSD-2-Clause
"""shim_events: what the kernel saw of the shim's probes, against what a workload says it did.

	shim_events.py compare TRACE TRUTH TRACE0 TRUTH0
	shim_events.py estimate TRACE TRUTH TRACE0 TRUTH0
	shim_events.py callers TRACE LIBRARY

TRACE is the text of a tracefs instance; those with 0 are of the same workload that does no rounds:
the difference is what its rounds did, without what libc did for itself. Says what differs, and ends
with 1.
"""
import collections
import json
import re
import subprocess
import sys

ONE = 1 << 20
LINE = re.compile(r'-(\d+)\s+\(\s*(\d+|-+)\)\s+\[\d+\].*?\s([\d.]+): (\w+): \((0x[0-9a-f]+)\)(.*)')


def events(path):
    """(process, probe, place, arguments) in the order of time"""
    found = []
    for line in open(path, encoding='utf-8', errors='replace'):
        if line.startswith('#'):
            if 'LOST' in line:
                sys.exit('the kernel lost events')
            continue
        m = LINE.search(line)
        if not m:
            sys.exit('cannot read: ' + line)
        thread, process, time, name, place, rest = m.groups()
        args = {k: int(v, 0) for k, v in re.findall(r'(\w+)=(\w+)', rest)}
        found.append((float(time), process, thread, name, int(place, 16), args))
    found.sort(key=lambda e: e[0])
    return found


def replay(path):
    """Sums of what was made and freed, in units of 1 / ONE."""
    sums = collections.Counter()
    blocks, moving = {}, {}
    first = None
    for _, process, thread, name, _, a in events(path):
        first = first or process

        def free(block, temporary):
            nbytes, weight = block
            sums['freed_objects'] += weight
            sums['freed_bytes'] += weight * nbytes
            if temporary:
                sums['temporary_objects'] += weight
                sums['temporary_bytes'] += weight * nbytes

        if name == 'made' or name == 'mapped':
            key = process, a['address']
            if key in blocks:
                sys.exit('given out twice: %#x' % a['address'])
            weight = a.get('weight', ONE)
            blocks[key] = a['bytes'], weight
            sums['objects'] += weight
            sums['bytes'] += weight * a['bytes']
            sums['kept'] += 1
        elif name == 'unmapped':
            key = process, a['address']
            nbytes, weight = blocks.pop(key)
            sums['freed_bytes'] += a['bytes'] * weight
            if a['bytes'] == nbytes:
                sums['freed_objects'] += weight
            else:
                blocks[key] = nbytes - a['bytes'], weight
        elif name == 'freed' or name == 'moving':
            block = blocks.pop((process, a['address']), None)
            if block is None:
                if process == first:
                    sys.exit('freed, but never given out: %#x' % a['address'])
                continue  # a child frees what its parent had
            if name == 'freed':
                free(block, a['temporary'])
            else:
                moving[thread] = a['address'], block
        elif name == 'moved' and thread in moving:
            address, block = moving.pop(thread)
            if a['address'] != address:
                sys.exit('moved is not what is moving')
            if a['ok']:
                free(block, False)
            else:
                blocks[process, address] = block
    for nbytes, weight in blocks.values():
        sums['leaked_objects'] += weight
        sums['leaked_bytes'] += weight * nbytes
    return sums


def truth(path):
    sums = collections.Counter()
    for site in json.load(open(path, encoding='utf-8')).values():
        sums.update(site)
    return sums


def compare(trace, told, trace0, told0, margin=None):
    seen, seen0, want, want0 = replay(trace), replay(trace0), truth(told), truth(told0)
    wrong = []
    for key in sorted(want):
        have, expected = (seen[key] - seen0[key]) / ONE, want[key] - want0[key]
        if margin is None and have != expected:
            wrong.append('%s: %s, not %d' % (key, have, expected))
        if margin is not None and key in ('bytes', 'freed_bytes') and \
                abs(have - expected) > margin * expected:
            wrong.append('%s: %s, not %d' % (key, have, expected))
    if not want['objects'] > want0['objects']:
        wrong.append('the workload did nothing')
    sys.exit('\n'.join(wrong) if wrong else 0)


def callers(trace, library):
    """The function above a probe is the one that the program has called."""
    table = subprocess.run(['nm', '-S', '--defined-only', library], check=True, capture_output=True,
                           text=True).stdout
    functions, probes = [], {}
    for line in table.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[2] in 'Tt':
            functions.append((int(parts[0], 16), int(parts[1], 16), parts[3], parts[2]))
            if parts[3].startswith('probe_'):
                probes[parts[3]] = int(parts[0], 16)
    seen = collections.Counter()
    for _, _, _, name, place, a in events(trace):
        caller = a['caller'] - place + probes['probe_' + name]
        inside = [f for f in functions if f[0] < caller <= f[0] + f[1]]
        seen[name, inside[0][2] if inside and inside[0][3] == 'T' else 'unknown'] += 1
    print(dict(seen))
    if not seen or any(f == 'unknown' for _, f in seen):
        sys.exit(1)
    want = {('made', f) for f in ('malloc', 'calloc', 'realloc', 'reallocarray', 'posix_memalign',
                                  'aligned_alloc', 'memalign', 'valloc', 'pvalloc')}
    want |= {('freed', 'free'), ('moving', 'realloc'), ('moved', 'reallocarray')}
    if not want <= set(seen):
        sys.exit('never seen: %s' % (want - set(seen)))


if sys.argv[1] == 'compare':
    compare(*sys.argv[2:6])
elif sys.argv[1] == 'estimate':
    compare(*sys.argv[2:6], margin=0.2)
else:
    callers(*sys.argv[2:4])
