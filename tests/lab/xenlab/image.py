# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0's disk: a plain Debian Xen host, made without a loop device or mount."""
import gzip
import os
import shutil
import subprocess

from .cache import LAB, LabError, artefact, hash_files, progress, run_logged

ROOT_SIZE = "6G"
DOM0 = LAB / "dom0"
SCRIPTS = [DOM0 / n for n in ("setup.sh", "customize.sh", "agent.py")]


def packages(suite):
    names = []
    for path in (DOM0 / "packages", DOM0 / f"packages.{suite}"):
        if not path.is_file():
            raise LabError(f"the lab has no dom0 for suite {suite}: {path.name} is missing")
        for line in path.read_text().splitlines():
            names += line.split("#")[0].split()
    return sorted(names)


def mke2fs(image, directory, size, label, extra=()):
    """A sparse ext4 image of `size` holding `directory`'s files."""
    subprocess.run(["truncate", "-s", size, image], check=True)
    out = subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-m", "0",
                          "-E", "lazy_itable_init=0,lazy_journal_init=0", *extra,
                          "-d", directory, image], capture_output=True, text=True)
    if out.returncode:
        raise LabError(f"mke2fs could not make {label}: {out.stderr.strip()}")


def install_debian(suite, root, include, hooks, what):
    """A Debian of these packages in the directory `root`; its log lies beside that."""
    progress(f"{what}: installing with mmdebstrap (about two minutes)")
    run_logged(["mmdebstrap", "--mode=root", "--variant=minbase", "--quiet",
                "--aptopt=APT::Install-Recommends \"false\"",
                "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                "--include=" + ",".join(include), *hooks, suite, root],
               root.parent / "mmdebstrap.log", f"mmdebstrap of {what}")


def build(suite, tmp):
    root = tmp / "root"
    install_debian(suite, root, packages(suite),
                   [f"--setup-hook={DOM0}/setup.sh \"$1\"", f"--customize-hook={DOM0}/customize.sh \"$1\""],
                   f"dom0 of {suite}")
    boot = root / "boot"
    [xen] = [p for p in boot.glob("xen-*.gz")]
    [kernel] = list(boot.glob("vmlinuz-*"))
    [initrd] = list(boot.glob("initrd.img-*"))
    # QEMU's multiboot loader wants the hypervisor unpacked.
    with gzip.open(xen) as src, open(tmp / "xen", "wb") as dst:
        shutil.copyfileobj(src, dst)
    shutil.copy(kernel, tmp / "vmlinuz")
    shutil.copy(initrd, tmp / "initrd")
    # What apt must know on the host to find out what dom0 still lacks.
    shutil.copy(root / "var/lib/dpkg/status", tmp / "dpkg-status")
    shutil.copy(root / "etc/apt/sources.list", tmp / "sources.list")
    (root / "etc/apt/sources.list").write_text("")
    mke2fs(tmp / "root.img", root, ROOT_SIZE, "labroot")
    shutil.rmtree(root)


def image(suite):
    """Directory with root.img, xen, vmlinuz, initrd, dpkg-status, sources.list."""
    inputs = {"suite": suite, "packages": packages(suite), "scripts": hash_files(*SCRIPTS),
              "size": ROOT_SIZE, "format": 1}
    if os.geteuid():
        raise LabError("the lab needs root (mmdebstrap, chroot): run it as root")
    return artefact(f"dom0-{suite}", inputs, lambda tmp: build(suite, tmp))
