# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scenarios: each in a fresh copy of a snapshot, all logs kept."""
import contextlib
import fcntl
import io
import itertools
import os
import shutil
import tarfile
import threading
import time
from pathlib import Path

from . import emulator, guests, repo, splat
from .agent import AgentGone
from .cache import LAB, TOP, LabError, progress
from .scenario import Results

OUT = TOP / "build" / "lab"
# dom0 is asked this often whether it lives, and given up after this long.
PULSE, DEAD_AFTER = 10, 180
# How a scenario ends that wants the host to be rebooted: reboot_host of dom0/lib-hosts.sh.
REBOOT = 88
# A kernel that looks for its own mistakes needs so many times as long for all it does.
SLOWER = 4
DRIVER = '. /lab/lib.sh; . "$1"; exit 0'
# Two hosts of one snapshot are told apart here.  Their guests' bridges, xenbr0, are not joined.
LAN = r"""
set -e
hostname "xenlab$1"
ip link set eth0 address "52:54:00:77:01:0$1"
ip addr add "10.78.0.$1/24" dev eth0
ip link set eth0 up
systemd-run --quiet --unit=lab-remote -p KillMode=process -E PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	python3 /lab/lib-hosts.py serve "10.78.0.$1"
"""
REACH = r"""
for i in $(seq 30); do
	[ "$(python3 /lab/lib-hosts.py run 10.78.0.2 hostname 2>&1)" != xenlab2 ] || exit 0
	sleep 1
done
ip addr; ip neigh; dmesg | grep -i e1000 | tail; exit 1
"""
COLLECT = r"""
mkdir -p /lab/collect && cd /lab/collect || exit 1
journalctl --no-pager -o short-precise >journal.txt 2>&1
xl dmesg >xl-dmesg.txt 2>&1
xl list -v >xl-list.txt 2>&1
ps -efww >processes.txt 2>&1
xenstore-ls -fp >xenstore.txt 2>&1
systemctl --failed --no-pager >failed-units.txt 2>&1
cp -a /var/log/xen xen
cp -a /lab/guests/*.cfg . 2>/dev/null
tar -cf - --exclude='*.img' .
"""


def prepare(suite, machine, layer, extra="", kernel=""):
    """(image, snapshot, data disks) for a scenario."""
    disks = {"media": guests.media(kernel)}
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


@contextlib.contextmanager
def neighbour(host, where):
    """A second host of the same snapshot, in one network with `host`."""
    image, snapshot, machine, out, disks = where
    with emulator.restore(image, snapshot, machine, out / "host2", disks) as other:
        emulator.join(host, other)
        for number, one in enumerate((host, other), 1):
            put_libraries(one.agent)
            one.agent.check(["sh", "-c", LAN, "sh", str(number)], "setting up the network of two hosts")
        host.agent.check(REACH, "reaching the second host", timeout=600)
        pulse = Pulse(other)
        try:
            yield other
        finally:
            pulse.over.set()
            collect(other, out / "host2")


def drive(host, scenario, results, out, boot, end):
    """The scenario itself; whatever goes wrong becomes a failed expectation.  True: it
    wants to go on after a reboot."""
    pulse = Pulse(host)
    try:
        put_libraries(host.agent)
        host.agent.put(scenario.path.read_bytes(), "/lab/scenario.sh")
        with open(out / "scenario.log", "ab") as log:
            def output(data):
                log.write(data)
                log.flush()
                results.feed(data)
            status, _ = host.agent.run(["sh", "-c", DRIVER, "sh", "/lab/scenario.sh"], output=output,
                                       timeout=end - time.monotonic(),
                                       env={"LAB_BOOT": str(boot), "LAB_SLOW": str(SLOWER if scenario.kernel else 1),
                                            "LAB_LENGTH": str(scenario.length), "LAB_SEED": os.environ.get("LAB_SEED", "")})
        results.finish()
        if status == REBOOT and scenario.reboots:
            return True
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
    return False


def play(scenario, results, host, where, root):
    """Drives the scenario in its host, and again in what is left of it after each reboot."""
    out = where[3]
    end = time.monotonic() + scenario.time_limit
    try:
        for boot in itertools.count(1):
            with host, neighbour(host, where) if scenario.hosts == 2 else contextlib.nullcontext() as other:
                if not drive(host, scenario, results, out, boot, end):
                    collect(host, out)
                    if scenario.kernel:
                        splat.judge(out / "dom0" / "xen", results)
                    if other and not other.alive():
                        results.add("failed", "the second host stays alive", f"see {out / 'host2/console.log'}")
                    return
                host.reboot(max(1, end - time.monotonic()))
            host = emulator.boot_again(*where, root)
            progress(f"dom0 is up again after {host.start_seconds:.0f} s")
    except LabError as error:
        results.add("failed", "the lab works", str(error))


def run(scenario, suite, out=None):
    """Runs one scenario; its Results, also in OUT/results.json."""
    print(f"== {scenario.name} ({', '.join(filter(None, [suite, scenario.kernel]))}): {scenario.summary}", flush=True)
    results = Results(show=lambda line: print(line, flush=True), show_log=scenario.show_log)
    if scenario.suites and suite not in scenario.suites:
        results.add("skipped", scenario.name, f"not for {suite}")
        return results
    out = out or OUT / "-".join([scenario.name, *filter(None, [scenario.kernel, suite if suite != "trixie" else ""])])
    if scenario.kernel:
        scenario.time_limit *= SLOWER
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clean(out)
        image, snapshot, disks = prepare(suite, scenario.machine, scenario.layer, scenario.extra, scenario.kernel)
        if scenario.repo != "no" and "repo" not in disks:
            make = repo.signed if scenario.repo == "signed" else repo.repository
            disks["repo"] = make(suite, image) / "repo.img"
        begin = time.monotonic()
        start_seconds = None
        try:
            with emulator.slot():
                root = emulator.fresh_root(snapshot, out) if scenario.reboots else None
                where = image, snapshot, scenario.machine, out, disks
                host = emulator.restore(*where, root)
                results.start = begin = time.monotonic()
                start_seconds = round(host.start_seconds, 1)
                progress(f"dom0 answered {start_seconds} s after the emulator's start")
                play(scenario, results, host, where, root)
        except LabError as error:
            results.add("failed", "the host starts from its snapshot", str(error))
        for directory in (out, out / "host2"):
            for leftover in (*directory.glob("*.empty"), *directory.glob("*.sock"), directory / "root.qcow2"):
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
