#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""xen-stubdom build/register/unregister on a real system, without Xen.

Each test starts from the suite's image chroot (what a user's machine has to
have, mk/packages/image) with our files put where the packages put them, in an
overlay that is thrown away: nothing a test does is seen by the next one.

  test_image.py SUITE PARTS USER [TEST...]

PARTS: directory with vmlinuz, qemu-stubdom, qemu-stubdom.info
USER: directory with xen-stubdom and stubdom-init of the suite
"""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATE = "/var/lib/xen-stubdom"
MODULE = "usr/lib/dracut/modules.d/50xen-stubdom"
FILES = ("kernel", "rootfs")


class Failed(Exception):
    pass


def must(cond, text):
    if not cond:
        raise Failed(text)


def sh(*argv):
    subprocess.run(argv, check=True)


class Host:
    """A machine that has our packages and (by its directory) one Xen."""

    def __init__(self, chroot, parts, user, xen=None):
        self.dir = tempfile.mkdtemp(prefix="xen-stubdom-test-")
        sh("mount", "-t", "tmpfs", "tmpfs", self.dir)
        for d in "uwr":
            os.mkdir(f"{self.dir}/{d}")
        self.root = f"{self.dir}/r"
        sh("mount", "-t", "overlay", "overlay", "-o",
           f"lowerdir={chroot},upperdir={self.dir}/u,workdir={self.dir}/w", self.root)
        sh("mount", "-t", "proc", "proc", self.root + "/proc")
        sh("mount", "--rbind", "/dev", self.root + "/dev")
        self.install(parts, user)
        info = open(self.path("/usr/share/xen-extras/qemu-stubdom.info")).read()
        self.xen = xen or re.search(r"^xen (\S+)$", info, re.M)[1]
        self.boot = f"/usr/lib/xen-{self.xen}/boot"
        os.makedirs(self.path(self.boot), exist_ok=True)
        open(self.path(self.boot + "/hvmloader"), "w").close()

    def path(self, p):
        return self.root + "/" + p.lstrip("/")

    def put(self, src, dst, mode):
        os.makedirs(os.path.dirname(self.path(dst)), exist_ok=True)
        shutil.copy(src, self.path(dst))
        os.chmod(self.path(dst), mode)

    def install(self, parts, user):
        self.put(f"{user}/xen-stubdom", "/usr/sbin/xen-stubdom", 0o755)
        self.put(f"{user}/stubdom-init", "/usr/libexec/xen-extras/stubdom-init", 0o755)
        self.put(f"{parts}/qemu-stubdom", "/usr/libexec/xen-extras/qemu-stubdom", 0o755)
        self.put(f"{parts}/qemu-stubdom.info", "/usr/share/xen-extras/qemu-stubdom.info", 0o644)
        self.put(f"{parts}/vmlinuz", "/usr/lib/xen-extras/stubdom/vmlinuz", 0o644)
        self.put(f"{TOP}/stubdom/dracut/50xen-stubdom/module-setup.sh",
                 f"/{MODULE}/module-setup.sh", 0o755)

    def popen(self, *argv, env=None, umask=0o22, root=None):
        def enter():
            os.chroot(root or self.root)
            os.chdir("/")
            os.umask(umask)
        return subprocess.Popen(
            argv, preexec_fn=enter, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **(env or {})})

    def run(self, *argv, rc=0, **kw):
        p = self.popen(*argv, **kw)
        out = p.communicate()[0]
        must(rc is None or p.returncode == rc, f"{' '.join(argv)}: exit code {p.returncode}, not {rc}:\n{out}")
        return out

    def cli(self, *argv, **kw):
        return self.run("/usr/sbin/xen-stubdom", *argv, **kw)

    def bytes(self, p):
        with open(self.path(p), "rb") as f:
            return f.read()

    def current(self, name):
        return f"{STATE}/{self.xen}/current/{name}"

    def tree(self, top):
        """Every path below, so that what was left behind has a name."""
        found = set()
        for d, dirs, files in os.walk(self.path(top)):
            if d == self.root + "/":
                dirs[:] = set(dirs) - {"proc", "dev", "sys"}
            found.update(os.path.join(d, n)[len(self.root):] for n in dirs + files)
        return found

    def unpack(self, rootfs):
        out = self.path("/unpacked")
        os.mkdir(out)
        sh("sh", "-c", 'zstd -dc "$1" | (cd "$2" && cpio -i --quiet --no-absolute-filenames)',
           "sh", self.path(rootfs), out)
        return out

    def close(self):
        subprocess.run(["umount", "-R", "-l", self.dir], check=False)
        os.rmdir(self.dir)


def change(host, path, data=b"\n"):
    """Another version of a file, as an upgrade puts it: a new inode."""
    name = host.path(path)
    old = host.bytes(path)
    mode = os.stat(name).st_mode
    os.unlink(name)
    with open(name, "wb") as f:
        f.write(old + data)
    os.chmod(name, mode)


def fails_and_keeps(host, *argv, say, **kw):
    """A build that fails says why, and leaves everything as it was."""
    before = host.tree("/var") | host.tree("/tmp") | host.tree("/usr/lib/xen-" + host.xen)
    old = [host.bytes(host.current(f)) for f in FILES]
    out = host.cli(*argv, rc=1, **kw)
    for s in say:
        must(s in out, f"'{s}' is not in what it said:\n{out}")
    after = host.tree("/var") | host.tree("/tmp") | host.tree("/usr/lib/xen-" + host.xen)
    must(after == before, f"left behind or lost: {sorted(after ^ before)}")
    must(old == [host.bytes(host.current(f)) for f in FILES], "the old image changed")


# The tests: each gets a fresh host.

def test_same_bytes(host):
    """built twice, elsewhere and later: the same bytes"""
    host.cli("build", "--output", "/one")
    host.run("touch", "-d", "2001-02-03", "/usr/share/seabios/vgabios-stdvga.bin",
             "/usr/libexec/xen-extras/qemu-stubdom", "/usr/lib/xen-extras/stubdom/vmlinuz")
    # A host full of opinions: none of them may get in.
    with open(host.path("/etc/dracut.conf.d/50-host.conf") if os.path.isdir(host.path("/etc/dracut.conf.d"))
              else host.path("/etc/dracut.conf"), "w") as f:
        f.write('install_items+=" /etc/shadow "\nadd_dracutmodules+=" bash base "\ncompress="xz"\n')
    with open(host.path("/etc/ld.so.conf.d/0-host.conf"), "w") as f:
        f.write("/opt/lib\n")
    os.makedirs(host.path("/opt/lib"))
    shutil.copy(host.path("/usr/lib/x86_64-linux-gnu/libc.so.6"), host.path("/opt/lib/libc.so.6"))
    os.unlink(host.path("/etc/ld.so.cache"))
    os.makedirs(host.path("/quite/another/place"))
    time.sleep(1.1)
    host.cli("build", "--output", "/quite/another/place/two", umask=0o77,
             env={"TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1", "LD_LIBRARY_PATH": "/opt/lib",
                  "dracutbasedir": "/nonexistent", "TMPDIR": "/nonexistent", "HOME": "/x"})
    for f in FILES + ("manifest",):
        must(host.bytes(f"/one/{f}") == host.bytes(f"/quite/another/place/two/{f}"), f"{f} differs")


def test_content(host):
    """nothing is in it but what QEMU and init need"""
    host.cli("build", "--output", "/one")
    out = host.unpack("/one/rootfs")
    found = {os.path.relpath(os.path.join(d, n), out) for d, _, files in os.walk(out) for n in files}
    known = re.compile(r"init$|dev/(console|null)$|etc/passwd$|etc/xen-stubdom/image$|usr/libexec/xen-extras/qemu-stubdom$"
                       r"|usr/share/qemu/(vgabios-(stdvga|cirrus)\.bin|efi-(e1000|rtl8139|virtio)\.rom)$"
                       r"|usr/lib/x86_64-linux-gnu/lib[\w+.-]+\.so[.\d]*$|(usr/)?lib64/ld-linux-x86-64\.so\.2$|lib64$")
    strange = sorted(f for f in found if not known.match(f))
    must(not strange, f"in the ramdisk: {strange}")
    for d, dirs, files in os.walk(out):
        for n in dirs + files:
            st = os.lstat(os.path.join(d, n))
            must(st.st_uid == 0 and st.st_gid == 0, f"{n} is owned by {st.st_uid}:{st.st_gid}")
            must(not st.st_mode & 0o6000, f"{n} is setuid")
            must(n == "tmp" or os.path.islink(os.path.join(d, n)) or n == "null"
                 or not st.st_mode & 0o022, f"{n} can be written by others")
    size = os.path.getsize(host.path("/one/rootfs"))
    must(size <= 10 << 20, f"the ramdisk has {size} bytes")
    info = open(out + "/etc/xen-stubdom/image").read()
    must(f"xen {host.xen}\n" in info and "\nmemory-min " in info, f"image info: {info}")
    must(host.bytes("/one/kernel") == host.bytes("/usr/lib/xen-extras/stubdom/vmlinuz"), "the kernel is another")


def test_runs_in_image(host):
    """QEMU and init load all their libraries in the unpacked image"""
    host.cli("build", "--output", "/one")
    out = host.unpack("/one/rootfs")
    qemu = "/usr/libexec/xen-extras/qemu-stubdom"
    says = host.run(qemu, "--version", root=out)
    must("QEMU" in says, f"QEMU said: {says}")
    listed = host.run("/lib64/ld-linux-x86-64.so.2", "--list", "/init", root=out)
    must("not found" not in listed and "libc.so.6" in listed, f"init: {listed}")
    dirs = host.run(qemu, "-L", "help", root=out).split()
    must("/usr/share/qemu" in dirs, f"QEMU looks for ROMs in {dirs}")
    listed = host.run("/lib64/ld-linux-x86-64.so.2", "--list", qemu, root=out)
    used = set(re.findall(r"(lib[^/\s]+)\s+\(0x", listed)) | set(re.findall(r"/(lib[^/\s]+\.so[.\d]*) \(", listed))
    must("libc.so.6" in used, f"QEMU: {listed}")


def test_register(host):
    """register builds, links, and does nothing the second time"""
    host.cli("register", "--all")
    for f in FILES:
        link = host.path(f"{host.boot}/qemu-stubdom-linux-{f}")
        must(os.readlink(link) == host.current(f), f"{link} points to {os.readlink(link)}")
        must(host.bytes(host.current(f)), f"{f} is empty")
    there = set(os.listdir(host.path(host.current(""))))
    must(there == {"kernel", "rootfs", "manifest"}, f"in the image's directory: {there}")
    before = os.stat(host.path(host.current("rootfs")))
    out = host.cli("register", "--all")
    must("up to date" in out, out)
    after = os.stat(host.path(host.current("rootfs")))
    must((before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns), "it was built again")
    must(open(host.path(f"{STATE}/links")).read().count("\n") == 2, "links are not written down")
    out = host.cli("build", "--if-needed")
    must("up to date" in out, out)


def test_changes(host):
    """each change of an input makes a new image; one old one is kept"""
    host.cli("register")
    first = host.bytes(host.current("rootfs"))
    for n, path in enumerate(("/usr/share/seabios/vgabios-stdvga.bin", "/usr/lib/xen-extras/stubdom/vmlinuz",
                              "/usr/lib/x86_64-linux-gnu/libz.so.1")):
        change(host, os.path.realpath(host.path(path))[len(host.root):])
        host.cli("register")
        gens = [d for d in os.listdir(host.path(f"{STATE}/{host.xen}")) if d.startswith("gen-")]
        must(len(gens) == 2, f"after change {n + 1}: {gens}")
        must(host.bytes(host.current("rootfs")) != first, f"change of {path} changed nothing")
    out = host.cli("register")
    must("up to date" in out, out)


def test_damaged(host):
    """a damaged image is noticed and built again"""
    host.cli("register")
    good = host.bytes(host.current("rootfs"))
    change(host, host.current("rootfs"), b"x")
    must("damaged" in host.cli("check", rc=1), "check does not see it")
    host.cli("register")
    must(host.bytes(host.current("rootfs")) == good, "it was not repaired")


def test_missing_input(host):
    """a missing file is named with its package; the old image stays"""
    host.cli("register")
    manifest = host.bytes(host.current("manifest")).decode()
    os.unlink(host.path(re.search(r"^input \S+ (/\S+/efi-e1000\.rom)$", manifest, re.M)[1]))
    os.unlink(host.path("/usr/share/seabios/vgabios-cirrus.bin"))
    fails_and_keeps(host, "build", say=["efi-e1000.rom of package ipxe-qemu", "vgabios-cirrus.bin of package seabios",
                                        "apt install --reinstall seabios", "one that is there stays"])
    fails_and_keeps(host, "register", say=["apt install --reinstall ipxe-qemu"])


def test_missing_library(host):
    """so is a missing library"""
    host.cli("register")
    for f in os.listdir(host.path("/usr/lib/x86_64-linux-gnu")):
        if f.startswith("libz.so"):
            os.unlink(host.path("/usr/lib/x86_64-linux-gnu/" + f))
    # The program itself does not start without it: ask the linker of another place.
    out = host.cli("build", rc=None)
    must("libz.so.1" in out, out)


def test_dracut_fails(host):
    """dracut's own words are shown when it fails"""
    host.cli("register")
    with open(host.path(f"/{MODULE}/module-setup.sh"), "a") as f:
        f.write("\ninstall() { echo 'the module says no' >&2; exit 3; }\n")
    fails_and_keeps(host, "build", say=["dracut failed", "the module says no"])
    os.unlink(host.path("/usr/bin/dracut"))
    fails_and_keeps(host, "build", say=["dracut", "apt install dracut-core"])


def test_no_space(host):
    """a full disk keeps the old image"""
    host.cli("register")
    shutil.move(host.path(STATE), host.path("/saved"))
    os.mkdir(host.path(STATE))
    used = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(host.path("/saved")) for f in fs
               if not os.path.islink(os.path.join(d, f)))
    sh("mount", "-t", "tmpfs", "-o", f"size={used + (6 << 20)}", "tmpfs", host.path(STATE))
    sh("cp", "-a", host.path("/saved") + "/.", host.path(STATE))
    change(host, "/usr/share/seabios/vgabios-stdvga.bin")
    fails_and_keeps(host, "build", say=["No space left"])


def test_interrupted(host):
    """SIGTERM and SIGINT at any moment: the old image, no leftovers"""
    host.cli("register")
    change(host, "/usr/share/seabios/vgabios-stdvga.bin")
    for sig, delay in ((signal.SIGTERM, 0.4), (signal.SIGINT, 1.2), (signal.SIGTERM, 3.0)):
        before = host.tree("/var") | host.tree("/tmp")
        old = [host.bytes(host.current(f)) for f in FILES]
        p = host.popen("/usr/sbin/xen-stubdom", "build")
        time.sleep(delay)
        p.send_signal(sig)
        out = p.communicate(timeout=30)[0]
        must(p.returncode == 1 and "interrupted" in out, f"after {delay} s: exit code {p.returncode}:\n{out}")
        must(before == host.tree("/var") | host.tree("/tmp"), "left: "
             + str(sorted(before ^ (host.tree("/var") | host.tree("/tmp")))))
        must(old == [host.bytes(host.current(f)) for f in FILES], "the old image changed")
    left = [p for p in os.listdir("/proc") if p.isdigit() and same_root(p, host.root)]
    must(not left, f"processes left: {left}")
    host.cli("build")


def same_root(pid, root):
    try:
        return os.readlink(f"/proc/{pid}/root") == root
    except OSError:
        return False


def test_killed(host):
    """SIGKILL: the next build cleans up"""
    host.cli("register")
    change(host, "/usr/share/seabios/vgabios-stdvga.bin")
    p = host.popen("/usr/sbin/xen-stubdom", "build")
    time.sleep(1.0)
    p.kill()
    p.communicate()
    time.sleep(0.5)
    host.cli("register")
    left = [d for d in os.listdir(host.path(f"{STATE}/{host.xen}")) if d.startswith(".")]
    must(not left, f"left: {left}")


def test_concurrent(host):
    """two at once: one builds, the other waits and has nothing to do"""
    two = [host.popen("/usr/sbin/xen-stubdom", "register") for _ in range(2)]
    outs = [p.communicate()[0] for p in two]
    must([p.returncode for p in two] == [0, 0], "\n".join(outs))
    must(sum("up to date" in o for o in outs) == 1, "\n".join(outs))


def test_other_xen(host):
    """another Xen than QEMU's is refused, and said so"""
    host.cli("register")
    fails_and_keeps(host, "build", "--xen", "4.99", say=["is for Xen " + host.xen, "not for Xen 4.99"])
    fails_and_keeps(host, "register", "--xen", "4.99", say=["Xen 4.99 is not installed"])
    os.makedirs(host.path("/usr/lib/xen-4.99/boot"))
    open(host.path("/usr/lib/xen-4.99/boot/hvmloader"), "w").close()
    fails_and_keeps(host, "register", "--xen", "4.99", say=["no image for Xen 4.99"])
    out = host.cli("register", "--all")
    must("warning: no image for Xen 4.99" in out, out)
    must(not os.path.lexists(host.path("/usr/lib/xen-4.99/boot/qemu-stubdom-linux-kernel")), "a link to nothing")


def test_foreign(host):
    """what others put there stays"""
    kernel = host.path(host.boot + "/qemu-stubdom-linux-kernel")
    rootfs = host.path(host.boot + "/qemu-stubdom-linux-rootfs")
    with open(kernel, "w") as f:
        f.write("mine")
    os.symlink(host.current("rootfs"), rootfs)      # as a package owns it
    out = host.cli("register", rc=1)
    must("is not ours and stays" in out and open(kernel).read() == "mine", out)
    must(not os.path.exists(host.path(STATE + "/links")), "a package's link was taken over")
    host.cli("unregister", "--purge")
    must(os.path.islink(rootfs) and open(kernel).read() == "mine", "something of others was removed")


def test_unregister(host):
    """unregister --purge leaves nothing"""
    before = host.tree("/")
    host.cli("register")
    host.cli("unregister", "--xen", host.xen)
    must(os.path.exists(host.path(host.current("rootfs"))), "the image went without --purge")
    must(host.tree(host.boot) == {host.boot + "/hvmloader"}, str(host.tree(host.boot)))
    host.cli("register")
    host.cli("unregister", "--purge")
    after = host.tree("/")
    must(before == after, f"left or lost: {sorted(before ^ after)[:20]}")


def test_xen_removed(host):
    """links of a Xen that is gone go too"""
    host.cli("register")
    os.unlink(host.path(host.boot + "/hvmloader"))
    out = host.cli("register")
    must(not os.path.exists(host.path(host.boot)), "its directory is left: " + out)


def test_own_initramfs(host):
    """the module never gets into the host's own initramfs"""
    host.run("sh", "-c", "mkdir -p /lib/modules/1; dracut --force --no-kernel --kver 1 /tmp/host.img || "
             "dracut --force --no-kernel /tmp/host.img 1", rc=None)
    must(os.path.exists(host.path("/tmp/host.img")), "dracut made no initramfs")
    listed = host.run("sh", "-c", "lsinitrd -m /tmp/host.img")
    must("dracut modules" in listed and "xen-stubdom" not in listed, listed)


def test_logs(host):
    """logs shows no byte that a terminal would obey"""
    os.makedirs(host.path("/var/log/xen"), exist_ok=True)
    with open(host.path("/var/log/xen/qemu-dm-web1.log"), "wb") as f:
        f.write(b"booted\r\n\x1b]0;owned\x07\x9b2J\tend\n")
    out = host.cli("logs", "web1", rc=None)
    must("booted\n?]0;owned??2J\tend\n" in out, repr(out))
    out = host.cli("logs", "../web1", rc=2)
    must("not the name of a guest" in out, out)


def test_debug(host):
    """--debug has a shell that runs, and is told apart"""
    host.cli("build", "--debug", "--output", "/one")
    out = host.unpack("/one/rootfs")
    must(host.run("/bin/sh", "-c", "echo fine", root=out) == "fine\n", "no shell")
    must("\ndebug 1\n" in open(host.path("/one/manifest")).read(), "the manifest does not say so")


TESTS = {n[5:]: f for n, f in list(globals().items()) if n.startswith("test_")}


def main():
    suite, parts, user, *names = sys.argv[1:]
    # A mount namespace of our own: nothing to unmount, whatever happens.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x20000):
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}: run as root")
    sh("mount", "--make-rprivate", "/")
    chroot = subprocess.run([f"{TOP}/mk/chroot.sh", "path", suite, "image"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    passed = failed = 0
    for name in names or TESTS:
        host = Host(chroot, parts, user)
        start = time.monotonic()
        try:
            TESTS[name](host)
            print(f"ok - {suite}: {TESTS[name].__doc__} ({time.monotonic() - start:.0f} s)", flush=True)
            passed += 1
        except (Failed, OSError, subprocess.SubprocessError) as e:
            print(f"not ok - {suite}: {TESTS[name].__doc__} [{name}]\n    " + str(e).replace("\n", "\n    "), flush=True)
            failed += 1
        finally:
            host.close()
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
