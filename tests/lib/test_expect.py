#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests of expect.sh, in the shell that reads it in dom0: python3 tests/lib/test_expect.py"""
import subprocess
import tempfile
import unittest
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent / "expect.sh"


class Expect(unittest.TestCase):
    def lines(self, script):
        with tempfile.TemporaryDirectory() as tmp:
            done = subprocess.run(["sh", "-uc", f"OUT={tmp}/out SHOW='| '\n. {LIBRARY}\n{script}"],
                                  capture_output=True, text=True, check=True, timeout=30)
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def test_expect(self):
        self.assertEqual(self.lines('expect "a b" true; echo $?'), ["ok - a b", "0"])
        self.assertEqual(self.lines('expect "a b" sh -c "echo x; echo why; exit 3" || echo $?'),
                         ["not ok - a b: 'sh -c echo x; echo why; exit 3' ended with 3: why", "| x", "| why", "1"])

    def test_a_command_of_several_lines_is_shown_in_one(self):
        self.assertEqual(self.lines("expect t sh -c 'false\n\tfalse' || :")[0], "not ok - t: 'sh -c false  false' ended with 1: ")

    def test_expect_fail(self):
        self.assertEqual(self.lines("expect_fail t false; echo $?"), ["ok - t", "0"])
        self.assertEqual(self.lines("expect_fail t echo x || echo $?"), ["not ok - t: 'echo x' should have failed", "| x", "1"])

    def test_expect_text(self):
        self.assertEqual(self.lines("expect_text t '^-?a+$' echo -a; echo $?"), ["ok - t", "0"])
        self.assertEqual(self.lines("expect_text t ^b echo a || echo $?"), ["not ok - t: no '^b' in: a", "| a", "1"])
        self.assertEqual(self.lines("expect_text t a sh -c 'echo a; exit 2' || echo $?"),
                         ["not ok - t: 'sh -c echo a; exit 2' ended with 2: a", "| a", "1"])

    def test_same(self):
        self.assertEqual(self.lines("same t 'a b' 'a b'; echo $?"), ["ok - t", "0"])
        self.assertEqual(self.lines("same t a b || echo $?"), ["not ok - t: expected 'a', found 'b'", "1"])

    def test_by_hand(self):
        self.assertEqual(self.lines("ok t; fail t; fail t why; skip t; skip t why; note key 3.2; log a b"),
                         ["ok - t", "not ok - t", "not ok - t: why", "skip - t", "skip - t: why", "note key 3.2", "| a b"])

    def test_run(self):
        self.assertEqual(self.lines("run sh -c 'echo a; exit 4' || echo $?"), ["| sh -c echo a; exit 4 -> 4", "| a", "4"])

    def test_wait_for(self):
        self.assertEqual(self.lines("n=0; more() { n=$((n + 1)); [ $n = 3 ]; }; wait_for 20 more && echo $n"), ["3"])
        self.assertEqual(self.lines("wait_for 0 sh -c 'echo why; false' || echo $?"), ["why", "1"])


if __name__ == "__main__":
    unittest.main()
