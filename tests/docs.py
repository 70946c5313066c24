#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents name is there: links, paths of the tree, make targets, scenarios, tests.  docs.py [ROOT]

NAME, SUITE and other words of capitals in a path stand for something else.
"""
import re
import sys
from pathlib import Path

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PLACE = re.compile(r"(?<![\w/.$-])((?:bench|debian|dkms|docs|mk|rpm|src|stubdom|systemd|tests)/[\w./@-]*[\w/])")
# Of a command: at the beginning of a line or of code, or after another command.
TARGET = re.compile(r"(?:^\s+|`|&& )make ([a-z][a-z0-9-]*)", re.M)
RULE = re.compile(r"^([a-z][a-z0-9 -]*):(?!=)", re.M)
PLACEHOLDER = re.compile(r"(?!README)[A-Z]{3,}|test_mine")


def targets(root):
    makefile = (root / "Makefile").read_text()
    text = makefile + "".join((root / p).read_text() for p in re.findall(r"^include (.*)", makefile, re.M))
    return {word for names in RULE.findall(text) for word in names.split()}


def documents(root):
    found = [root / "README.md", root / "HACKING.md", *root.glob("docs/*.md"), *root.glob("docs/decisions/*.md")]
    return found + sorted(root.glob("tests/README.md")) + sorted(root.glob("tests/*/README.md"))


def missing(root, path, known):
    """What this document names and is not there."""
    text = path.read_text()
    yield from (t for t in LINK.findall(text) if "://" not in t and not (path.parent / t).exists())
    yield from (p for p in PLACE.findall(LINK.sub("", text)) if not PLACEHOLDER.search(p) and not (root / p).exists()
                and not list(root.glob(p + "*")))
    yield from (f"make {t}" for t in TARGET.findall(text) if t not in known)
    for scenarios in re.findall(r"SCENARIO=([a-z][\w,-]*)", text):
        yield from (f"scenario {s}" for s in scenarios.split(",") if len(s) > 1 and s != "name"
                    and not (root / f"tests/lab/scenarios/{s}.sh").exists())
    for test in re.findall(r'TEST="?((?:test|fuzz)_\w+)', text):
        if not list(root.glob(f"tests/*/{test}.c")) and not PLACEHOLDER.search(test):
            yield test


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent).resolve()
    known, bad = targets(root), 0
    for path in documents(root):
        for what in missing(root, path, known):
            print(f"{path.relative_to(root)}: {what} does not exist")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
