#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make check: every test of the project, one line a step, one sum at the end.

Each step is a make target of its own, so what fails here can be run alone.
Its whole output is kept in build/check/STEP.log; the counts are taken from the
"N passed, N failed" lines it prints, and a step that prints none, or exits
non-zero without a failed test, counts as one.
"""
import os
import re
import subprocess
import sys
import time

SCENARIOS = ("host,stubdom-smoke,stubdom-check,stubdom-defaults,stubdom-hvm,stubdom-save,stubdom-faults,"
             "virtio-pv,virtio-pvh,virtio-hvm,virtio-disk,virtio-sandbox,virtio-faults")
# Of the packages' tests those that take a minute or two; all: make check-packages.
STEPS = [
    ("lint", ["check-lint"]),
    ("unit", ["check-unit"]),
    ("asan", ["check-asan"]),
    ("fuzz", ["check-fuzz", "FUZZ_SECONDS=20"]),
    ("module", ["check-module"]),
    ("deb", ["deb"]),
    ("qemu", ["check-qemu-virtio"]),
    ("image", ["check-image"]),
    ("packages", ["check-packages", "DEB_SUITES=trixie", "TEST=deb-lintian units update-freshness dkms-headers"]),
    ("lab", ["lab-run", f"SCENARIO={SCENARIOS}"]),
]
COUNT = re.compile(r"^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$")


def run(name, args, logdir):
    """Runs one step; returns (passed, failed)."""
    passed = failed = 0
    start = time.monotonic()
    print(f"== {name}: make {' '.join(args)}", flush=True)
    with open(os.path.join(logdir, name + ".log"), "w") as log, subprocess.Popen(
        ["make"] + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace"
    ) as proc:
        for line in proc.stdout:
            log.write(line)
            log.flush()
            count = COUNT.match(line)
            if count:
                passed += int(count[1])
                failed += int(count[2])
            else:
                sys.stdout.write("   " + line)
                sys.stdout.flush()
    if proc.returncode and not failed:
        failed = 1
    if not passed and not failed:
        passed = 1
    print(f"== {name}: {'FAILED' if failed else 'ok'} after {time.monotonic() - start:.0f} s", flush=True)
    return passed, failed


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    logdir = os.path.join("build", "check")
    os.makedirs(logdir, exist_ok=True)
    wanted = sys.argv[1:]
    total = [0, 0]
    for name, args in STEPS:
        if wanted and name not in wanted:
            continue
        counts = run(name, args, logdir)
        total = [a + b for a, b in zip(total, counts)]
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
