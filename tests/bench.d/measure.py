# SPDX-License-Identifier: BSD-2-Clause
"""measure: runs fathom, loads and other programs, and makes tables of what they cost.

A part of the benchmark is a program that prints one or more Markdown tables. It gets its
surroundings from tests/bench: FATHOM (the program), BENCH (the folder of the helper programs).
"""
import fnmatch
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

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../live"))
import roots  # pylint: disable=wrong-import-position

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


JAVASCRIPT = """
const crypto = require("crypto"), zlib = require("zlib");
function mix(n) { let x = 1; for (let i = 0; i < n; i++) x = (x * 31 + i) % 1000003; return x; }
function objects(n) { const a = []; for (let i = 0; i < n; i++) a.push({ k: "key" + i, v: mix(i) });
    a.sort((p, q) => p.v - q.v); return JSON.parse(JSON.stringify(a)); }
for (;;) { mix(100000); objects(500); "a b c ".repeat(500).replace(/(\\w) /g, "$1");
    crypto.createHash("sha256").update("x".repeat(10000)).digest();
    zlib.deflateSync("y".repeat(20000)); }
"""

# Whose stacks are looked at, where the command is not the program itself.
COMMS = {"python3": "python*", "perl": "perl", "xz": "xz", "gzip": "gzip", "cc1": "cc1",
         "node": "node", "openssl": "openssl", "gcc": "*", "deep C": "deep"}


def forever(command):
    return ["sh", "-c", f"while :; do {command}; done"]


def sources():
    names = sorted(glob.glob("user/base/*.c") + glob.glob("user/model/*.c"))
    return [name for name in names if not name.endswith("host_info.c")]


def compiler():
    return os.environ.get("CC") or "gcc"


def large_source():
    """A file that takes the compiler some seconds, made once."""
    path = f"{BENCH}/large.c"
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as f:
            for i in range(3000):
                f.write(f"int f{i}(int *a, int n) {{ int s = {i}; for (int i = 0; i < n; i++) "
                        f"s += a[i] > {i} ? a[i] * s : s / (a[i] | 1); return s; }}\n")
    return path


def is_there(kind):
    """Whether a load's program is installed."""
    program = {"cc1": compiler(), "gcc": compiler(), "deep C": "sh"}.get(kind, kind)
    return shutil.which(program) is not None


def compile_one():
    return f"{compiler()} -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -c"


def endless(kind):
    """The command of a load that never ends, for one CPU."""
    if kind == "python3":
        return [sys.executable, "-c", PYTHON, "-1"]
    if kind == "perl":
        return ["perl", "-e", PERL]
    if kind in ("xz", "gzip"):
        return forever(f"{kind} -6 -c '{FATHOM}' >/dev/null")
    if kind == "cc1":
        return forever(f"{compiler()} -O2 -c '{large_source()}' -o /dev/null")
    if kind == "node":
        return ["node", "-e", JAVASCRIPT]
    if kind == "openssl":
        return forever("openssl speed -seconds 1 sha256 rsa2048 aes-128-cbc")
    if kind == "gcc":
        return forever(f"for f in {' '.join(sources())}; do {compile_one()} $f -o /dev/null; done")
    if kind == "deep C":
        return [f"{BENCH}/deep", "60"]
    raise ValueError(kind)


# --- recordings ------------------------------------------------------------------------------


class Recording:
    """A finished run folder: its summary's first collector, and the user stacks in it of the
    processes whose comm matches a glob: how many there are, how many are whole, and mean frames."""

    def __init__(self, folder, comm="*"):
        with open(f"{folder}/summary.json") as f:
            self.summary = json.load(f)
        collector = self.summary["collectors"][0]
        self.cost = collector["cost"]
        self.ledger = collector["ledger"]
        self.rate_hz = collector["rate_hz"]
        deferred = (collector.get("unwind") or {}).get("deferred", 0)
        self.late_share = deferred / self.ledger["kept"]
        self.user_samples = self.user_whole = frames_of_all = 0
        files = roots.files_of(f"{folder}/cpu.pb.gz")
        for root, frames, n in stacks_in(f"{folder}/cpu.folded"):
            if frames and fnmatch.fnmatchcase(root, comm):
                self.user_samples += n
                self.user_whole += n * roots.is_root(frames[0], files)
                frames_of_all += n * len(frames)
        self.user_frames = frames_of_all / max(self.user_samples, 1)
        shutil.rmtree(folder)

    def busy_seconds(self):
        """CPU seconds that were not idle, by the sampling events' own count."""
        return (self.ledger["fired"] - self.ledger["lost"]["filtered_idle"]) / self.rate_hz

    def ns_per_sample(self):
        return self.cost["kernel_ns"] / self.ledger["kept"]


def stacks_in(path):
    """Of a folded file: comm, user frames without inlined ones, and how often."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            stack, _, count = line.rstrip("\n").rpartition(" ")
            comm, *frames = stack.split(";")
            own = [frame for frame in frames if not frame.endswith(("_[k]", "_[i]"))]
            yield comm, own, int(count)


def record(folder, *arguments, comm="*"):
    """Records the whole machine as the arguments say; they must end the recording."""
    out = f"{folder}/run"
    run([FATHOM, "record", "-q", "-a", "-o", out, *arguments], folder)
    return Recording(out, comm or "*")


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
