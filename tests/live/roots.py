# SPDX-License-Identifier: BSD-2-Clause
"""roots: whether a frame is where a program or a thread begins, by what others than fathom say.

Some are known by name. A place without a name, "[libc.so.6+0x10ea80]", is a root if it lies at the
file's entry, or if readelf finds that the file's own call frame information calls the return
address there undefined: nobody has called it.
"""
import functools
import gzip
import os
import re
import struct
import subprocess

NAMES = {
    "_start", "_rt0_amd64", "_rt0_arm64",
    # Where the C library's threads, and stacks of makecontext(3), begin.
    "clone", "__clone", "clone3", "__clone3", "__start_context", "thread_start",
    # The dynamic loader's own entry, and what it goes on to.
    "_dl_start_user",
    # Go: a goroutine's stack begins as if goexit had called; stacks of the runtime's own, below what
    # made them or switched to them (runtime/asm_amd64.s).
    "runtime.goexit", "runtime.mstart", "runtime.clone", "runtime.mcall", "runtime.morestack",
    "runtime.rt0_go", "_rt0_amd64_linux", "_rt0_arm64_linux",
}
# Of a recording that was made on another machine: its files, by their paths there.
FILES = os.environ.get("FILES", "")
ENTRY_BYTES = 96  # of _start, and of _dl_start_user behind it
ELF_ENTRY = 24  # offset of e_entry in an ELF64 header


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def files_of(profile):
    """Paths of the files in a pprof profile, by their last component: its string table has them."""
    with gzip.open(profile) as f:
        data = f.read()
    files, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:  # of that many bytes
            text = data[at:at + value].decode(errors="replace")
            at += value
            if key >> 3 != 6 or not text.startswith("/"):
                continue
            for path in (FILES + text, text):
                if os.path.isfile(path):
                    files[os.path.basename(text)] = path
                    break
    return files


@functools.lru_cache(maxsize=None)
def entry(path):
    with open(path, "rb") as f:
        return struct.unpack_from("<Q", f.read(64), ELF_ENTRY)[0]


@functools.lru_cache(maxsize=None)
def nobody_called(path):
    """Ranges of addresses whose return address is undefined."""
    dump = subprocess.run(["readelf", "--debug-dump=frames", path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    ranges, cies, current, cie = [], set(), None, None
    for line in dump.stdout.decode(errors="replace").splitlines():
        entry_of = re.match(r"([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ CIE", line)
        fde = re.search(r" FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)", line)
        if entry_of:
            current, cie = None, entry_of[1]
        elif fde:
            current = int(fde[2], 16), int(fde[3], 16)
            if fde[1] in cies:
                ranges.append(current)
        elif "DW_CFA_undefined: r16" in line or "DW_CFA_undefined: r30" in line:
            if current:
                ranges.append(current)
            else:
                cies.add(cie)
    return ranges


def is_root(frame, files):
    """'files' are those that the recording is about, see files_of()."""
    place = re.fullmatch(r"\[(.*)\+0x([0-9a-f]+)\]", frame)
    if not place:
        return frame.removesuffix(".abi0") in NAMES
    path = files.get(place[1])
    if not path:
        return False
    address = int(place[2], 16)
    if entry(path) <= address < entry(path) + ENTRY_BYTES:
        return True
    return any(start <= address < end for start, end in nobody_called(path))
