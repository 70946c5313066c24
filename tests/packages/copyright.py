#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""copyright.py TREE: does debian/copyright (DEP-5) say of each tracked file what
the file says itself?

A file's SPDX tag and the licence of its stanza (the last whose pattern matches) must
agree. A patch has no tag: it must have a stanza of its own, not that of all files.
Each licence that is named needs a text, and each text a stanza that names it.
"""
import fnmatch
import re
import subprocess
import sys

SPDX = {"GPL-2.0-or-later": "GPL-2+", "GPL-2.0-or-later OR BSD-3-Clause": "GPL-2+ or BSD-3-clause"}
TAG = re.compile(r"SPDX-License-Identifier: *(.+?) *(?:\*/)?$", re.M)


def stanzas(text):
    for block in re.split(r"\n\n+", re.sub(r"^#.*\n", "", text, flags=re.M)):
        fields, key = {}, None
        for line in block.splitlines():
            if line[:1] in " \t":
                fields[key] += "\n" + line.strip()
            elif ":" in line:
                key, value = line.split(":", 1)
                fields[key] = value.strip()
        yield fields


def main(tree):
    errors, texts, used, rules, matched = [], set(), set(), [], set()
    for s in stanzas(open(f"{tree}/debian/copyright").read()):
        short = s.get("License", "").split("\n")[0]
        if "Files" in s:
            rules += [(pattern, short) for pattern in s["Files"].split()]
            used |= set(re.split(r" and | or ", short))
            if not s.get("Copyright"):
                errors.append(f"no Copyright for {s['Files']}")
        elif "License" in s:
            texts.add(short)
    for name in used ^ texts:
        errors.append(f"licence {name}: " + ("no text" if name in used else "no file has it"))
    files = subprocess.run(["git", "-c", "safe.directory=*", "-C", tree, "ls-files", "-z"],
                           check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    for f in files:
        pattern, licence = [r for r in rules if fnmatch.fnmatchcase(f, r[0])][-1]
        matched.add(pattern)
        if f.endswith(".patch"):
            if pattern == "*":
                errors.append(f"{f}: no stanza")
            continue
        try:
            head = "".join(open(f"{tree}/{f}", encoding="utf-8").readlines()[:6])
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        tag = TAG.search(head)
        if tag and SPDX.get(tag[1]) != licence:
            errors.append(f"{f} has {tag[1]}, its stanza ({pattern}) {licence}")
    # Not of this tree: QEMU's source in a source package.
    for pattern in {r[0] for r in rules} - matched - {"qemu-*/*"}:
        errors.append(f"no file matches {pattern}")
    print("\n".join(errors) or f"{len(files)} files, {len(rules)} patterns")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
