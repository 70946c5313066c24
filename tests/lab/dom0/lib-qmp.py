#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands between libxl and a guest's QMP socket and times xl save:  lib-qmp.py DOMID STUBDOMID LOG [PROGRAM]

A line of LOG for each xen-save-devices-state, with times in seconds from libxl's command on:
    ok|error REPLY DONE FILE
REPLY: the answer; DONE: the stubdomain has closed its state disk, "-" without one; FILE: from the first to
the last byte that came to qemu-save.DOMID as a growing file, "-" when it came at once.
STUBDOMID is 0 for a QEMU in dom0.  `PROGRAM before` runs before the command goes on, `PROGRAM after` then.
SIGTERM ends it, and the socket is as it was.
"""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

RUN = "/run/xen"
COMMAND = "xen-save-devices-state"
DECODER = json.JSONDecoder()
# A file that grows for less is one that came at once; it is looked at as often.
POLL = 0.01


def take(text):
    """(JSON values at the beginning of a text, the rest)."""
    found = []
    text = text.lstrip()
    while text:
        try:
            value, end = DECODER.raw_decode(text)
        except ValueError:
            break
        found.append(value)
        text = text[end:].lstrip()
    return found, text


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


class Done(threading.Thread):
    """When the stubdomain's word about its disk changed; of a save, the first time counts."""

    def __init__(self, stub):
        super().__init__(daemon=True)
        self.at = []
        node = f"/local/domain/{stub}/data/xen-stubdom/state/done"
        self.watch = subprocess.Popen(["xenstore-watch", node], stdout=subprocess.PIPE)
        self.start()

    def run(self):
        for _ in self.watch.stdout:
            self.at.append(time.monotonic())

    def after(self, start):
        times = [at for at in list(self.at) if at > start]
        return f"{times[0] - start:.3f}" if times else "-"


class Save:
    """What has been said on a connection, and the save that is under way."""

    def __init__(self, domid, log, program, done):
        self.file = f"/var/lib/xen/qemu-save.{domid}"
        self.log, self.program, self.done = log, program, done
        self.texts = {"libxl": "", "qemu": ""}
        self.start = self.id = self.size = None
        self.grew = []

    def heard(self, who, data):
        found, self.texts[who] = take(self.texts[who] + data.decode(errors="replace"))
        return found

    def from_libxl(self, data):
        """True when with this the command is complete."""
        for message in self.heard("libxl", data):
            if message.get("execute") == COMMAND:
                self.run("before")
                self.id, self.size, self.grew = message.get("id"), size_of(self.file), []
                self.start = time.monotonic()
                return True
        return False

    def from_qemu(self, data):
        now = time.monotonic()
        for message in self.heard("qemu", data):
            if self.start and message.get("id") == self.id and ("return" in message or "error" in message):
                self.look()
                self.say("ok" if "return" in message else "error", now)
                self.start = None

    def look(self):
        size = size_of(self.file) if self.start else self.size
        if size != self.size:
            self.size = size
            self.grew.append(time.monotonic())

    def say(self, word, now):
        done = self.done.after(self.start) if self.done else "-"
        grown = self.grew[-1] - self.grew[0] if self.grew else 0
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{word} {now - self.start:.3f} {done} {f'{grown:.3f}' if grown > POLL else '-'}\n")

    def run(self, when):
        if self.program:
            subprocess.run([self.program, when], check=False)


def relay(client, real, save):
    """One client of libxl's, until either side closes."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(real)
        ends = {client: server, server: client}
        while True:
            ready, _, _ = select.select(list(ends), [], [], POLL if save.start else None)
            save.look()
            for end in ready:
                # QEMU in dom0 gets its file as a descriptor.
                data, fds, _, _ = socket.recv_fds(end, 65536, 4)
                if not data:
                    return
                command = end is client and save.from_libxl(data)
                if end is server:
                    save.from_qemu(data)
                if fds:
                    socket.send_fds(ends[end], [data], fds)
                else:
                    ends[end].sendall(data)
                for fd in fds:
                    os.close(fd)
                if command:
                    save.run("after")


def main():
    domid, stub, log = sys.argv[1:4]
    program = sys.argv[4] if len(sys.argv) > 4 else None
    path, real = f"{RUN}/qmp-libxl-{domid}", f"{RUN}/lab-qmp-{domid}"
    done = Done(stub) if stub != "0" else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.rename(path, real)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(8)
            while True:
                client, _ = listener.accept()
                # One that leaves while it is answered is no reason to end.
                with client, contextlib.suppress(ConnectionError):
                    relay(client, real, Save(domid, log, program, done))
    finally:
        if done:
            done.watch.terminate()
        # libxl removes the name with the guest.
        if os.path.exists(path):
            os.rename(real, path)
        else:
            os.unlink(real)


if __name__ == "__main__":
    main()
