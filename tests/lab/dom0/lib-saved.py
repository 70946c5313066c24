#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How a guest's device state came into a file of xl save:  lib-saved.py FILE

Prints "disk LENGTH QEMU MACHINE" when it ends with the header of docs/state-disk.md, which only
xen-stubdomd's helper puts there, and "console LENGTH" when it does not (libxl's file is as long as
LENGTH says, header included).
"""
import mmap
import struct
import sys

RECORD = struct.Struct("<IIII")     # libxl's stream: type, length; emulator's id and index
EMULATOR_CONTEXT = 3
END = bytes(8)                      # a record without a body
HEADER, MAGIC = 256, b"XE-STATE-DISK\r\n\x1a"
LENGTH, QEMU, MACHINE = slice(24, 32), slice(64, 96), slice(96, 128)


def find(data):
    """The device state in all of a file: the body of the record before the last."""
    at = data.rfind(b"QEVM")
    while at >= RECORD.size:
        kind, length, _, _ = RECORD.unpack(data[at - RECORD.size:at])
        end = at - 8 + length
        if kind == EMULATOR_CONTEXT and end + -length % 8 + len(END) == len(data) and data[-len(END):] == END:
            return data[at:end]
        at = data.rfind(b"QEVM", 0, at)
    raise ValueError("no device state before the end of the file")


def describe(state):
    header = state[-HEADER:]
    if not header.startswith(MAGIC):
        return f"console {len(state)}"
    if not header.endswith(MAGIC) or int.from_bytes(header[LENGTH], "little") != len(state) - HEADER:
        raise ValueError("the header behind the device state is not its")
    qemu, machine = (header[part].rstrip(b"\0").decode() or "?" for part in (QEMU, MACHINE))
    return f"disk {len(state)} {qemu} {machine}"


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        print(describe(find(found)))
