# SPDX-License-Identifier: BSD-2-Clause
"""A pprof profile on standard output, of samples in time: lines of "MS|- COUNT FRAME;FRAME" on
standard input, the root first; MS is the label time_ns, "-" is none. Slots of all of them make two
seconds."""
import sys

strings, functions = [""], []


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def string(text):
    if text not in strings:
        strings.append(text)
    return strings.index(text)


def label(key, **values):
    body = number(1, string(key))
    for field, value in ((2, values.get("text")), (4, values.get("unit"))):
        if value:
            body += number(field, string(value))
    if values.get("n"):
        body += number(3, values["n"])
    return message(3, body)


samples = b""
for line in sys.stdin:
    ms, count, stack = line.split()
    body = b""
    for name in reversed(stack.split(";")):
        if name not in functions:
            functions.append(name)
        body += number(1, functions.index(name) + 1)
    body += number(2, int(count)) + label("process", text="sh")
    if ms != "-":
        body += label("time_ns", n=int(ms) * 1000000, unit="nanoseconds")
    samples += message(2, body)
profile = message(1, number(1, string("samples")) + number(2, string("count"))) + samples
for i, name in enumerate(functions, 1):
    profile += message(4, number(1, i) + message(4, number(1, i)))
    profile += message(5, number(1, i) + number(2, string(name)))
for text in strings:
    profile += message(6, text.encode())
profile += number(9, 1700000000000000000) + number(10, 2000000000)
sys.stdout.buffer.write(profile)
