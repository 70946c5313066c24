#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py QEMU FAKEXEN.so: qemu-virtio against a guest that is a thread of it.

The guest (guest_blk.c) makes its checks; then the device is removed and added
by QMP as the daemon does, and QEMU has to quit cleanly.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

DISK = "virtio_disk-51712"
OTHERS = (
    ["virtio-net-device,bus=virtio-0.0,netdev=virtio-0,mq=on"],
    ["virtio-rng-device,bus=virtio-1.0,rng=virtio-1"],
    ["virtio-serial-device,bus=virtio-2.0,id=virtio-2.dev", "virtconsole,bus=virtio-2.dev.0,chardev=virtio-2.con"],
    ["virtio-9p-device,bus=virtio-3.0,fsdev=virtio-3,mount_tag=t"],
)


class Qmp:
    def __init__(self, proc):
        self.proc = proc
        self.events = []
        self.read()
        self.ask("qmp_capabilities")

    def read(self):
        line = self.proc.stdout.readline()
        while line and not line.startswith(b"{"):
            sys.stdout.write(line.decode(errors="replace"))
            line = self.proc.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        self.proc.stdin.write(text.encode() + b"\n")
        self.proc.stdin.flush()
        while True:
            answer = self.read()
            if answer is None:
                raise SystemExit("QEMU ended")
            if "event" in answer:
                self.events.append(answer)
            else:
                return answer

    def wait_deleted(self, device):
        for _ in range(100):
            if any(e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device for e in self.events):
                return True
            self.ask("query-status")
            time.sleep(0.05)
        return False


def preload(fake):
    """A sanitizer's library has to be the first."""
    return " ".join(filter(None, [os.environ.get("SANITIZER"), fake]))


def wait_for(qmp, proc, result):
    for _ in range(600):
        if os.path.exists(result) or proc.poll() is not None:
            return True
        qmp.ask("query-status")
        time.sleep(0.05)
    print("the guest did not end")
    return False


def quit_under_load(args, env, result):
    with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as proc:
        qmp = Qmp(proc)
        bad = not wait_for(qmp, proc, result)
        for command in ("stop", "cont", "quit"):
            time.sleep(0.3)
            qmp.ask(command)
        sys.stdout.write(proc.stdout.read().decode(errors="replace"))
    if proc.returncode:
        print("QEMU ended under load with", proc.returncode)
    return int(bad or proc.returncode != 0)


def kills(args, env, result, mem, times):
    """The guest kills QEMU in the midst of I/O and goes on with the next one, in the same memory."""
    env = dict(env, FAKEXEN_KILLS=str(times), FAKEXEN_MEM=mem)
    for n in range(times + 1):
        with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as proc:
            while proc.poll() is None and not os.path.exists(result):
                time.sleep(0.02)
            if proc.poll() is None:
                qmp = Qmp(proc)
                qmp.ask("quit")
            out = proc.stdout.read().decode(errors="replace")
        sys.stdout.writelines(line + "\n" for line in out.splitlines() if not line.startswith("{"))
        if proc.returncode != (0 if n == times else -9):
            print(f"QEMU {n} ended with", proc.returncode)
            return 1
    return int(not os.path.exists(result) or open(result).read().split()[1] != "0")


def size_of(qmp):
    """As xen-virtiod and xen-virtio find it."""
    for disk in qmp.ask("query-block")["return"]:
        node = disk.get("inserted", {})
        if node.get("node-name") == DISK:
            return node["image"]["virtual-size"]
    return None


def grows(qmp, image):
    """A file made bigger by somebody, then one that QEMU makes bigger."""
    os.truncate(image, 96 << 20)
    bad = 0
    for size in (96 << 20, 128 << 20):
        if "error" in (answer := qmp.ask("block_resize", **{"node-name": DISK, "size": size})):
            print("block_resize:", answer["error"])
            bad = 1
        if size_of(qmp) != size or os.path.getsize(image) != size:
            print("block_resize: the disk has", size_of(qmp), "bytes, its file", os.path.getsize(image))
            bad = 1
    return bad


def main():
    qemu, fake = sys.argv[1:3]
    bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        image, result = os.path.join(tmp, "disk"), os.path.join(tmp, "result")
        with open(image, "wb") as f:
            f.truncate(64 << 20)
        args = [
            qemu, "-M", "xen-virtio", "-accel", "xen", "-xen-domid", "7", "-xen-attach", "-nodefaults",
            "-no-user-config", "-display", "none",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-chardev", "stdio,id=qmp", "-mon", "chardev=qmp,mode=control",
            "-object", f"iothread,id={DISK}.io",
            "-blockdev", json.dumps({"driver": "raw", "node-name": DISK,
                                     "file": {"driver": "file", "filename": image, "aio": "threads"}}),
            "-device", json.dumps({"driver": "virtio-xenbus", "id": DISK, "kind": "virtio_disk", "devid": 51712}),
            "-device", json.dumps({"driver": "virtio-blk-device", "bus": f"{DISK}.0", "drive": DISK, "num-queues": 2,
                                   "iothread": f"{DISK}.io", "id": f"{DISK}.dev"}),
            "-netdev", "hubport,id=virtio-0,hubid=0",
            "-object", "rng-random,id=virtio-1,filename=/dev/urandom",
            "-chardev", "null,id=virtio-2.con",
            "-fsdev", f"local,id=virtio-3,path={tmp},security_model=none",
        ]
        for devid, devices in enumerate(OTHERS):
            relays = ",relays=1" if devid == 0 else ""
            args += ["-device", f"virtio-xenbus,id=virtio-{devid},kind=virtio,devid={devid}{relays}"]
            for device in devices:
                args += ["-device", device]
        args += sys.argv[3:]
        env = dict(os.environ, LD_PRELOAD=preload(fake), FAKEXEN=result)
        # First ended in the middle of I/O: it has to drain and to go.
        bad |= quit_under_load(args, dict(env, FAKEXEN_LOAD="1"), result)
        os.unlink(result)
        bad |= kills(args, env, result, os.path.join(tmp, "mem"), 24)
        if os.path.exists(result):
            os.unlink(result)
        with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as proc:
            qmp = Qmp(proc)
            bad |= not wait_for(qmp, proc, result)
            bad |= grows(qmp, image)
            answer = qmp.ask("device_del", id=DISK + ".dev")
            if "error" not in answer:
                print("the virtio device alone could be removed")
                bad = 1
            qmp.ask("device_del", id=DISK)
            if not (qmp.wait_deleted(DISK) and qmp.wait_deleted(DISK + ".dev")):
                print("device_del: no DEVICE_DELETED")
                bad = 1
            for _ in range(2):
                for driver, more in (("virtio-xenbus", {"id": DISK, "kind": "virtio_disk", "devid": 51712}),
                                     ("virtio-blk-device", {"id": DISK + ".dev", "bus": DISK + ".0", "drive": DISK,
                                                            "iothread": DISK + ".io", "logical_block_size": 4096,
                                                            "physical_block_size": 8192, "rerror": "report",
                                                            "werror": "report"})):
                    answer = qmp.ask("device_add", driver=driver, **more)
                    if "error" in answer:
                        print("device_add:", answer["error"])
                        bad = 1
                qmp.events.clear()
                qmp.ask("device_del", id=DISK)
                if not qmp.wait_deleted(DISK):
                    print("second device_del: no DEVICE_DELETED")
                    bad = 1
            for command, arguments in (("blockdev-del", {"node-name": DISK}), ("object-del", {"id": DISK + ".io"})):
                answer = qmp.ask(command, **arguments)
                if "error" in answer:
                    print(command, answer["error"])
                    bad = 1
            qmp.ask("quit")
            sys.stdout.write(proc.stdout.read().decode(errors="replace"))
        if proc.returncode:
            print("QEMU ended with", proc.returncode)
            bad = 1
        if not os.path.exists(result) or int(open(result).read().split()[1]):
            bad = 1
    print(f"{int(not bad)} passed, {int(bad)} failed")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
