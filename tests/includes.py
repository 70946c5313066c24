#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The include rule (HACKING.md, "The tree and its rule"):  includes.py [ROOT]

A program includes its own folder, src/lib (as "room/file.h"), src/include and
src/protocol; src/lib includes no program; no include begins with "../"; and no files
of a program, of src/lib or of the driver depend on each other in a circle.  A line
for each violation, with what to do about it; the exit status says whether there was one.

A file depends on another when it uses a function or variable that the other defines, or
includes the other's header, unless that header declares what the file itself defines: so
one header may have several files behind it, and hides nothing of how they use each other.
"""
import re
import sys
from pathlib import Path

PROGRAMS = ("src/stubdom/init", "src/stubdom/daemon", "src/stubdom/state", "src/stubdom/pv", "src/stubdom/vnc", "src/stubdom/cli",
            "src/virtio/daemon", "src/virtio/cli")
SHARED = ("src/lib", "src/include", "src/protocol")
# Folder: where its includes are looked for, after the file's own folder.
SEARCHED = {**{program: SHARED for program in PROGRAMS}, "src/lib": SHARED, "src/include": ("src/include",),
            "src/protocol": ("src/protocol",), "dkms/virtio_xenbus": ("src/protocol",)}
ACYCLIC = PROGRAMS + ("src/lib", "src/protocol", "dkms/virtio_xenbus")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
# Comments, strings and characters: what they name is not used.
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
# At the left margin, as everything in this tree that has a name for other files.
FUNCTION = re.compile(r"^(?!static\b|typedef\b|extern\b)[A-Za-z_][\w \t*]*?\b(\w+)\([^;{}]*\)[^;{}()]*\n\{", re.M)
WORD = re.compile(r"(?<![\w.])(?<!->)[A-Za-z_]\w*")     # no member of a structure
VARIABLE = re.compile(r"^(?!static\b|typedef\b|extern\b|return\b)[A-Za-z_][\w \t*]*?\b(\w+)(?:\[[^\]\n]*\])*\s*(?:=|;)", re.M)


def sources(folder):
    return sorted(p for p in folder.rglob("*.[ch]") if p.is_file())


def includes(path):
    """[(line number, what stands between the quotes)]"""
    found = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match[1]))
    return found


def resolve(root, folder, path, name):
    """The file that is meant, or None: as the compiler looks for it."""
    for place in (path.parent, *(root / s for s in SEARCHED[folder])):
        if (place / name).is_file():
            return (place / name).resolve()
    return None


def misplaced(root, folder, path, name):
    """Why NAME may not be included by a file of FOLDER."""
    for other in PROGRAMS:
        for candidate in (root / "src" / name, root / other / Path(name).name):
            if candidate.is_file() and candidate.is_relative_to(root / other):
                who = "the library includes no program" if folder == "src/lib" else "programs do not include each other"
                return f"that is of {other}, and {who}: move what both need to src/lib"
    allowed = ", ".join(("its own folder", *SEARCHED[folder]))
    return f"not found where {folder} may include from ({allowed}): move what is shared to src/lib, as room/file.h"


def check_includes(root):
    problems = []
    for top in ("src", "dkms", "tests", "bench"):
        for path in sources(root / top) if (root / top).is_dir() else ():
            for number, name in includes(path):
                if name.startswith("../") or "/../" in name:
                    problems.append(f'{path.relative_to(root)}:{number}: #include "{name}": no "../" in an include: a file of '
                                    "the own folder by its name, one of src/lib as room/file.h")
    for folder in SEARCHED:
        for path in sources(root / folder):
            for number, name in includes(path):
                if ".." not in name and not resolve(root, folder, path, name):
                    problems.append(f'{path.relative_to(root)}:{number}: #include "{name}": '
                                    f"{misplaced(root, folder, path, name)}")
    return problems


def check_programs(root):
    """A program is made of the files of one folder: nothing of another by the makefile, either."""
    problems = []
    makefile = root / "src/user.mk"
    for number, line in enumerate(makefile.read_text().splitlines() if makefile.is_file() else (), 1):
        name, is_list, value = line.partition("_SRC =")
        folders = {p.rsplit("/", 1)[0] for p in re.findall(r"src/[\w./*%-]+", value)} if is_list else ()
        if len(folders) > 1:
            problems.append(f"src/user.mk:{number}: {name} is made of {', '.join(sorted(folders))}: a program has the "
                            "files of one folder; move what both need to src/lib")
    return problems


def code(path):
    """Its text without comments, strings and characters; lines stay lines."""
    return NOT_CODE.sub(lambda m: "\n" * m[0].count("\n") or " ", path.read_text(errors="replace"))


def dependencies(root, folder):
    """{module: {module: why}}; a module is NAME.c with NAME.h."""
    files = {p.resolve(): str(p.relative_to(root / folder).with_suffix("")) for p in sources(root / folder)}
    texts = {p: code(p) for p in files if p.suffix == ".c"}
    defined = {p: set(FUNCTION.findall(text) + VARIABLE.findall(text)) for p, text in texts.items()}
    home = {name: files[p] for p, names in defined.items() for name in names}
    graph = {module: {} for module in files.values()}
    for path, module in files.items():
        for _, name in includes(path):
            header = resolve(root, folder, path, name)
            target = files.get(header)
            if target and target != module and not defined.get(path, set()) & set(WORD.findall(code(header))):
                graph[module].setdefault(target, f'{path.name} includes "{name}"')
    for path, text in texts.items():
        own = set(re.findall(r"^static\b[^;{}=]*?\b(\w+)(?=[\[(=;\s])", text, re.M))
        for word in sorted(set(WORD.findall(text)) - own):
            target = home.get(word)
            if target and target != files[path]:
                graph[files[path]].setdefault(target, f"{path.name} uses {word}")
    return graph


def shortest_circle(graph):
    """The modules of a shortest circle, or nothing."""
    best = []
    for start in sorted(graph):
        paths, seen = [[start]], {start}
        while paths and (not best or len(paths[0]) < len(best)):
            path = paths.pop(0)
            if start in graph[path[-1]]:
                best = path
                break
            for target in sorted(graph[path[-1]]):
                if target not in seen:
                    seen.add(target)
                    paths.append(path + [target])
    return best


def check_circles(root):
    problems = []
    for folder in ACYCLIC:
        if not (root / folder).is_dir():
            continue
        graph = dependencies(root, folder)
        while circle := shortest_circle(graph):
            steps = list(zip(circle, circle[1:] + circle[:1]))
            problems.append(f"{folder}: circle: {'; '.join(f'{a} needs {b} ({graph[a][b]})' for a, b in steps)}")
            # The others of this folder are looked for as if that one were broken at its last step.
            del graph[steps[-1][0]][steps[-1][1]]
    return problems


def check(root):
    root = Path(root).resolve()
    return check_includes(root) + check_programs(root) + check_circles(root)


RULE = """The rule: a program includes its own folder, src/lib, src/include and src/protocol; src/lib includes no program; no "../".
Files of one folder do not need each other in a circle: such are one job. Join them, move what both need to a third file,
or have the upper one hand the lower one a value or a function. HACKING.md has more."""


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    for problem in problems:
        print(problem)
    if problems:
        print(RULE)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
