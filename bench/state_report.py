#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of what bench/state.sh measured:  state_report.py build/lab/state/results.json"""
import json
import statistics
import sys

from report import table

SETS, WAYS = ("default", "largest"), ("dom0", "disk", "console")


def rounds(notes, devices, way, what):
    """The figures of all rounds; one that was not measured ("-") is none."""
    found = [v for k, v in notes.items() if k.startswith(f"{devices}_{way}_") and k.endswith("_" + what)
             and k.count("_") == 3]
    return [float(v) for v in found if v not in ("", "-")]


def median(figures):
    return statistics.median(figures) if figures else None


def spread(figures, form="{:.2f}"):
    if not figures:
        return "-"
    return f"{form} ({form} to {form}, {{}})".format(median(figures), min(figures), max(figures), len(figures))


def ratio(one, other):
    return f"{one / other:.2f}" if one and other else "-"


def rate(notes, devices, way, what):
    """Bytes a second, of the part of the time in which they moved."""
    size, seconds = (median(rounds(notes, devices, way, w)) for w in ("bytes", what))
    return size / seconds if size and seconds else None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        notes = json.load(file)["notes"]
    reply = {(s, w): rounds(notes, s, w, "reply") for s in SETS for w in WAYS}
    out = ["## From libxl's command to the answer", "", "Seconds: median (least to most, repeats).", ""]
    out += table(["devices", "bytes by disk", *(f"{w} (s)" for w in WAYS), "disk / dom0", "console / dom0"],
                 [[s, spread(rounds(notes, s, "disk", "bytes"), "{:.0f}"), *(spread(reply[s, w]) for w in WAYS),
                   ratio(median(reply[s, "disk"]), median(reply[s, "dom0"])),
                   ratio(median(reply[s, "console"]), median(reply[s, "dom0"]))] for s in SETS])
    out += ["## The payload", "", "By disk: all of the time from the command to the stubdomain's `done`, QEMU's own work included.",
            "By console: from the first byte in dom0's file to the last, without it and without the waits.", ""]
    rates = {s: (rate(notes, s, "disk", "done"), rate(notes, s, "console", "file")) for s in SETS}
    out += table(["devices", "disk: until `done` (s)", "console: file grows (s)", "disk (KiB/s)", "console (KiB/s)", "disk / console"],
                 [[s, spread(rounds(notes, s, "disk", "done")), spread(rounds(notes, s, "console", "file")),
                   *(f"{r / 1024:.0f}" if r else "-" for r in rates[s]), ratio(*rates[s])] for s in SETS])
    out += ["## The stubdomain's memory while saving", "", "Of its free pages, as its kernel counts them, with the helper stopped and all buffers full.", ""]
    out += table(["devices", "KiB"], [[s, spread(rounds(notes, s, "memory", "kib"), "{:.0f}")] for s in SETS])
    print("\n".join(out))


if __name__ == "__main__":
    main()
