# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulated Xen host: QEMU's command line, QMP, boot and snapshots."""
import contextlib
import ctypes
import fcntl
import functools
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .agent import Agent, AgentGone
from .cache import LAB, LAB_CACHE, TOP, LabError, artefact, hash_files, progress, run_logged
from . import image as dom0_image

EMU_SUITE = "trixie"
# Its own QEMU too: that brings the libraries and ROMs.
EMU_PACKAGES = "qemu-system-x86,qemu-utils,seabios,ipxe-qemu"
MEMORY_MB = 6144
DOM0_MEMORY = "3G"
BOOT_TIMEOUT = 900
XEN_ARGS = (f"console=com1 com1=115200,8n1 dom0_mem={DOM0_MEMORY},max:{DOM0_MEMORY} "
            "loglvl=info guest_loglvl=info sync_console=0 clocksource=tsc tsc=stable:socket")
DOM0_ARGS = "root=/dev/vda rw console=hvc0 net.ifnames=0 quiet systemd.show_status=0"
# Disks besides dom0's own.  They are swapped under a restored host, so each
# always has the size it was booted with.
DATA_DISKS = {"media": 4 << 30, "repo": 4 << 30, "extra": 8 << 30}
# What a scenario's `machine:` may ask for: (QEMU options, Xen options).
MACHINES = {
    "plain": ([], ""),
    # For pass-through: an IOMMU and network cards that do nothing else.
    "iommu": (["-device", "intel-iommu", "-netdev", "hubport,id=pt0,hubid=0",
               "-device", "e1000e,netdev=pt0,mac=52:54:00:77:00:01",
               "-netdev", "hubport,id=pt1,hubid=1",
               "-device", "e1000,netdev=pt1,mac=52:54:00:77:00:02"], "iommu=on"),
    # One of two hosts: join() plugs a wire into this hub.
    "net": (["-netdev", "hubport,id=lan,hubid=0", "-device", "e1000e,netdev=lan,mac=52:54:00:77:01:00"], ""),
}
CACHE_DST, RUN_DST = "/lab/cache", "/lab/run"


def inside(path):
    """A path of the lab's cache as the emulator's chroot sees it."""
    return f"{CACHE_DST}/{Path(path).relative_to(LAB_CACHE)}"


# A mount namespace of its own: nothing to unmount, whatever happens.
ENTER = """
root=$1 cache=$2 run=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/lab/cache" "$root/lab/run"
mount --bind "$cache" "$root/lab/cache"
mount --bind "$run" "$root/lab/run"
exec chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin LC_ALL=C.UTF-8 "$@"
"""


def build_emulator(source, tmp):
    progress("emulator: building QEMU (about five minutes), log: build.log beside it")
    subprocess.run([TOP / "mk" / "chroot.sh", "run", EMU_SUITE, "build", "--net-off", "--bind", f"{tmp}:/mnt/build",
                    "--bind", f"{LAB}/emulator:/mnt/emulator", "--bind", f"{source}:/mnt/source", "--",
                    "/mnt/emulator/build.sh", "/mnt/source", "/mnt/build"], check=True)
    for leftover in tmp.glob("*.tar.*"):  # dpkg-source copies it
        leftover.unlink()
    progress("emulator: installing its firmware and libraries with mmdebstrap (about a minute)")
    run_logged(["mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--include={EMU_PACKAGES}",
                EMU_SUITE, tmp / "root"],
               tmp / "mmdebstrap.log", "mmdebstrap of the lab's emulator")
    target = tmp / "root" / "usr" / "local" / "bin"
    target.mkdir(parents=True, exist_ok=True)
    (tmp / "qemu-system-x86_64").rename(target / "qemu-system-x86_64")


@functools.cache
def emulator():
    """The chroot QEMU runs in: the suite's own 10.0 with two patches of ours; each
    says what happens without it, hung hosts and guests that die."""
    cached = [str(TOP / "src" / "qemu" / "cached.sh"), EMU_SUITE, "--source"]
    source = Path(subprocess.run(cached, check=True, text=True, stdout=subprocess.PIPE,
                                 env={**os.environ, "XEN_EXTRAS_CACHE": str(LAB_CACHE.parent)}).stdout.split("\n")[-2])
    inputs = {"suite": EMU_SUITE, "packages": EMU_PACKAGES, "source": source.name,
              "files": hash_files(*sorted((LAB / "emulator").iterdir()))}
    return artefact("emulator", inputs, lambda tmp: build_emulator(source, tmp))


def emulator_argv(argv, rundir):
    return ["unshare", "-m", "sh", "-euc", ENTER, "sh", str(emulator() / "root"), str(LAB_CACHE), str(rundir), *argv]


def machine_args(image, machine):
    """What the host is made of: also what a snapshot is keyed on."""
    devices, xen_more = MACHINES[machine]
    xen, kernel, initrd = (inside(image / n) for n in ("xen", "vmlinuz", "initrd"))
    # A comma in a module's arguments would end it.
    dom0_args = DOM0_ARGS.replace(",", ",,")
    args = ["-machine", "q35", "-cpu", "qemu64,+svm,+npt,+invtsc", "-smp", "2", "-m", str(MEMORY_MB),
            "-accel", "tcg,thread=multi", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", xen, "-append", f"{XEN_ARGS} {xen_more}".strip(), "-initrd", f"{kernel} {dom0_args},{initrd}",
            "-chardev", f"file,id=com1,path={RUN_DST}/console.log,append=on", "-serial", "chardev:com1",
            "-device", "virtio-serial-pci,id=vser",
            "-chardev", f"socket,id=agent,path={RUN_DST}/agent.sock,server=on,wait=off",
            "-device", "virtserialport,bus=vser.0,chardev=agent,name=xen-extras.agent",
            "-qmp", f"unix:{RUN_DST}/qmp.sock,server=on,wait=off"]
    return args + devices


def drive(name, path, fmt, snapshot):
    return ["-drive", f"if=none,id={name},file={path},format={fmt},cache=unsafe,discard=unmap,"
            f"snapshot={'on' if snapshot else 'off'}",
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]


class Qmp:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        directory = os.open(os.path.dirname(path), os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        finally:
            os.close(directory)
        self.sock.settimeout(120)
        self.stream = self.sock.makefile("rb")
        self.stream.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        request = {"execute": name, "arguments": arguments} if arguments else {"execute": name}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        while line := self.stream.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise LabError(f"QEMU refused {name}: {answer['error'].get('desc')}")
        raise LabError(f"QEMU ended during {name}")


def in_child(detached):
    """Before the emulator is executed.  It goes before compilers and the like:
    libxl's time-outs are in wall-clock seconds, whatever else the machine does."""
    os.setsid()
    if not detached:
        # No emulator may outlive its runner: PR_SET_PDEATHSIG.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    nice = int(os.environ.get("LAB_NICE") or -10)
    with contextlib.suppress(OSError):
        os.nice(nice - os.nice(0))
        # A session of its own is also a scheduling group of its own, which
        # counts as one process of nice 0 against all others: correct that too.
        Path("/proc/self/autogroup").write_text(f"{nice}\n")


@contextlib.contextmanager
def slot():
    """A place for one emulator: each keeps two processors busy, and two that
    share them make dom0 too slow for libxl's time-outs.  LAB_SLOTS overrides."""
    count = int(os.environ.get("LAB_SLOTS") or max(1, (os.cpu_count() or 2) // 2))
    LAB_CACHE.mkdir(parents=True, exist_ok=True)
    told = time.monotonic()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(LAB_CACHE / f".slot-{i}", "w")) for i in range(count)]
        progress_due = told
        while True:
            for handle in files:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield
                    return
                except BlockingIOError:
                    continue
            if time.monotonic() >= progress_due:
                progress(f"waiting for another emulator to end, {time.monotonic() - told:.0f} s")
                progress_due += 60
            time.sleep(0.5)


class Host:
    """A running emulator.  `rundir` gets console.log, qemu.log, sockets, pid."""

    def __init__(self, rundir, args, uses=(), detached=False):
        # The emulator itself holds a lock on each artefact it runs from, so
        # that none is pruned under it.
        holds = [open(directory / ".in-use", "w") for directory in uses]
        for handle in holds:
            fcntl.flock(handle, fcntl.LOCK_SH)
        self.rundir = Path(rundir)
        self.rundir.mkdir(parents=True, exist_ok=True)
        for name in ("agent.sock", "qmp.sock"):
            (self.rundir / name).unlink(missing_ok=True)
        self.begun = time.monotonic()
        with open(self.rundir / "qemu.log", "ab") as log:
            self.proc = subprocess.Popen(
                emulator_argv(["qemu-system-x86_64", *args], self.rundir), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=lambda: in_child(detached), pass_fds=[h.fileno() for h in holds])
            for handle in holds:
                handle.close()
        (self.rundir / "pid").write_text(f"{self.proc.pid}\n")
        self.agent = self.qmp = None
        try:
            self.qmp = self._connect("qmp.sock", Qmp)
            self.agent = self._connect("agent.sock", Agent)
        except BaseException:
            self.kill()
            raise

    def _connect(self, name, what):
        end = time.monotonic() + 120
        while True:
            try:
                return what(str(self.rundir / name))
            except OSError:
                if self.proc.poll() is not None:
                    raise LabError("the emulator did not start: " + self.tail("qemu.log")) from None
                if time.monotonic() > end:
                    raise LabError(f"the emulator made no {name} within 120 s") from None
                time.sleep(0.05)

    def tail(self, name, count=15):
        try:
            text = (self.rundir / name).read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-count:])

    def alive(self):
        return self.proc.poll() is None

    def kill(self):
        if self.agent:
            self.agent.close()
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        (self.rundir / "pid").unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def reboot(self, timeout):
        """dom0 shuts down; where a machine would begin again the emulator ends (-no-reboot)."""
        with contextlib.suppress(AgentGone):
            self.agent.check("systemctl reboot", "rebooting the host")
        try:
            self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"dom0 did not shut down within {timeout:.0f} s:\n{self.tail('console.log', 30)}") from None

    def set_clock(self):
        self.agent.check(["date", "-s", f"@{time.time():.2f}"], "setting the clock")

    def resume(self):
        """Starts a host whose memory is being loaded (it was saved stopped)."""
        while (state := self.qmp.command("query-status")["status"]) == "inmigrate":
            time.sleep(0.02)
        if state not in ("paused", "prelaunch", "running"):
            raise LabError(f"loading the snapshot ended in state {state}: {self.tail('qemu.log')}")
        self.qmp.command("cont")

    def save(self, directory):
        """Stops the host for good with its memory in directory/memory."""
        self.qmp.command("stop")
        self.qmp.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.qmp.command("migrate", uri=f"file:{inside(directory)}/memory")
        while (state := self.qmp.command("query-migrate"))["status"] not in ("completed", "failed"):
            time.sleep(0.1)
        if state["status"] == "failed":
            raise LabError(f"saving the host failed: {state.get('error-desc')}")
        self.qmp.command("quit")
        self.proc.wait(60)


def data_drives(files, scratch):
    """The data disks; `files` names images, the others are empty and sparse."""
    args = []
    for name, size in DATA_DISKS.items():
        path = files.get(name)
        if path is None:
            path = scratch / f"{name}.empty"
            if not path.exists():
                with open(path, "wb") as handle:
                    handle.truncate(size)
        elif path.stat().st_size != size:
            raise LabError(f"{path} must be {size} bytes, as the snapshot was made with")
        where = inside(path) if path.is_relative_to(LAB_CACHE) else f"{RUN_DST}/{path.name}"
        args += drive(name, where, "raw", True)
    return args


def base_inputs(suite, machine):
    image = dom0_image.image(suite)
    return image, {"image": image.name, "args": machine_args(image, machine), "disks": DATA_DISKS,
                   "emulator": emulator().name,
                   "warm-up": WARM_UP, "format": 3}


# Read once before the snapshot, so that it is in dom0's page cache.
WARM_UP = r"""
set -e
systemctl is-system-running --wait || { systemctl --failed; systemctl list-jobs; false; }
systemctl is-active xen.service
xl info >/dev/null; xl list >/dev/null; xenstore-ls / >/dev/null
command -v mount umount losetup debugfs tar base64 jq socat busybox fdisk ip bridge >/dev/null
for f in /usr/lib/xen-*/bin/* /usr/lib/xen-*/boot/hvmloader /usr/libexec/xen-qemu-system-i386 \
	/usr/bin/qemu-system-i386 /usr/lib/x86_64-linux-gnu/lib*.so* /usr/share/seabios/bios-256k.bin; do
	[ ! -f "$f" ] || cat "$f" >/dev/null
done
for m in loop xen-blkback xen-netback xen-gntalloc xen-gntdev tun; do modprobe "$m"; done
blockdev --flushbufs /dev/vdb /dev/vdc /dev/vdd
journalctl --flush; sync
"""


def wait_booted(host, what):
    start = time.monotonic()
    while True:
        try:
            host.agent.reset(30)
            break
        except LabError:
            if not host.alive():
                raise LabError(f"{what} ended while booting:\n{host.tail('console.log', 30)}") from None
            if time.monotonic() - start > BOOT_TIMEOUT:
                raise LabError(f"{what} did not come up in {BOOT_TIMEOUT} s:\n{host.tail('console.log', 30)}") from None
            progress(f"{what}: booting, {time.monotonic() - start:.0f} s")
    progress(f"{what}: dom0 answered after {time.monotonic() - start:.0f} s")


def qemu_img_overlay(base, fmt, new, rundir):
    subprocess.run(emulator_argv(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", fmt, new], rundir),
                   check=True)


def build_base(suite, machine, image, tmp):
    name = f"host {suite}/{machine}"
    progress(f"{name}: first boot (about a minute)")
    qemu_img_overlay(inside(image / "root.img"), "raw", f"{RUN_DST}/disk.qcow2", tmp)
    args = machine_args(image, machine) + drive("root", f"{RUN_DST}/disk.qcow2", "qcow2", False)
    with slot(), Host(tmp, args + data_drives({}, tmp), [image]) as host:
        wait_booted(host, name)
        host.set_clock()
        host.agent.check(WARM_UP, f"preparing {name}", timeout=BOOT_TIMEOUT)
        host.save(tmp)
    for path in tmp.glob("*.empty"):
        path.unlink()
    (tmp / "boot.log").write_bytes((tmp / "console.log").read_bytes())
    for leftover in ("console.log", "agent.sock", "qmp.sock"):
        (tmp / leftover).unlink(missing_ok=True)


def base(suite, machine):
    """The snapshot of the booted host with nothing but Debian's packages."""
    image, inputs = base_inputs(suite, machine)
    made = artefact(f"base-{suite}-{machine}", inputs, lambda tmp: build_base(suite, machine, image, tmp))
    os.utime(image)
    return image, made


def uses(image, snapshot, disks):
    """The artefacts that a host runs from."""
    return [image, snapshot] + [p.parent for p in disks.values() if p.is_relative_to(LAB_CACHE)]


def fresh_root(snapshot, rundir):
    """A disk over a snapshot's that lasts from one start of the emulator to the next."""
    rundir.mkdir(parents=True, exist_ok=True)
    qemu_img_overlay(f"{inside(snapshot)}/disk.qcow2", "qcow2", f"{RUN_DST}/root.qcow2", rundir)
    return f"{RUN_DST}/root.qcow2"


@contextlib.contextmanager
def starting(host):
    """What is left to do until dom0 can be used; a host that fails in it is ended."""
    try:
        yield
        host.set_clock()
    except BaseException:
        if not host.alive():
            progress(host.tail("qemu.log"))
        host.kill()
        raise
    host.start_seconds = time.monotonic() - host.begun


def restore(image, snapshot, machine, rundir, disks=None, keep_root=None, detached=False):
    """A fresh copy of a snapshot's host.  `keep_root`: a qcow2 overlay to write
    to; without it what dom0 writes is dropped when the emulator ends."""
    rundir.mkdir(parents=True, exist_ok=True)
    args = machine_args(image, machine)
    if keep_root:
        args += drive("root", keep_root, "qcow2", False)
    else:
        args += drive("root", f"{inside(snapshot)}/disk.qcow2", "qcow2", True)
    args += data_drives(disks or {}, rundir) + ["-incoming", f"file:{inside(snapshot)}/memory"]
    host = Host(rundir, args, uses(image, snapshot, disks or {}), detached)
    with starting(host):
        host.resume()
        host.agent.reset(120)
    return host


def join(host, other):
    """One network for two hosts of machine net.  `other` has its directory in that of `host`:
    both see the socket, each under a path of its own."""
    for one, wire in ((host, {"addr": {"type": "unix", "path": f"{RUN_DST}/{other.rundir.name}/lan.sock"}, "server": True}),
                      (other, {"addr": {"type": "unix", "path": f"{RUN_DST}/lan.sock"}, "reconnect-ms": 500})):
        one.qmp.command("netdev_add", type="stream", id="wire", **wire)
        one.qmp.command("netdev_add", type="hubport", id="socket", hubid=0, netdev="wire")


def boot_again(image, snapshot, machine, rundir, disks, root):
    """The host that ran on `root`, of which nothing but its disk is left."""
    args = machine_args(image, machine) + drive("root", root, "qcow2", False) + data_drives(disks, rundir)
    host = Host(rundir, args, uses(image, snapshot, disks))
    with starting(host):
        wait_booted(host, "the host")
    return host
