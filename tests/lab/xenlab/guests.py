# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lab's guests boot from: kernel, initramfs, a BIOS disk with GRUB."""
import os
import shutil
import struct
import subprocess

from .cache import LAB, TOP, artefact, chroot_argv, hash_files, progress, run_logged, toolchain
from .emulator import DATA_DISKS
from .image import install_debian, mke2fs
from . import repo

GUEST = LAB / "guest"
AGENT = GUEST / "agent.sh"
HOSTILE = TOP / "tests" / "hostile"
SUITE, KIND = "trixie", "build"
SECTOR = 512
DISK_MB = 48
PARTITION_LBA = 2048            # the first megabyte is GRUB's
MENU_LBA, MENU_SECTORS = 2000, 8  # where GRUB reads its menu: build-tree.sh
DISK_SIGNATURE = 0x786C6162     # root=PARTUUID=786c6162-01
# quiet: each character on an emulated serial port is two trips to the device
# model; the kernel's whole log takes longer than the rest of the boot.
MENU = """set timeout=0
set default=0
menuentry lab {{
linux /boot/vmlinuz root=PARTUUID=786c6162-01 rootwait rw console=ttyS0,115200 quiet panic=-1 {more}
{initrd}
}}
"""
# The other guests: Debian as its installer leaves it, more or less.
DEBIAN_PACKAGES = ("linux-image-amd64,systemd-sysv,udev,dbus,kmod,iproute2,iputils-ping,procps,"
                   "login,util-linux,e2fsprogs,ca-certificates,busybox-static")
DEBIAN_FS = "3G"
TOOLS_FS = "700M"
TOOLS_PACKAGES = ["fio", "iperf3", "qemu-utils"]
# A driver domain: what it needs to run our backends, and the guests' tools.
DRIVER_PACKAGES = ("linux-image-amd64,initramfs-tools,systemd-sysv,udev,dbus,kmod,iproute2,iputils-ping,procps,util-linux,"
                   "socat,fio,iperf3")
DRIVER_DEBS = ("qemu-xen-extras", "xen-virtio-utils")
DRIVER_FS = "3G"
# Our driver: every guest has it, as a module.
MODULE = sorted([*(TOP / "dkms/virtio_xenbus").glob("*.[ch]"), TOP / "dkms/virtio_xenbus/Kbuild",
                 *(TOP / "src/protocol").glob("*.[ch]")])


def chroot_script(script, arguments, binds, log, what):
    run_logged(chroot_argv(SUITE, KIND, [(GUEST, "/guest"), *binds], [f"/guest/{script}", *arguments], "/tmp"),
               log, what)


def variant(name, kind):
    return f"{name}-{kind}" if kind else name


def kernel(kind=""):
    """vmlinuz, modules/, config, version and build/ (for external modules); KIND: with
    KIND.config on top of kernel.config."""
    configs = [GUEST / "kernel.config"] + ([GUEST / f"{kind}.config"] if kind else [])

    def build(tmp):
        (tmp / "kernel.config").write_text("".join(config.read_text() for config in configs))
        chroot_script("build-kernel.sh", ["/out/kernel.config", "/out"], [(tmp, "/out")],
                      tmp / "build.log", "the guest kernel's build")

    inputs = {"files": hash_files(*configs, GUEST / "build-kernel.sh"),
              "tools": toolchain(SUITE, KIND, "gcc", "binutils", "linux-source-6.12")}
    return artefact(variant("guest-kernel", kind), inputs, build)


def menu(more="", initrd=""):
    """GRUB's menu as raw sectors; newlines fill what is left."""
    text = MENU.format(more=more, initrd=f"initrd {initrd}" if initrd else "").encode()
    if len(text) > MENU_SECTORS * SECTOR:
        raise ValueError("the guest's command line is too long for GRUB's menu sectors")
    return text.ljust(MENU_SECTORS * SECTOR, b"\n")


def bios_disk(path, boot_img, core_img, filesystem, grub_menu, size=0):
    """MBR + GRUB + one ext4 partition, put together without a loop device; sparse,
    `size` bytes or as long as it needs to be."""
    boot = bytearray(boot_img.read_bytes())
    core = core_img.read_bytes()
    if len(boot) != SECTOR or len(core) > (MENU_LBA - 1) * SECTOR:
        raise ValueError("GRUB's images do not fit before the first partition")
    sectors = filesystem.stat().st_size // SECTOR
    # CHS fields at their maximum: everything uses the LBA ones.
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", PARTITION_LBA, sectors)
    boot[440:446] = struct.pack("<IH", DISK_SIGNATURE, 0)
    boot[446:510] = entry.ljust(64, b"\0")
    boot[510:512] = b"\x55\xaa"
    with open(path, "wb") as disk:
        disk.write(boot)
        disk.write(core)        # boot.img looks for it in the sector after itself
        disk.seek(MENU_LBA * SECTOR)
        disk.write(grub_menu)
        disk.truncate(max(size, (PARTITION_LBA + sectors) * SECTOR))
    subprocess.run(["dd", "status=none", f"if={filesystem}", f"of={path}", f"bs={SECTOR * 2048}",
                    f"seek={PARTITION_LBA // 2048}", "conv=notrunc,sparse"], check=True)


def tree(kind=""):
    """initramfs.gz and disk.img of the small guest, and its kernel as vmlinuz;
    boot.img, core.img and xsagent for the other."""
    made = kernel(kind)
    megabytes = DISK_MB * (2 if kind else 1)

    def build(tmp):
        progress("guest: userland, initramfs and disk")
        module = tmp / "sources"
        module.mkdir()
        for source in MODULE:
            shutil.copy(source, module / source.name)
        chroot_script("build-tree.sh", ["/guest", "/kernel", "/out/sources", "/out"],
                      [(made, "/kernel"), (tmp, "/out")],
                      tmp / "build.log", "the guest's userland")
        shutil.copy(made / "vmlinuz", tmp / "vmlinuz")
        (tmp / "tree/boot").mkdir()
        shutil.copy(made / "vmlinuz", tmp / "tree/boot/vmlinuz")
        mke2fs(tmp / "fs.img", tmp / "tree", f"{megabytes}M", "labguest")
        bios_disk(tmp / "disk.img", tmp / "boot.img", tmp / "core.img", tmp / "fs.img", menu())
        (tmp / "fs.img").unlink()
        shutil.rmtree(tmp / "tree")
        shutil.rmtree(module)

    inputs = {"kernel": made.name, "disk": [megabytes, PARTITION_LBA, MENU_LBA, MENU],
              "files": hash_files(*(GUEST / n for n in ("init", "xsagent.c", "devask.c", "devstate.c", "build-tree.sh")), *MODULE)}
    os.utime(made)
    return artefact(variant("guest", kind), inputs, build)


def hostile():
    """vx-backend for dom0, vx-frontend for a guest, and an archive with the latter that
    goes behind the initramfs; state-frontend for a stubdomain."""
    def build(tmp):
        run_logged(chroot_argv(SUITE, KIND, [(TOP, "/src"), (tmp, "/out")], ["/src/tests/hostile/build.sh", "/out"]),
                   tmp / "build.log", "the build of tests/hostile")

    inputs = {"files": hash_files(*HOSTILE.iterdir(), *(TOP / "src" / n for n in (
                  "protocol/virtio_xenbus.h", "include/state_disk.h", "include/stubdom.h", "stubdom/state/blkif_abi.h",
                  "lib/state/header.c", "lib/state/header.h", "lib/base/sha256_sum.c", "lib/base/sha256_sum.h"))),
              "tools": toolchain(SUITE, KIND, "gcc", "libc6-dev", "libxen-dev")}
    return artefact("hostile", inputs, build)


def media(kind=""):
    """The disk image dom0 mounts on /lab/media: guests boot from what is in it.  A file
    called KIND tells lib.sh which kernel that is."""
    made, programs = tree(kind), hostile()

    def build(tmp):
        files = tmp / "files"
        files.mkdir()
        for name in ("vmlinuz", "initramfs.gz", "disk.img"):
            shutil.copy(made / name, files / name)
        for name in ("vx-backend", "vx-frontend", "hostile.cpio.gz", "state-frontend"):
            shutil.copy(programs / name, files / name)
        if kind:
            (files / kind).touch()
        mke2fs(tmp / "media.img", files, str(DATA_DISKS["media"]), "labmedia")
        shutil.rmtree(files)

    os.utime(made)
    os.utime(programs)
    inputs = {"guest": made.name, "hostile": programs.name, "size": DATA_DISKS["media"]}
    return artefact(variant("media", kind), inputs, build) / "media.img"


def debian_disk(name, packages, script, inputs, arguments=lambda tmp: []):
    """A disk with GRUB and a whole Debian, as long as the data disk it becomes.
    `script`, with `arguments`, makes of guest/debian.sh's result what it is for."""
    made = tree()

    def build(tmp):
        root = tmp / "root"
        more = " ".join(map(str, arguments(tmp)))
        install_debian(SUITE, root, packages.split(","),
                       [f"--customize-hook={AGENT} \"$1\" {made}/xsagent",
                        f"--customize-hook={GUEST}/debian.sh \"$1\"",
                        f"--customize-hook={GUEST}/{script} \"$1\" {more}"], f"the Debian guest {name}")
        mke2fs(tmp / "fs.img", root, DEBIAN_FS, "debian")
        shutil.rmtree(root)
        bios_disk(tmp / "disk.img", made / "boot.img", made / "core.img", tmp / "fs.img",
                  menu(initrd="/boot/initrd.img"), DATA_DISKS["extra"])
        (tmp / "fs.img").unlink()

    os.utime(made)
    return artefact(f"guest-{name}", {
        "guest": made.name, "packages": packages, "size": DEBIAN_FS, "disk": DATA_DISKS["extra"],
        "files": hash_files(AGENT, GUEST / "debian.sh", GUEST / script), **inputs}, build) / "disk.img"


def debian():
    """For an HVM guest with emulated disks."""
    return debian_disk("debian", f"{DEBIAN_PACKAGES},initramfs-tools", "debian-bios.sh", {})


def root_disk(maker):
    """For a guest whose root is a virtio disk: our driver, installed by apt."""
    [driver] = [deb for deb in repo.debs_of(SUITE) if deb.name.startswith("virtio-xenbus-dkms_")]

    def repository(tmp):
        flat = tmp / "repo"
        flat.mkdir()
        shutil.copy(driver, flat)
        repo.index(flat)
        return [flat]

    return debian_disk(f"root-{maker}", f"{DEBIAN_PACKAGES},{maker},zstd", "debian-virtio.sh",
                       {"driver": hash_files(driver)}, repository)


def root_initramfs_tools():
    return root_disk("initramfs-tools")


def root_dracut():
    return root_disk("dracut")


def dkms():
    """For the guest in which the driver is built: what that takes, as Debian's packages,
    is there already, since unpacking a compiler takes an emulated guest half an hour."""
    return debian_disk("dkms", f"{DEBIAN_PACKAGES},initramfs-tools,zstd,dkms,linux-headers-amd64", "debian-virtio.sh", {})


def tools():
    """A disk that a small guest mounts for fio and iperf3: Debian's link too much
    to be copied to its initramfs."""
    def build(tmp):
        root = tmp / "root"
        install_debian(SUITE, root, TOOLS_PACKAGES, [], "the guest's tools")
        mke2fs(tmp / "disk.img", root, TOOLS_FS, "tools")
        shutil.rmtree(root)
        os.truncate(tmp / "disk.img", DATA_DISKS["extra"])

    return artefact("guest-tools", {"size": TOOLS_FS, "packages": TOOLS_PACKAGES, "disk": DATA_DISKS["extra"]}, build) / "disk.img"


def driver():
    """A Debian with our backends on a bare file system: root of a driver domain,
    and the tools' disk of its guests.  Its kernel is in its /boot."""
    made = tree()
    debs = [deb for deb in repo.debs_of(SUITE) if deb.name.split("_")[0] in DRIVER_DEBS]

    def build(tmp):
        root = tmp / "root"
        install_debian(SUITE, root, DRIVER_PACKAGES.split(","),
                       [f"--customize-hook={AGENT} \"$1\" {made}/xsagent",
                        f"--customize-hook={GUEST}/driver.sh \"$1\" " + " ".join(str(d.resolve()) for d in debs)],
                       "the driver domain")
        mke2fs(tmp / "disk.img", root, DRIVER_FS, "tools")
        shutil.rmtree(root)
        os.truncate(tmp / "disk.img", DATA_DISKS["extra"])

    inputs = {"guest": made.name, "packages": DRIVER_PACKAGES, "size": DRIVER_FS, "disk": DATA_DISKS["extra"],
              "debs": hash_files(*debs), "files": hash_files(AGENT, GUEST / "driver.sh")}
    os.utime(made)
    return artefact("guest-driver", inputs, build) / "disk.img"
