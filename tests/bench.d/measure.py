# SPDX-License-Identifier: BSD-2-Clause
"""measure: runs fathom, loads and other programs, and makes tables of what they cost.

A part of the benchmark is a program that prints one or more Markdown tables. It gets its
surroundings from tests/bench: FATHOM (the program), BENCH (the folder of the helper programs).
"""
import glob
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FATHOM = os.environ["FATHOM"]
BENCH = os.environ["BENCH"]
CPUS = sorted(os.sched_getaffinity(0))

median = statistics.median


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def scratch():
    """A folder for a 'with' statement, gone at its end."""
    return tempfile.TemporaryDirectory(prefix="fathom-bench-")


# --- programs --------------------------------------------------------------------------------


class Costed:
    """A program under 'cost', which says what it took as seen from outside."""

    def __init__(self, argv, folder):
        handle, self.file = tempfile.mkstemp(prefix="cost-", dir=folder)
        os.close(handle)
        self.argv = argv
        self.process = subprocess.Popen(
            [f"{BENCH}/cost", self.file, *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self, allowed=(0,)):
        _, errors = self.process.communicate()
        with open(self.file) as f:
            cost = json.load(f)
        if cost["status"] not in allowed:
            raise RuntimeError(f"{' '.join(self.argv)}: exit status {cost['status']}: "
                               f"{errors.decode(errors='replace')[-500:]}")
        return cost


def run(argv, folder):
    return Costed(argv, folder).wait()


class Load:
    """Commands that run side by side until the end of the 'with' block."""

    def __init__(self, *commands):
        self.commands = commands
        self.processes = []

    def __enter__(self):
        for command in self.commands:
            self.processes.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True))
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


# --- loads -----------------------------------------------------------------------------------

PYTHON = """
import json, sys
def walk(x, depth):
    if depth:
        return walk(x, depth - 1)
    return sum(len(json.dumps(v)) for v in x) + len(sorted(map(str, x)))
data = [{"key%d" % i: [i, i * 0.5, "text" * (i % 7)]} for i in range(200)]
n = int(sys.argv[1])
while n:
    walk(data, 20)
    n -= 1
"""

PERL = """
sub walk { my ($d) = @_; return $d ? walk($d - 1) : work(); }
sub work { my %h; $h{$_ % 97} .= chr(65 + $_ % 26) for 1 .. 500; my $n = 0;
           for (sort keys %h) { $n++ if $h{$_} =~ /A.*B(C|D)/; } return $n; }
walk(20) while 1;
"""


def forever(command):
    return ["sh", "-c", f"while :; do {command}; done"]


def sources():
    names = sorted(glob.glob("user/base/*.c") + glob.glob("user/model/*.c"))
    return [name for name in names if not name.endswith("host_info.c")]


def compiler():
    return os.environ.get("CC") or "gcc"


def compile_one():
    return f"{compiler()} -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -c"


def endless(kind):
    """The command of a load that never ends, for one CPU."""
    if kind == "python3":
        return [sys.executable, "-c", PYTHON, "-1"]
    if kind == "perl":
        return ["perl", "-e", PERL]
    if kind == "xz":
        return forever(f"xz -6 -T1 -c '{FATHOM}' >/dev/null")
    if kind == "gcc":
        return forever(f"for f in {' '.join(sources())}; do {compile_one()} $f -o /dev/null; done")
    if kind == "deep C":
        return [f"{BENCH}/deep", "60"]
    raise ValueError(kind)


# --- recordings ------------------------------------------------------------------------------


def stack_depths(path):
    """Mean frames of a sample in a folded file: of user stacks, and kernel frames."""
    samples = user = kernel = 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            stack, _, count = line.rstrip("\n").rpartition(" ")
            frames = stack.split(";")[1:]  # the first is the comm
            in_kernel = sum(frame.endswith("_[k]") for frame in frames)
            samples += int(count)
            kernel += int(count) * in_kernel
            user += int(count) * (len(frames) - in_kernel)
    return (user / samples, kernel / samples) if samples else (0, 0)


class Recording:
    """A finished run folder: its summary's first collector, and the mean depth of its stacks."""

    def __init__(self, folder):
        with open(f"{folder}/summary.json") as f:
            self.summary = json.load(f)
        collector = self.summary["collectors"][0]
        self.cost = collector["cost"]
        self.ledger = collector["ledger"]
        self.rate_hz = collector["rate_hz"]
        self.complete_share = collector["stacks"]["complete_share"]
        self.user_frames, self.kernel_frames = stack_depths(f"{folder}/cpu.folded")
        shutil.rmtree(folder)

    def busy_seconds(self):
        """CPU seconds that were not idle, by the sampling events' own count."""
        return (self.ledger["fired"] - self.ledger["lost"]["filtered_idle"]) / self.rate_hz

    def ns_per_sample(self):
        return self.cost["kernel_ns"] / self.ledger["kept"]


def record(folder, *arguments):
    """Records the whole machine as the arguments say; they must end the recording."""
    out = f"{folder}/run"
    run([FATHOM, "record", "-q", "-a", "-o", out, *arguments], folder)
    return Recording(out)


# --- tables ----------------------------------------------------------------------------------


def table(header, rows):
    """Prints a Markdown table; columns of figures are told by their header's trailing '#'."""
    print("| " + " | ".join(h.rstrip("#").strip() for h in header) + " |")
    print("|" + "|".join("--:" if h.endswith("#") else "---" for h in header) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def verdict(value, limit):
    return "PASS" if value <= limit else "over limit"


def spread(values, form):
    """Median, and from lowest to highest where there is more than one value."""
    text = form.format(median(values))
    if len(values) > 1:
        text += f" ({form.format(min(values))} to {form.format(max(values))})"
    return text
