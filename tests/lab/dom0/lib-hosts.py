#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands for another host of the lab, with input, output, errors and status, as ssh would run them.

  lib-hosts.py serve ADDRESS           takes commands, for ever
  lib-hosts.py run ADDRESS WORD...     a shell there runs the words: xl migrate -s 'python3 .../lib-hosts.py run'
  lib-hosts.py call ADDRESS ARG...     the same for one command, each argument as it is, with lib.sh's functions

The client sends a line with the command's length, the command, and its input until that ends.
The server sends frames: type (o output, e errors, s status), length, payload.
"""
import os
import shlex
import socket
import struct
import subprocess
import sys
import threading

PORT = 7622
HEAD = struct.Struct(">cI")
CHUNK = 65536


def read_exact(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def pump(source, sink):
    """Until the one ends or the other takes no more."""
    try:
        while data := source():
            sink(data)
    except OSError:
        pass


def serve_one(sock):
    stream, lock = sock.makefile("rb"), threading.Lock()
    try:
        command = read_exact(stream, int(stream.readline(16))).decode()
    except (EOFError, ValueError, OSError):
        sock.close()
        return
    child = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True, cwd="/root")

    def frame(kind, data):
        with lock:
            sock.sendall(HEAD.pack(kind, len(data)) + data)

    def feed():
        pump(lambda: stream.read1(CHUNK), lambda data: write_all(child.stdin.fileno(), data))
        child.stdin.close()
        # Closing with input unread would reset the connection, and lose the status.
        pump(lambda: stream.read1(CHUNK), lambda data: None)

    def drain(kind, pipe):
        # When the client is gone the pipe is closed, and the child's next write fails.
        pump(lambda: os.read(pipe.fileno(), CHUNK), lambda data: frame(kind, data))
        pipe.close()

    threading.Thread(target=feed, daemon=True).start()
    drains = [threading.Thread(target=drain, args=args, daemon=True) for args in ((b"o", child.stdout), (b"e", child.stderr))]
    for one in drains:
        one.start()
    status = child.wait()
    # What the command left in the background may keep its output open.
    for one in drains:
        one.join(5)
    try:
        frame(b"s", b"%d" % (status if status >= 0 else 128 - status))
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(address):
    with socket.create_server((address, PORT)) as server:
        while True:
            sock, _ = server.accept()
            threading.Thread(target=serve_one, args=(sock,), daemon=True).start()


def run(address, command):
    sock = socket.create_connection((address, PORT), timeout=60)
    sock.settimeout(None)
    data = command.encode()
    sock.sendall(b"%d\n" % len(data) + data)

    def feed():
        pump(lambda: os.read(0, CHUNK), sock.sendall)
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    threading.Thread(target=feed, daemon=True).start()
    stream = sock.makefile("rb")
    while True:
        kind, length = HEAD.unpack(read_exact(stream, HEAD.size))
        payload = read_exact(stream, length)
        if kind == b"s":
            return int(payload)
        write_all(1 if kind == b"o" else 2, payload)


def main():
    what, address, *words = sys.argv[1:]
    if what == "serve":
        serve(address)
    command = " ".join(words) if what == "run" else ". /lab/lib.sh; " + shlex.join(words)
    try:
        status = run(address, command)
    except (OSError, EOFError) as error:
        print(f"{address}: {error or 'the connection ended'}", file=sys.stderr)
        status = 255
    # Not sys.exit: a thread may wait for input.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
