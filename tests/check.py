#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make check and make check-all: the project's tests, one line a step, one sum at the end.

  check.py [STEP...]          the main tests, then a list of what was left out and how to run it
  check.py --all [STEP...]    everything, on each suite
  check.py --list [--all]     the steps, and what is left out; runs nothing

Each step is a make target of its own, so what fails here can be run alone.
Its whole output is kept in build/check/STEP.log; the counts are taken from the
"N passed, N failed" lines it prints, and a step that prints none, or exits
non-zero without a failed test, counts as one.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lab"))
from xenlab import scenario  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
SUITES = ("trixie", "bookworm")
# What `make check` runs of the lab's scenarios and of the packages' tests (those that take a minute or two).
# Everything else is found in their directories: what is added there is left out here and run by check-all.
SCENARIOS = ["host", "stubdom-smoke", "stubdom-check", "stubdom-defaults", "stubdom-hvm", "stubdom-save",
             "stubdom-faults", "virtio-pv", "virtio-pvh", "virtio-hvm", "virtio-disk",
             "virtio-sandbox", "virtio-faults", "virtio-recover"]
PACKAGES = ["deb-lintian", "units", "update-freshness", "dkms-headers"]
TARGETS = ["check-lint", "check-unit", "check-asan", "check-fuzz", "check-module", "deb", "check-qemu-virtio", "check-image"]
COUNT = re.compile(r"^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$")


def scenarios(suite):
    """Those that are for SUITE, without the demonstration, which shows what others assert."""
    every = [scenario.load(p.stem) for p in sorted((TOP / "tests/lab/scenarios").glob("*.sh"))]
    return [s.name for s in every if s.name != "demo" and (not s.suites or suite in s.suites)]


def package_tests():
    return [p.stem for p in sorted((TOP / "tests/packages").glob("*.sh")) if p.stem not in ("run", "lib")]


def package_text(name):
    return (TOP / f"tests/packages/{name}.sh").read_text()


def summary(name):
    return re.search(r"^# summary: *(.*)", package_text(name), re.M)[1]


def of_one_suite(name):
    """It tests the packages of SUITE; others those of all DEB_SUITES, or of none."""
    return "$SUITE" in package_text(name) and "deb_suites" not in package_text(name).lower()


def check_targets():
    """{target: what it is}: every check-NAME of the makefiles, but for what has steps of its own here."""
    found = {}
    for path in re.findall(r"^include (.*)", (TOP / "Makefile").read_text(), re.M):
        found.update(re.findall(r"^(check-[a-z-]+):[^#\n]*##\s*(.*)", (TOP / path).read_text(), re.M))
    return {t: text for t, text in found.items() if t not in ("check-packages", "check-all")}


def short(target):
    return target.removeprefix("check-")


def steps_of_check(suite):
    extra = {"check-fuzz": ["FUZZ_SECONDS=15"]}
    steps = [(short(t), [t] + extra.get(t, [])) for t in TARGETS]
    steps.append(("packages", ["check-packages", f"DEB_SUITES={suite}", f"TEST={' '.join(PACKAGES)}"]))
    steps.append(("lab", ["lab-run", f"SCENARIO={','.join(SCENARIOS)}"]))
    return steps


def steps_of_all():
    """Each suite's short steps and its packages, then what uses the packages of both, then what takes an hour."""
    slow = [t for t in check_targets() if t not in TARGETS]
    # check-module builds for the kernels of all suites.
    steps = [(f"{short(t)}-{suite}", [t, f"SUITE={suite}"]) for suite in SUITES for t in TARGETS
             if t != "check-module" or suite == SUITES[0]]
    for suite in SUITES:
        tests = [t for t in package_tests() if suite == SUITES[0] or of_one_suite(t)]
        steps.append((f"packages-{suite}", ["check-packages", f"SUITE={suite}", f"TEST={' '.join(tests)}"]))
    steps += [(f"lab-{suite}", ["lab-run", f"SUITE={suite}", f"SCENARIO={','.join(scenarios(suite))}"]) for suite in SUITES]
    return steps + [(f"{short(t)}-{suite}", [t, f"SUITE={suite}"]) for suite in SUITES for t in slow]


def left_out(suite):
    """[(command, what)] of what check-all runs and check does not."""
    found = [(f"make lab-run SCENARIO={s}", scenario.load(s).summary) for s in scenarios(suite) if s not in SCENARIOS]
    found += [(f"make check-packages TEST={t}", summary(t)) for t in package_tests() if t not in PACKAGES]
    found += [(f"make {t}", text) for t, text in check_targets().items() if t not in TARGETS]
    for other in SUITES:
        if other != suite:
            found.append((f"make check SUITE={other}", f"all that was run, on {other}; likewise each of the above"))
            found += [(f"make lab-run SUITE={other} SCENARIO={s}", scenario.load(s).summary)
                      for s in scenarios(other) if s not in scenarios(suite)]
    return found


def show_left_out(suite):
    print("== left out (make check-all runs all of it):")
    for command, what in left_out(suite):
        print(f"   {command:55} # {what}")


def run(name, args, logdir):
    """Runs one step; returns (passed, failed)."""
    passed = failed = 0
    start = time.monotonic()
    print(f"== {name}: make {' '.join(args)}", flush=True)
    with open(logdir / (name + ".log"), "w") as log, subprocess.Popen(
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("step", nargs="*")
    args = parser.parse_args()
    os.chdir(TOP)
    suite = os.environ.get("SUITE") or SUITES[0]
    steps = steps_of_all() if args.all else steps_of_check(suite)
    unknown = set(args.step) - {name for name, _ in steps}
    if unknown:
        parser.error(f"no step {', '.join(sorted(unknown))}; the steps: {' '.join(name for name, _ in steps)}")
    total = [0, 0]
    logdir = TOP / "build/check"
    logdir.mkdir(parents=True, exist_ok=True)
    for name, words in steps:
        if args.list:
            print(f"== {name}: make {' '.join(words)}")
        elif not args.step or name in args.step:
            total = [a + b for a, b in zip(total, run(name, words, logdir))]
    if not args.all and not args.step:
        show_left_out(suite)
    if not args.list:
        print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
