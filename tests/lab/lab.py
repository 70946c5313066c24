#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: an emulated Debian Xen host, and scenarios run in it.

  lab.py prepare                 make everything: dom0, snapshots, guests
  lab.py run NAME|FILE[,...]...  run scenarios, each in a fresh host
  lab.py list                    the scenarios there are
  lab.py shell                   an interactive shell in a fresh host
  lab.py boot NAME               leave a fresh host running as NAME
  lab.py exec NAME COMMAND...    run a command in it (stdin is passed on)
  lab.py put NAME FILE PATH      copy a file into it;   get NAME PATH FILE
  lab.py stop NAME               end it
"""
import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import struct
import sys
import termios
import tty
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from xenlab import emulator, run, scenario  # noqa: E402
from xenlab.agent import Agent  # noqa: E402
from xenlab.cache import LAB, LabError, progress  # noqa: E402


def prepare(args):
    for machine in args.machines.split(","):
        image, snapshot, _ = run.prepare(args.suite, machine, args.layer)
        progress(f"ready: {args.suite}/{machine}, layer {args.layer} ({snapshot.name})")


def run_scenarios(args):
    names = [n for word in args.scenario for n in word.split(",") if n]
    passed = failed = 0
    for one in [scenario.load(n) for n in names]:
        one.kernel = args.kernel or one.kernel
        scenario.lengthen(one, args.length)
        results = run.run(one, args.suite)
        passed += results.count("passed")
        failed += results.count("failed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def list_scenarios(_args):
    for path in sorted((LAB / "scenarios").glob("*.sh")):
        one = scenario.load(path.stem)
        print(f"{one.name:24} {one.layer:10} {one.summary}")


def host_dir(name):
    if "/" in name or name.startswith("."):
        raise LabError(f"'{name}' cannot name a host")
    return run.OUT / f"host-{name}"


def fresh(args, rundir, detached):
    image, snapshot, disks = run.prepare(args.suite, args.machine, args.layer, args.extra, args.kernel)
    rundir.mkdir(parents=True, exist_ok=True)
    host = emulator.restore(image, snapshot, args.machine, rundir, disks, detached=detached)
    run.put_libraries(host.agent)
    return host


def interactive(agent):
    size = (24, 80)
    with contextlib.suppress(OSError):
        size = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))[:2]
    saved = termios.tcgetattr(0) if sys.stdin.isatty() else None
    try:
        if saved:
            tty.setraw(0)
        return agent.interactive(["/bin/bash", "-l"], 0, 1, list(size))
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def shell(args):
    with fresh(args, host_dir(f"shell-{os.getpid()}"), False) as host:
        progress("a shell in dom0; '. /lab/lib.sh' offers the scenarios' functions; its end ends the host")
        status = interactive(host.agent)
    shutil.rmtree(host.rundir, ignore_errors=True)
    return status


def boot(args):
    rundir = host_dir(args.name)
    if (rundir / "pid").exists():
        raise LabError(f"host {args.name} runs already: 'lab.py stop {args.name}' ends it")
    host = fresh(args, rundir, True)
    host.agent.close()
    progress(f"host {args.name} runs (pid {host.proc.pid}, answered after {host.start_seconds:.1f} s); "
             f"end it with 'lab.py stop {args.name}'")


@contextlib.contextmanager
def running(name):
    """The agent of a host left by `boot`; one client at a time."""
    rundir = host_dir(name)
    if not (rundir / "pid").exists():
        raise LabError(f"no host {name} is running: 'lab.py boot {name}' starts it")
    with open(rundir / ".client", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        agent = Agent(str(rundir / "agent.sock"))
        try:
            agent.reset(120)
            yield agent
        finally:
            agent.close()


def execute(args):
    with running(args.name) as agent:
        def output(data):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        argv = args.command[1:] if args.command[:1] == ["--"] else args.command
        if not argv:
            return interactive(agent)
        stdin = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer
        return agent.run(argv if len(argv) > 1 else argv[0], stdin=stdin, output=output, timeout=args.timeout)[0]


def put(args):
    with running(args.name) as agent, open(args.source, "rb") as handle:
        agent.put(handle, args.target, os.stat(args.source).st_mode & 0o777)


def get(args):
    with running(args.name) as agent, open(args.target, "wb") as handle:
        agent.get(args.source, handle)


def stop(args):
    rundir = host_dir(args.name)
    try:
        pid = int((rundir / "pid").read_text())
    except OSError:
        raise LabError(f"no host {args.name} is running") from None
    # The pid may be somebody else's by now: it must be our emulator.
    with contextlib.suppress(OSError):
        if b"qemu-system" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    (rundir / "pid").unlink()
    for leftover in (*rundir.glob("*.empty"), rundir / "agent.sock", rundir / "qmp.sock"):
        leftover.unlink(missing_ok=True)
    progress(f"host {args.name} ended; its logs stay in {rundir}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default=os.environ.get("SUITE") or "trixie")
    sub = parser.add_subparsers(dest="what", required=True)

    def command(name, function, *positional):
        one = sub.add_parser(name)
        one.set_defaults(function=function)
        for word in positional:
            one.add_argument(word)
        return one

    def kernel_option(one):
        one.add_argument("--kernel", default="", choices=scenario.KERNELS, help="what guests boot, whatever scenarios say")

    def host_options(one):
        kernel_option(one)
        one.add_argument("--layer", default="installed", choices=("base", "installed"))
        one.add_argument("--machine", default="plain", choices=sorted(emulator.MACHINES))
        one.add_argument("--extra", default="", choices=scenario.EXTRAS, help="what /dev/vdd holds")

    one = command("prepare", prepare)
    one.add_argument("--layer", default="installed", choices=("base", "installed"))
    one.add_argument("--machines", default="plain")
    one = command("run", run_scenarios)
    one.add_argument("scenario", nargs="+")
    one.add_argument("--length", type=int, default=0, help="seconds, for scenarios with `length:`")
    kernel_option(one)
    command("list", list_scenarios)
    host_options(command("shell", shell))
    host_options(command("boot", boot, "name"))
    one = command("exec", execute, "name")
    one.add_argument("--timeout", type=float, default=3600)
    one.add_argument("command", nargs=argparse.REMAINDER)
    command("put", put, "name", "source", "target")
    command("get", get, "name", "source", "target")
    command("stop", stop, "name")
    return parser.parse_args()


def main():
    # An emulator is killed on the way out, also when we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = arguments()
    try:
        return args.function(args)
    except (LabError, TimeoutError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
