#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A VNC client, as small as it can be:  lib-rfb.py PORT size | pixel X Y | wrong-password | key SYM

size        "WIDTHxHEIGHT", as the server says first
pixel X Y   the colour there, "rrggbb", in the whole picture
wrong-password   exit status 0 when a password is asked for and a wrong one refused
key SYM     presses and releases a key, by its X11 keysym (a number)
"""
import socket
import struct
import sys
import time


def read(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise SystemExit("the server closed the connection")
        data += more
    return data


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    if read(s, 12) != b"RFB 003.008\n":
        raise SystemExit("this is no VNC server")
    s.sendall(b"RFB 003.008\n")
    return s, list(read(s, read(s, 1)[0]))


def wrong_password(port):
    s, types = connect(port)
    if types != [2]:
        raise SystemExit(f"no password is asked for: {types}")
    s.sendall(b"\x02")
    read(s, 16)
    s.sendall(bytes(16))
    return struct.unpack(">I", read(s, 4))[0] == 0


def start(port):
    s, types = connect(port)
    if 1 not in types:
        raise SystemExit(f"a password is asked for: {types}")
    s.sendall(b"\x01")
    read(s, 4)
    s.sendall(b"\x01")
    width, height, name = struct.unpack(">HH16xI", read(s, 24))
    read(s, name)
    return s, width, height


def picture(s, width, height):
    """Raw, x8r8g8b8: what the server has anyhow."""
    s.sendall(struct.pack(">BxHi", 2, 1, 0) + struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    pixels = bytearray(4 * width * height)
    for _ in range(struct.unpack(">xxH", read(s, 4))[0]):
        x, y, w, h, encoding = struct.unpack(">HHHHi", read(s, 12))
        if encoding:
            raise SystemExit(f"encoding {encoding} was not asked for")
        for line in range(h):
            at = 4 * ((y + line) * width + x)
            pixels[at:at + 4 * w] = read(s, 4 * w)
    return pixels


def main(port, what, *args):
    if what == "wrong-password":
        return 1 if wrong_password(port) else 0
    s, width, height = start(port)
    if what == "size":
        print(f"{width}x{height}")
    elif what == "pixel":
        at = 4 * (int(args[1]) * width + int(args[0]))
        print("%02x%02x%02x" % tuple(reversed(picture(s, width, height)[at:at + 3])))
    elif what == "key":
        for down in 1, 0:
            s.sendall(struct.pack(">BBxxI", 4, down, int(args[0], 0)))
            time.sleep(0.3)
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
