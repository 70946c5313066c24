# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scenarios: each in a fresh copy of a snapshot, all logs kept."""
import fcntl
import io
import shutil
import tarfile
import threading
import time
from pathlib import Path

from . import emulator, guests, repo
from .agent import AgentGone
from .cache import LAB, TOP, LabError, progress
from .scenario import Results

OUT = TOP / "build" / "lab"
# dom0 is asked this often whether it lives, and given up after this long.
PULSE, DEAD_AFTER = 10, 180
DRIVER = '. /lab/lib.sh; . "$1"; exit 0'
COLLECT = r"""
mkdir -p /lab/collect && cd /lab/collect || exit 1
journalctl -b --no-pager -o short-precise >journal.txt 2>&1
xl dmesg >xl-dmesg.txt 2>&1
xl list -v >xl-list.txt 2>&1
ps -efww >processes.txt 2>&1
xenstore-ls -fp >xenstore.txt 2>&1
systemctl --failed --no-pager >failed-units.txt 2>&1
cp -a /var/log/xen xen
cp -a /lab/guests/*.cfg . 2>/dev/null
tar -cf - --exclude='*.img' .
"""


def prepare(suite, machine, layer, extra=""):
    """(image, snapshot, data disks) for a scenario."""
    disks = {"media": guests.media()}
    if extra:
        disks["extra"] = getattr(guests, extra.replace("-", "_"))()
    if layer == "base":
        image, snapshot = emulator.base(suite, machine)
    else:
        image, snapshot, repository = repo.installed(suite, machine)
        disks["repo"] = repository / "repo.img"
    return image, snapshot, disks


def put_libraries(agent):
    """The functions and programs of scenarios, to /lab of dom0."""
    for lib in (TOP / "tests/lib/expect.sh", *(LAB / "dom0").glob("lib*")):
        agent.put(lib.read_bytes(), f"/lab/{lib.name}")


def unpack(data, target):
    """Regular files of a tar from dom0, by their names below `target` only."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            parts = [p for p in Path(member.name).parts if p not in ("/", ".", "..")]
            if not parts or not member.isfile():
                continue
            path = target.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as out:
                shutil.copyfileobj(tar.extractfile(member), out)


def collect(host, out):
    """Best effort: a dom0 that is gone leaves only the emulator's own logs."""
    if not host.alive():
        return
    data = io.BytesIO()
    try:
        host.agent.run(COLLECT, output=data.write, timeout=120)
        unpack(data.getvalue(), out / "dom0")
    except (LabError, TimeoutError, tarfile.TarError) as error:
        progress(f"dom0's logs could not all be collected: {error}")


class Pulse(threading.Thread):
    """Kills the emulator when dom0 has stopped answering."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.over, self.dead = host, threading.Event(), False
        self.start()

    def run(self):
        while not self.over.wait(PULSE):
            try:
                self.host.agent.run(["true"], timeout=DEAD_AFTER)
            except TimeoutError:
                self.dead = not self.over.is_set()
                if self.dead:
                    self.host.proc.kill()
                return
            except LabError:
                return


def drive(host, scenario, results, out):
    """The scenario itself; whatever goes wrong becomes a failed expectation."""
    pulse = Pulse(host)
    try:
        put_libraries(host.agent)
        host.agent.put(scenario.path.read_bytes(), "/lab/scenario.sh")
        with open(out / "scenario.log", "wb") as log:
            def output(data):
                log.write(data)
                log.flush()
                results.feed(data)
            status, _ = host.agent.run(["sh", "-c", DRIVER, "sh", "/lab/scenario.sh"], output=output,
                                       timeout=scenario.time_limit)
        results.finish()
        if status:
            results.add("failed", "the scenario runs to its end", f"its shell ended with status {status}")
        elif not results.expectations:
            results.add("failed", "the scenario states an expectation", "it printed none")
    except TimeoutError:
        results.finish()
        results.add("failed", "the scenario ends within its time limit", f"not after {scenario.time_limit} s")
    except AgentGone:
        results.finish()
        why = f"no answer for {DEAD_AFTER} s" if pulse.dead else "the emulator ended (did Xen or dom0 crash?)"
        results.add("failed", "dom0 stays alive", f"{why}; see {out / 'console.log'}")
        print(host.tail("console.log"))
    except LabError as error:
        results.add("failed", "the lab works", str(error))
    finally:
        pulse.over.set()


def run(scenario, suite, out=None):
    """Runs one scenario; its Results, also in OUT/results.json."""
    print(f"== {scenario.name} ({suite}): {scenario.summary}", flush=True)
    results = Results(show=lambda line: print(line, flush=True), show_log=scenario.show_log)
    if scenario.suites and suite not in scenario.suites:
        results.add("skipped", scenario.name, f"not for {suite}")
        return results
    out = out or OUT / (scenario.name if suite == "trixie" else f"{scenario.name}-{suite}")
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean(out)
        image, snapshot, disks = prepare(suite, scenario.machine, scenario.layer, scenario.extra)
        if scenario.repo != "no" and "repo" not in disks:
            make = repo.signed if scenario.repo == "signed" else repo.repository
            disks["repo"] = make(suite, image) / "repo.img"
        begin = time.monotonic()
        start_seconds = None
        try:
            with emulator.slot(), \
                    emulator.restore(image, snapshot, scenario.machine, out, disks) as host:
                results.start = begin = time.monotonic()
                start_seconds = round(host.start_seconds, 1)
                progress(f"dom0 answered {start_seconds} s after the emulator's start")
                drive(host, scenario, results, out)
                collect(host, out)
        except LabError as error:
            results.add("failed", "the host starts from its snapshot", str(error))
        for leftover in (*out.glob("*.empty"), out / "agent.sock", out / "qmp.sock"):
            leftover.unlink(missing_ok=True)
        results.save(out / "results.json", scenario=scenario.name, suite=suite, layer=scenario.layer,
                     machine=scenario.machine, snapshot=snapshot.name, start_seconds=start_seconds,
                     seconds=round(time.monotonic() - begin, 1))
    return results


def clean(out):
    for path in out.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
