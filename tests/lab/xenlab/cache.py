# SPDX-License-Identifier: GPL-2.0-or-later
"""Artefacts kept between runs: made once per key, under a lock, never changed."""
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
LAB = TOP / "tests" / "lab"
CACHE = Path(os.environ.get("XEN_EXTRAS_CACHE")
             or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xen-extras")
LAB_CACHE = CACHE / "lab"
# How many artefacts of one name stay: the one in use and the one before.
KEEP = 2


class LabError(Exception):
    """What the user reads: what failed and what to do."""


def progress(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def hash_files(*paths):
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths)):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def key_of(inputs):
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]


@contextlib.contextmanager
def locked(path, shared=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def path_of(name, inputs):
    return LAB_CACHE / f"{name}-{key_of(inputs)}"


def artefact(name, inputs, build):
    """The directory NAME-KEY; `build(tmpdir)` fills it when it is not there."""
    final = path_of(name, inputs)
    if final.is_dir():
        os.utime(final)
        return final
    with locked(LAB_CACHE / f".lock-{name}"):
        if final.is_dir():
            return final
        tmp = LAB_CACHE / f".new-{name}-{os.getpid()}"
        shutil.rmtree(tmp, ignore_errors=True)
        tmp.mkdir(parents=True)
        start = time.monotonic()
        try:
            build(tmp)
            (tmp / "inputs.json").write_text(json.dumps(inputs, indent=1, sort_keys=True) + "\n")
            tmp.rename(final)
        except BaseException:
            shutil.rmtree(tmp, ignore_errors=True)
            raise
        progress(f"{name}: done in {time.monotonic() - start:.0f} s")
        prune(name, final)
    return final


def prune(name, keep):
    """Removes older artefacts of this name that no emulator uses."""
    old = [p for p in LAB_CACHE.glob(f"{name}-*")
           if p != keep and p.name[len(name) + 1:].isalnum() and len(p.name) == len(name) + 13]
    old.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for path in old[KEEP - 1:]:
        with open(path / ".in-use", "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(path, ignore_errors=True)


def toolchain(suite, kind, *packages):
    """Versions of packages that a build's result depends on, as that chroot has or would get them."""
    out = subprocess.run(chroot_argv(suite, kind, [], ["apt-cache", "policy", *packages]),
                         stdout=subprocess.PIPE, text=True)
    found = [line.split()[1] for line in out.stdout.splitlines() if line.startswith("  Candidate:")]
    if out.returncode or len(found) != len(packages):
        raise LabError(f"no {kind} chroot of {suite}: see the messages of mk/chroot.sh above")
    return found


def chroot_argv(suite, kind, binds, argv, directory="/"):
    cmd = [str(TOP / "mk/chroot.sh"), "run", suite, kind, "--dir", directory]
    for src, dst in binds:
        cmd += ["--bind", f"{src}:{dst}"]
    return cmd + ["--"] + [str(a) for a in argv]


def run_logged(argv, log, what):
    """Runs a long step with its output in a file; lines of ours reach the user."""
    with open(log, "w") as handle:
        proc = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace")
        tail = []
        for line in proc.stdout:
            handle.write(line)
            tail = (tail + [line])[-15:]
            if line.startswith(("guest kernel:", "chroot ")):
                progress(line.rstrip())
    if proc.wait():
        raise LabError(f"{what} failed; the end of its output:\n" + "".join(tail))
