#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests of check.py: nothing of the tree is in neither of its lists.  python3 tests/test_check.py"""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check  # noqa: E402


class Lists(unittest.TestCase):
    def test_what_check_runs_is_there(self):
        self.assertLessEqual(set(check.SCENARIOS), set(check.scenarios("trixie")))
        self.assertLessEqual(set(check.PACKAGES), set(check.package_tests()))
        self.assertLessEqual(set(check.TARGETS) - {"deb"}, set(check.check_targets()))

    def test_each_is_run_or_named(self):
        for suite in check.SUITES:
            named = " ".join(command for command, _ in check.left_out(suite)) + " "
            for path in (check.TOP / "tests/lab/scenarios").glob("*.sh"):
                self.assertTrue(path.stem == "demo" or path.stem in check.SCENARIOS or f"={path.stem} " in named, path)
            for test in check.package_tests():
                self.assertTrue(test in check.PACKAGES or f"={test} " in named, test)
            for target in check.check_targets():
                self.assertTrue(target in check.TARGETS or f"make {target} " in named, target)

    def test_all_runs_each_where_it_is_for(self):
        words = {name: " ".join(args) for name, args in check.steps_of_all()}
        self.assertIn("virtio-root-pv,", words["lab-trixie"])
        self.assertNotIn("virtio-root-pv", words["lab-bookworm"])
        for suite in check.SUITES:
            for name in check.scenarios(suite):
                self.assertIn(name, words[f"lab-{suite}"].split("=")[-1].split(","))
            for target in set(check.check_targets()) - {"check-module"}:
                self.assertIn(f"{target} SUITE={suite}", words.values())
        self.assertEqual(words["packages-trixie"].split("TEST=")[1].split(), check.package_tests())
        self.assertIn("prebuilt", words["packages-bookworm"].split("TEST=")[1].split())
        self.assertEqual(len(words), len(check.steps_of_all()), "two steps have one name")

    def test_nothing_but_the_lists(self):
        self.assertNotIn("lib", check.package_tests())
        self.assertNotIn("check-packages", check.check_targets())


if __name__ == "__main__":
    unittest.main()
