#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's hand in dom0: runs commands that arrive on a virtio-serial port.

Frames both ways: id (u32), type (u8), length (u32), payload; big-endian.
To dom0:    R reset: kill all jobs, echo the payload   E start: JSON
            {"argv": [...], "env": {...}, "pty": [rows, cols] or absent}
            I stdin data, empty = end of input          K kill the job's group
            W window size of a pty job: JSON [rows, cols]
From dom0:  R reset done   O output   X the job ended: JSON {"status": n}
"""
import fcntl
import json
import os
import pty
import queue
import signal
import struct
import subprocess
import termios
import threading
import time

PORT = "/dev/virtio-ports/xen-extras.agent"
HEAD = struct.Struct(">IBI")
CHUNK = 65536


class Port:
    def __init__(self):
        self.fd = os.open(PORT, os.O_RDWR)
        self.lock = threading.Lock()

    def send(self, job, kind, payload=b""):
        data = memoryview(HEAD.pack(job, ord(kind), len(payload)) + payload)
        with self.lock:
            while data:
                # Blocks while the host is slow; fails with EPIPE when gone.
                try:
                    data = data[os.write(self.fd, data[:CHUNK]):]
                except OSError:
                    return

    def read_exact(self, count):
        """None when the host went away in between: the frame is lost."""
        parts = []
        while count:
            piece = os.read(self.fd, min(count, CHUNK))
            if not piece:
                return None
            parts.append(piece)
            count -= len(piece)
        return b"".join(parts)


class Job:
    def __init__(self, port, number, spec, done):
        self.port, self.number, self.done = port, number, done
        self.input = queue.Queue()
        env = dict(os.environ, **spec.get("env", {}))
        if spec.get("pty"):
            self.master, slave = pty.openpty()
            self.resize(spec["pty"])
            self.proc = subprocess.Popen(
                spec["argv"], stdin=slave, stdout=slave, stderr=slave, env=env,
                cwd="/root", start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
            os.close(slave)
            self.inp = self.out = self.master
        else:
            self.master = None
            self.proc = subprocess.Popen(
                spec["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, env=env, cwd="/root",
                start_new_session=True)
            self.inp, self.out = self.proc.stdin.fileno(), self.proc.stdout.fileno()
        threading.Thread(target=self.feed, daemon=True).start()
        threading.Thread(target=self.drain, daemon=True).start()

    def resize(self, size):
        if self.master is not None:
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))

    def feed(self):
        while True:
            data = self.input.get()
            if not data:
                break
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self.inp, view):]
            except OSError:
                break
        if self.master is None:
            try:
                self.proc.stdin.close()
            except OSError:
                pass

    def drain(self):
        # A background child may keep the pipe open after the job: once the
        # job itself has ended, output is awaited for half a second only.
        os.set_blocking(self.out, False)
        ended = None
        while True:
            try:
                data = os.read(self.out, CHUNK)
                if not data:
                    break
                self.port.send(self.number, "O", data)
                continue
            except BlockingIOError:
                pass
            except OSError:
                break
            if ended is None and self.proc.poll() is not None:
                ended = time.monotonic()
            if ended is not None and time.monotonic() - ended > 0.5:
                break
            time.sleep(0.02)
        status = self.proc.wait()
        self.input.put(b"")
        if self.master is not None:
            os.close(self.master)
        self.done(self.number)
        self.port.send(self.number, "X", json.dumps({"status": status}).encode())

    def kill(self):
        try:
            os.killpg(self.proc.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def serve(port):
    jobs = {}
    while True:
        head = port.read_exact(HEAD.size)
        payload = None
        if head is not None:
            number, kind, length = HEAD.unpack(head)
            payload = port.read_exact(length) if length else b""
        if payload is None:         # nobody at the host's end
            time.sleep(0.05)
            continue
        kind = chr(kind)
        job = jobs.get(number)
        if kind == "R":
            for old in list(jobs.values()):
                old.kill()
            port.send(0, "R", payload)
        elif kind == "E":
            try:
                jobs[number] = Job(port, number, json.loads(payload), lambda n: jobs.pop(n, None))
            except (OSError, ValueError) as error:
                port.send(number, "O", f"agent: {error}\n".encode())
                port.send(number, "X", json.dumps({"status": 127}).encode())
        elif job is None:
            continue
        elif kind == "I":
            job.input.put(payload)
        elif kind == "K":
            job.kill()
        elif kind == "W":
            job.resize(json.loads(payload))


if __name__ == "__main__":
    while not os.path.exists(PORT):
        time.sleep(0.2)
    serve(Port())
