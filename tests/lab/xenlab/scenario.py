# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario files: their header, and the results their output stands for."""
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from .cache import LAB, LabError

# What /dev/vdd of the host may hold: nothing, or a disk that guests.py makes.
EXTRAS = ("", "debian", "tools", "driver", "root-initramfs-tools", "root-dracut", "dkms")
# What the small guests boot: guest/kernel.config, or that with guest/KERNEL.config on top.
KERNELS = ("", "sanitizer")
# What /dev/vdc holds in layer base (in the other it is what was installed from).
REPOS = ("no", "yes", "signed")
KEYS = {"summary", "layer", "time-limit", "suites", "machine", "repo", "extra", "show-log", "reboots", "hosts", "kernel", "length"}


@dataclass
class Scenario:
    name: str
    path: Path
    summary: str = ""
    layer: str = "installed"
    time_limit: int = 900
    suites: tuple = ()
    machine: str = "plain"
    repo: str = "no"
    extra: str = ""
    show_log: bool = False
    reboots: bool = False
    hosts: int = 1
    kernel: str = ""
    length: int = 0             # seconds of what can be done for as long as one likes; 0: nothing can


def parse_header(text, where="scenario"):
    """The `# key: value` lines of the comment the file starts with."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("#"):
            break
        key, colon, value = line[1:].strip().partition(":")
        if not colon or " " in key or key.startswith(("SPDX", "shellcheck", "!")):
            continue
        if key not in KEYS:
            raise LabError(f"{where}:{number}: unknown key '{key}' (known: {', '.join(sorted(KEYS))})")
        if key in found:
            raise LabError(f"{where}:{number}: '{key}' is given twice")
        found[key] = value.strip()
    return found


def yes_or_no(header, key, path):
    value = header.get(key, "no")
    if value not in ("yes", "no"):
        raise LabError(f"{path}: {key} is yes or no, not '{value}'")
    return value == "yes"


def load(name):
    """NAME of tests/lab/scenarios/, or the path of any scenario file."""
    path = Path(name) if "/" in name else LAB / "scenarios" / f"{name}.sh"
    try:
        text = path.read_text()
    except OSError as error:
        raise LabError(f"no scenario {name}: {error.strerror}: {path}") from None
    header = parse_header(text, str(path))
    made = Scenario(path.stem, path, header.get("summary", ""))
    made.layer = header.get("layer", made.layer)
    if made.layer not in ("base", "installed"):
        raise LabError(f"{path}: layer must be base or installed, not '{made.layer}'")
    limit = header.get("time-limit", str(made.time_limit))
    if not limit.isdigit() or not int(limit):
        raise LabError(f"{path}: time-limit is a number of seconds, not '{limit}'")
    made.time_limit = int(limit)
    length = header.get("length", "0")
    if not length.isdigit():
        raise LabError(f"{path}: length is a number of seconds, not '{length}'")
    made.length = int(length)
    made.suites = tuple(header.get("suites", "").split())
    hosts = header.get("hosts", "1")
    if hosts not in ("1", "2"):
        raise LabError(f"{path}: hosts is 1 or 2, not '{hosts}'")
    made.hosts = int(hosts)
    made.machine = header.get("machine", "net" if made.hosts == 2 else made.machine)
    made.repo = header.get("repo", made.repo)
    if made.repo not in REPOS or (made.repo == "signed" and made.layer != "base"):
        raise LabError(f"{path}: repo is one of {', '.join(REPOS)}, signed in layer base only")
    made.extra = header.get("extra", "")
    if made.extra not in EXTRAS:
        raise LabError(f"{path}: extra is one of {', '.join(EXTRAS[1:])}, not '{made.extra}'")
    made.kernel = header.get("kernel", "")
    if made.kernel not in KERNELS:
        raise LabError(f"{path}: kernel is {', '.join(KERNELS[1:])}, not '{made.kernel}'")
    made.show_log = yes_or_no(header, "show-log", path)
    made.reboots = yes_or_no(header, "reboots", path)
    if made.hosts == 2 and (made.reboots or made.machine != "net"):
        raise LabError(f"{path}: two hosts are of machine net, and do not reboot")
    return made


def lengthen(made, seconds):
    """It is to go on for so long, where it can."""
    if made.length and seconds:
        made.time_limit += 2 * max(0, seconds - made.length)
        made.length = seconds


@dataclass
class Results:
    """Fed with the scenario's output; prints an expectation when it comes."""
    show: object = print
    show_log: bool = False      # what log() and run() of lib.sh wrote, too
    expectations: list = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    start: float = field(default_factory=time.monotonic)
    _rest: bytes = b""

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace"))

    def finish(self):
        if self._rest:
            self.feed(b"\n")

    def line(self, line):
        for prefix, kind in (("ok - ", "passed"), ("not ok - ", "failed"), ("skip - ", "skipped")):
            if line.startswith(prefix):
                text, _, why = line[len(prefix):].partition(": ")
                self.add(kind, text, why)
                return
        if line.startswith("note "):
            _, key, value = (line + "  ").split(" ", 2)
            self.notes[key] = value.strip()
            self.show(line)
        elif self.show_log and line.startswith("| "):
            self.show(line[2:])

    def add(self, kind, text, why=""):
        at = round(time.monotonic() - self.start, 1)
        self.expectations.append({"result": kind, "text": text, "why": why, "at": at})
        word = {"passed": "ok", "failed": "not ok", "skipped": "skip"}[kind]
        self.show(f"{word} - {text}" + (f": {why}" if why else ""))

    def count(self, kind):
        return sum(e["result"] == kind for e in self.expectations)

    def save(self, path, **more):
        more.update(passed=self.count("passed"), failed=self.count("failed"), skipped=self.count("skipped"),
                    notes=self.notes, expectations=self.expectations)
        path.write_text(json.dumps(more, indent=1) + "\n")
