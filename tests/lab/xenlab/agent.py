# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner's end of the command channel; dom0/agent.py is the other."""
import json
import os
import queue
import select
import socket
import struct
import threading
import time

from .cache import LabError

HEAD = struct.Struct(">IBI")
CHUNK = 65536


class AgentGone(LabError):
    pass


class Job:
    def __init__(self):
        self.events = queue.Queue()


class Agent:
    """One connection; jobs run concurrently, from any thread."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        # A path under /proc/self/fd: the socket's own may be over 108 bytes.
        directory = os.open(os.path.dirname(path), os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        finally:
            os.close(directory)
        self.write_lock = threading.Lock()
        self.jobs = {}
        self.next = 1
        self.lock = threading.Lock()
        self.resets = queue.Queue()
        self.gone = False
        threading.Thread(target=self._reader, daemon=True).start()

    def close(self):
        # shutdown wakes the reader, which marks every job as gone.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _send(self, job, kind, payload=b""):
        try:
            with self.write_lock:
                self.sock.sendall(HEAD.pack(job, ord(kind), len(payload)) + payload)
        except OSError as error:
            raise AgentGone("the emulator closed the command channel") from error

    def _reader(self):
        stream = self.sock.makefile("rb")
        try:
            while True:
                head = stream.read(HEAD.size)
                if len(head) < HEAD.size:
                    break
                number, kind, length = HEAD.unpack(head)
                payload = stream.read(length)
                if chr(kind) == "R":
                    self.resets.put(payload)
                elif number in self.jobs:
                    self.jobs[number].events.put((chr(kind), payload))
        except (OSError, ValueError):
            pass
        self.gone = True
        for job in list(self.jobs.values()):
            job.events.put(("G", b""))
        self.resets.put(None)

    def reset(self, timeout):
        """Waits until dom0's agent answers; kills what an earlier client left."""
        token = os.urandom(8)
        end = time.monotonic() + timeout
        self._send(0, "R", token)
        while True:
            left = end - time.monotonic()
            try:
                answer = self.resets.get(timeout=max(left, 0))
            except queue.Empty:
                raise LabError(f"dom0 did not answer within {timeout} s") from None
            if answer is None:
                raise AgentGone("the emulator ended")
            if answer == token:
                return

    def _start(self, spec):
        with self.lock:
            number = self.next
            self.next += 1
            job = self.jobs[number] = Job()
        self._send(number, "E", json.dumps(spec).encode())
        return number, job

    def _feed(self, number, stdin):
        try:
            if isinstance(stdin, bytes):
                for i in range(0, len(stdin), CHUNK):
                    self._send(number, "I", stdin[i:i + CHUNK])
            elif stdin is not None:
                while data := stdin.read(CHUNK):
                    self._send(number, "I", data)
            self._send(number, "I")
        except AgentGone:
            pass

    def run(self, argv, stdin=None, output=None, timeout=120, env=None):
        """Runs argv in dom0: (exit status, output).  `output(bytes)` gets it
        as it comes instead.  At the time limit the job is killed: TimeoutError."""
        if isinstance(argv, str):
            argv = ["/bin/sh", "-c", argv]
        number, job = self._start({"argv": argv, "env": env or {}})
        threading.Thread(target=self._feed, args=(number, stdin), daemon=True).start()
        parts, end = [], time.monotonic() + timeout
        try:
            while True:
                try:
                    kind, payload = job.events.get(timeout=max(end - time.monotonic(), 0))
                except queue.Empty:
                    self._send(number, "K")
                    raise TimeoutError(f"'{' '.join(argv)[:80]}' ran longer than {timeout} s in dom0") from None
                if kind == "O":
                    (output or parts.append)(payload)
                elif kind == "X":
                    return json.loads(payload)["status"], b"".join(parts)
                elif kind == "G":
                    raise AgentGone("the emulator ended while dom0 was running a command")
        finally:
            self.jobs.pop(number, None)

    def check(self, argv, what, **more):
        status, out = self.run(argv, **more)
        if status:
            raise LabError(f"{what} failed in dom0 (status {status}):\n" + out.decode(errors="replace")[-3000:])
        return out

    def put(self, data, path, mode=0o644, timeout=600):
        """`data`: bytes or an open binary file."""
        self.check(["/bin/sh", "-c", 'mkdir -p "${1%/*}"; cat >"$1" && chmod "$2" "$1"', "sh", path, oct(mode)[2:]],
                   f"writing {path}", stdin=data, timeout=timeout)

    def get(self, path, handle, timeout=600):
        status, _ = self.run(["cat", path], output=handle.write, timeout=timeout)
        if status:
            raise LabError(f"reading {path} in dom0 failed")

    def interactive(self, argv, stdin_fd, stdout_fd, size):
        """A pty job wired to a terminal; its exit status."""
        number, job = self._start({"argv": argv, "env": {"TERM": os.environ.get("TERM", "dumb")}, "pty": size})
        wake_r, wake_w = os.pipe()
        status = [255]

        def show():
            while True:
                kind, payload = job.events.get()
                if kind == "O":
                    os.write(stdout_fd, payload)
                    continue
                if kind == "X":
                    status[0] = json.loads(payload)["status"]
                break
            os.write(wake_w, b"x")

        threading.Thread(target=show, daemon=True).start()
        watched = [stdin_fd, wake_r]
        while True:
            ready, _, _ = select.select(watched, [], [])
            if wake_r in ready:
                break
            data = os.read(stdin_fd, CHUNK)
            # Ctrl-D for an input that ends: the shell in the pty must see it.
            self._send(number, "I", data or b"\x04")
            if not data:
                watched = [wake_r]
        os.close(wake_r)
        os.close(wake_w)
        self.jobs.pop(number, None)
        return status[0]
