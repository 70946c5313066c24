# SPDX-License-Identifier: GPL-2.0-or-later
"""The `installed` layer: our packages, installed by apt in the running dom0.

dom0 has no network.  A disk carries a repository of our debs and of what
Debian packages they need that dom0 lacks, which apt itself works out here."""
import hashlib
import os
import shutil
import subprocess
import sys

from .cache import (LAB, TOP, LabError, artefact, chroot_argv, hash_files, progress, run_logged)
from .emulator import DATA_DISKS, base, inside, qemu_img_overlay, restore, slot
from .image import mke2fs

XEN_VERSION = {"trixie": "4.20", "bookworm": "4.17"}
CHECK = LAB / "dom0" / "installed.sh"
NEXT = LAB / "next-version.sh"
MK_REPO = TOP / "mk" / "repo.sh"


def deb_dir(suite):
    return TOP / (os.environ.get("LAB_DEBS") or f"build/deb/{suite}")


def to_install():
    return (os.environ.get("LAB_INSTALL") or "xen-extras").split()

# What our packages only recommend (dracut-core: lvm2, mdadm, cryptsetup...) is
# no part of the test: without it an emulated dom0 installs in a minute, and a
# dependency that is stated as a recommendation shows.
NO_RECOMMENDS = "APT::Install-Recommends=false"


def debs_of(suite):
    """The packages to install; built when there are none at all."""
    def find():
        return [deb for deb in sorted(deb_dir(suite).glob("*.deb")) if "-dbgsym_" not in deb.name]

    if not find() and not os.environ.get("LAB_DEBS"):
        progress(f"no packages of {suite}: building them with 'make deb'")
        subprocess.run(["make", "-C", TOP, "deb", f"SUITE={suite}"], stdout=sys.stderr, check=False)
    found = find()
    if not found:
        raise LabError(f"no packages in {deb_dir(suite)}: build them ('make deb SUITE={suite}'), "
                       "or use scenarios of layer base")
    return found


def index(directory):
    """The Packages file of a flat repository."""
    with open(directory / "Packages", "w") as out:
        for deb in sorted(directory.glob("*.deb")):
            control = subprocess.run(["dpkg-deb", "-f", deb], check=True, capture_output=True, text=True).stdout
            digest = hashlib.sha256(deb.read_bytes()).hexdigest()
            out.write(f"{control.rstrip()}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n")


def needed(suite, image, ours, packages, tmp):
    """What Debian packages dom0 lacks to install ours, which lie in the flat repository
    `ours`: downloaded into tmp/apt/archives."""
    apt = tmp / "apt"
    for directory in (apt / "lists/partial", apt / "archives/partial"):
        directory.mkdir(parents=True)
    (apt / "sources.list").write_text((image / "sources.list").read_text() + "\ndeb [trusted=yes] file:/lab/repo ./\n")
    options = []
    for setting in ("Dir::Etc::sourcelist=/lab/apt/sources.list", "Dir::Etc::sourceparts=/dev/null",
                    "Dir::State::lists=/lab/apt/lists", "Dir::State::status=/lab/image/dpkg-status",
                    "Dir::Cache::archives=/lab/apt/archives", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=",
                    "APT::Sandbox::User=root", "Debug::NoLocking=1", NO_RECOMMENDS):
        options += ["-o", setting]
    script = 'apt-get "$@" -q update && apt-get "$@" -q -y --download-only install $PACKAGES'
    run_logged(chroot_argv("trixie", "build", [(apt, "/lab/apt"), (ours, "/lab/repo"), (image, "/lab/image")],
                           ["env", "PACKAGES=" + " ".join(packages), "sh", "-ec", script, "sh", *options]),
               tmp / "apt.log", "resolving the packages' dependencies with apt")
    return sorted((apt / "archives").glob("*.deb"))


def flat_repo(directory, debs, move=False):
    """apt writes a colon of the version as %3a; any name will do here."""
    directory.mkdir(exist_ok=True)
    for deb in debs:
        (shutil.move if move else shutil.copy)(deb, directory / deb.name.replace("%", "_"))
    index(directory)


def build_repo(suite, image, debs, packages, tmp):
    progress(f"repository for {suite}: {len(debs)} packages of ours, asking apt for what they need")
    flat = tmp / "repo"
    flat_repo(flat, debs)
    flat_repo(flat, needed(suite, image, flat, packages, tmp), move=True)
    shutil.rmtree(tmp / "apt")
    mke2fs(tmp / "repo.img", flat, str(DATA_DISKS["repo"]), "labrepo")
    progress(f"repository for {suite}: {len(list(flat.glob('*.deb')))} packages in all")
    shutil.rmtree(flat)


def build_signed(suite, image, debs, packages, tmp):
    """What a host of a user has: `make repo`'s result in xen-extras/, what it will be after
    the next version in next/, and in debian/ what Debian's mirror would offer."""
    progress(f"signed repository for {suite}, with 'make repo'")
    disk, ours, later = tmp / "disk", tmp / "ours", tmp / "later"
    later.mkdir()
    flat_repo(ours, debs)
    run_logged(chroot_argv(suite, "build", [(ours, "/mnt/debs"), (later, "/mnt/later"), (NEXT, "/mnt/next.sh")],
                           ["sh", "/mnt/next.sh", "/mnt/debs", "/mnt/later"]), tmp / "next.log", "making the next version")
    disk.mkdir()
    for name, source in (("xen-extras", ours), ("next", later)):
        run_logged(["env", f"REPO_KEY_HOME={tmp}/key", MK_REPO, disk / name, f"{suite}={source}"],
                   tmp / f"{name}.log", "make repo")
    flat_repo(disk / "debian", needed(suite, image, ours, packages, tmp), move=True)
    mke2fs(tmp / "repo.img", disk, str(DATA_DISKS["repo"]), "labsigned")
    for leftover in (disk, ours, later, tmp / "apt", tmp / "key"):
        shutil.rmtree(leftover)


def repository(suite, image):
    debs, packages = debs_of(suite), to_install()
    inputs = {"image": image.name, "debs": hash_files(*debs), "packages": packages, "size": DATA_DISKS["repo"]}
    return artefact(f"repo-{suite}", inputs, lambda tmp: build_repo(suite, image, debs, packages, tmp))


def signed(suite, image):
    debs, packages = debs_of(suite), to_install()
    inputs = {"image": image.name, "debs": hash_files(*debs), "packages": packages, "size": DATA_DISKS["repo"],
              "scripts": hash_files(NEXT, MK_REPO, MK_REPO.with_name("repo-index.sh"))}
    return artefact(f"signed-{suite}", inputs, lambda tmp: build_signed(suite, image, debs, packages, tmp))


INSTALL = r"""
set -eu
mkdir -p /lab/repo
mount -o ro LABEL=labrepo /lab/repo
echo 'APT::Install-Recommends "false";' >/etc/apt/apt.conf.d/90xen-extras-lab
echo 'deb [trusted=yes] file:/lab/repo ./' >/etc/apt/sources.list.d/xen-extras-lab.list
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install "$@"
"""


def build_installed(suite, machine, image, snapshot, repo, packages, tmp):
    progress(f"host {suite}/{machine}: apt-get install {' '.join(packages)} in the running dom0")
    qemu_img_overlay(f"{inside(snapshot)}/disk.qcow2", "qcow2", inside(tmp / "disk.qcow2"), tmp)
    with open(tmp / "install.log", "wb", buffering=0) as log, slot(), \
            restore(image, snapshot, machine, tmp, {"repo": repo / "repo.img"}, inside(tmp / "disk.qcow2")) as host:
        status, _ = host.agent.run(["sh", "-c", INSTALL, "sh", *packages], output=log.write, timeout=1800)
        log.flush()
        if status:
            raise LabError(f"apt-get install in dom0 failed (status {status}):\n{host.tail('install.log', 25)}")
        host.agent.put(CHECK.read_bytes(), "/lab/installed.sh")
        host.agent.check(["sh", "/lab/installed.sh", XEN_VERSION[suite], *packages],
                         "the check of what the installation left", output=None, timeout=600)
        host.agent.check("journalctl --flush; sync", "writing dom0's disk")
        host.save(tmp)
    for leftover in (*tmp.glob("*.empty"), tmp / "agent.sock", tmp / "qmp.sock"):
        leftover.unlink(missing_ok=True)


def installed(suite, machine):
    """(image, snapshot, repository) of the host with our packages."""
    image, snapshot = base(suite, machine)
    repo = repository(suite, image)
    packages = to_install()
    inputs = {"base": snapshot.name, "repo": repo.name, "packages": packages, "script": INSTALL,
              "check": hash_files(CHECK)}
    made = artefact(f"installed-{suite}-{machine}", inputs,
                    lambda tmp: build_installed(suite, machine, image, snapshot, repo, packages, tmp))
    os.utime(snapshot)
    return image, made, repo
