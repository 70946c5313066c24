#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of what bench/virtio.sh measured:  report.py build/lab/virtio/results.json"""
import json
import sys

# What a user would pick instead, in the order of the columns; ours is last.
OTHERS = {"pv": ("blkback", "qdisk", "netback"), "hvm": ("ide", "e1000", "virtio-pci")}


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def ratios(notes, kind, guest, unit):
    """Rows of one guest's disks or NICs: shape, ours as ratio to each other device, and the figures."""
    shapes = {}
    for key, value in notes.items():
        words = key.split("_")
        if words[0] == kind and words[1] == guest:
            shapes.setdefault(" ".join(words[2:-1]), {})[words[-1]] = float(value)
    others = [o for o in OTHERS[guest] if any(o in s for s in shapes.values())]
    rows = []
    for shape, found in shapes.items():
        ours = found.get("virtio")
        row = [shape]
        for other in others:
            known = ours is not None and found.get(other)
            row.append(f"{ours / found[other]:.2f}" if known else "-")
        row += [f"{found[d]:.0f}" if d in found else "-" for d in (*others, "virtio")]
        rows.append(row)
    if not rows:
        return []
    head = [kind] + [f"virtio / {o}" for o in others] + [f"{d} ({unit})" for d in (*others, "virtio")]
    return table(head, rows)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        notes = json.load(file)["notes"]
    out = []
    for guest in ("pv", "hvm"):
        out += [f"## {guest.upper()} guest", ""]
        out += ratios(notes, "disk", guest, "requests/s") + ratios(notes, "net", guest, "bit/s; small: packets/s")
    rows = [[d, notes[f"events_{d}_to_backend"], notes[f"events_{d}_to_guest"]]
            for d in ("blkback", "qdisk", "virtio") if f"events_{d}_to_backend" in notes]
    out += ["## Events for each request, 4 KiB at depth 32", ""] + table(["device", "to the backend", "to the guest"], rows)
    if "virtio_requests_traced" in notes:
        out.append(f"The virtio backend's ioctl calls in {notes['virtio_requests_traced']} such requests: {notes['virtio_ioctls']}, "
                   f"of them on grants: {notes['virtio_gntdev_calls']}.")
    print("\n".join(out))


if __name__ == "__main__":
    main()
