#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests of includes.py, each with one planted violation: python3 tests/test_includes.py"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import includes  # noqa: E402

# A small tree that keeps the rule.
TREE = {
    "src/include/facts.h": "#define LIMIT 3\n",
    "src/protocol/msg.h": '#include "shim.h"\n',
    "src/protocol/shim.h": "",
    "src/lib/base/log.h": "void log_line(void);\n",
    "src/lib/base/log.c": '#include "log.h"\nvoid log_line(void)\n{\n}\n',
    "src/lib/xen/store.c": '#include "base/log.h"\nint store_get(void)\n{\n\tlog_line();\n\treturn 0;\n}\n',
    "src/stubdom/init/main.c": '#include "base/log.h"\n#include "facts.h"\n#include "net.h"\nint main(void)\n{\n\tnet_up();\n}\n',
    "src/stubdom/init/net.h": "void net_up(void);\n",
    "src/stubdom/init/net.c": '#include "net.h"\n#include "msg.h"\nvoid net_up(void)\n{\n}\n',
    "src/virtio/daemon/units.h": "",
    "dkms/virtio_xenbus/main.c": '#include "msg.h"\n',
    "src/user.mk": "init_SRC = $(wildcard src/stubdom/init/*.c)\n",
}


class Rule(unittest.TestCase):
    def problems(self, files=None):
        """What is said of the tree with FILES in it."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**TREE, **(files or {})}.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return includes.check(root)

    def one(self, *words, files):
        found = self.problems(files)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_the_tree_without_violations(self):
        self.assertEqual(self.problems(), [])

    def test_parent_folder(self):
        self.one("src/lib/xen/x.h:2", '"../base/log.h"', 'no "../"',
                 files={"src/lib/xen/x.h": '\n#include "../base/log.h"\n'})
        self.one("tests/unit/t.c:1", files={"tests/unit/t.c": '#  include "../../src/lib/base/log.h"\n'})

    def test_across_programs(self):
        for name in ("virtio/daemon/units.h", "units.h"):
            self.one("src/virtio/cli/list.c:1", "of src/virtio/daemon", "programs do not include each other", "src/lib",
                     files={"src/virtio/cli/list.c": f'#include "{name}"\n'})

    def test_another_programs_files_by_the_makefile(self):
        self.one("src/user.mk:1", "src/virtio/cli", "src/virtio/daemon",
                 files={"src/user.mk": "x_SRC = $(wildcard src/virtio/cli/*.c) src/virtio/daemon/units.c\n"})

    def test_library_includes_a_program(self):
        self.one("src/lib/xen/y.c:1", "of src/stubdom/init", "the library includes no program",
                 files={"src/lib/xen/y.c": '#include "stubdom/init/net.h"\n'})

    def test_protocol_includes_nothing_else(self):
        self.one("src/protocol/z.h:1", "its own folder, src/protocol", files={"src/protocol/z.h": '#include "facts.h"\n'})

    def test_circle_by_includes(self):
        for folder in ("src/stubdom/init", "src/lib/xen", "dkms/virtio_xenbus"):
            self.one("circle", "a needs ", 'a.h includes "b.h"', 'b.c includes "a.h"',
                     files={f"{folder}/a.h": '#include "b.h"\n', f"{folder}/b.h": "", f"{folder}/b.c": '#include "a.h"\n'})

    def test_circle_by_use(self):
        """Behind one header for all files, as vx.h."""
        header = "void a_do(void);\nvoid b_do(void);\nextern int limit;\n"
        a = '#include "all.h"\nint limit = 3;\nvoid a_do(void)\n{\n\tb_do();\n}\n'
        b = '#include "all.h"\nvoid b_do(void)\n{\n\t%s;\n}\n'
        folder = "src/virtio/daemon"
        for use in ("a_do()", "limit++"):
            self.one("circle", "a needs b (a.c uses b_do)", "b needs a (b.c uses ",
                     files={f"{folder}/all.h": header, f"{folder}/a.c": a, f"{folder}/b.c": b % use})
        for use in ("/* a_do() */", 'puts("a_do()")', "p->limit = x.limit"):
            self.assertEqual(self.problems({f"{folder}/all.h": header, f"{folder}/a.c": a, f"{folder}/b.c": b % use}), [])

    def test_two_files_behind_one_header(self):
        """Of which the one uses the other: no circle."""
        folder = "src/virtio/daemon"
        self.assertEqual(self.problems({
            f"{folder}/a.h": "void a_do(void);\nvoid a_part(void);\n",
            f"{folder}/a.c": '#include "a.h"\nvoid a_do(void)\n{\n\ta_part();\n}\n',
            f"{folder}/part.c": '#include "a.h"\nvoid a_part(void)\n{\n}\n'}), [])

    def test_circle_of_three_is_said_once(self):
        folder = "src/virtio/cli"
        self.one("a needs b", "b needs c", "c needs a",
                 files={f"{folder}/{x}.h": f'#include "{y}.h"\n' for x, y in ("ab", "bc", "ca")})


if __name__ == "__main__":
    unittest.main()
