#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests of the lab's parsers: python3 tests/lab/test_lab.py"""
import importlib.util
import io
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from xenlab import guests, run, scenario, splat  # noqa: E402
from xenlab.cache import LabError  # noqa: E402


def program(name):
    """One of those that scenarios run in dom0."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), scenario.LAB / "dom0" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


saved = program("lib-saved")


class Header(unittest.TestCase):
    def test_values(self):
        got = scenario.parse_header("# SPDX-License-Identifier: x\n# layer: base\n# time-limit: 60\n\n# suites: no\n")
        self.assertEqual(got, {"layer": "base", "time-limit": "60"})

    def test_unknown_and_double_keys_are_refused(self):
        for text in ("# leyer: base\n", "# layer: base\n# layer: base\n"):
            with self.assertRaises(LabError):
                scenario.parse_header(text)

    def test_bad_values_are_refused(self):
        for text in ("# layer: top\n", "# time-limit: soon\n", "# time-limit: 0\n", "# reboots: 2\n", "# hosts: 3\n",
                     "# hosts: 2\n# reboots: yes\n", "# hosts: 2\n# machine: plain\n", "# kernel: none\n", "# length: long\n"):
            with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
                file.write(text)
                file.flush()
                with self.assertRaises(LabError):
                    scenario.load(file.name)

    def test_length(self):
        for text, asked, expected in (("# length: 60\n", 0, (60, 900)), ("# length: 60\n", 600, (600, 900 + 2 * 540)),
                                      ("# length: 60\n", 10, (10, 900)), ("", 600, (0, 900))):
            with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
                file.write(text)
                file.flush()
                got = scenario.load(file.name)
            scenario.lengthen(got, asked)
            self.assertEqual((got.length, got.time_limit), expected)

    def test_two_hosts_have_a_network(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
            file.write("# hosts: 2\n")
            file.flush()
            got = scenario.load(file.name)
        self.assertEqual((got.hosts, got.machine), (2, "net"))

    def test_every_scenario_of_the_tree_loads(self):
        names = [p.stem for p in (scenario.LAB / "scenarios").glob("*.sh")]
        self.assertTrue(names)
        for name in names:
            self.assertTrue(scenario.load(name).summary, name)


class Output(unittest.TestCase):
    def test_lines_cut_anywhere(self):
        results = scenario.Results(show=lambda line: None)
        text = b"ok - one\nnoise ok - not\nnot ok - two: because: x\nnote seconds 3.5\nskip - three\nok - last"
        for i in range(len(text)):
            results.feed(text[i:i + 1])
        results.finish()
        self.assertEqual([(e["result"], e["text"], e["why"]) for e in results.expectations],
                         [("passed", "one", ""), ("failed", "two", "because: x"), ("skipped", "three", ""),
                          ("passed", "last", "")])
        self.assertEqual(results.notes, {"seconds": "3.5"})


class Files(unittest.TestCase):
    def test_menu_fills_its_sectors(self):
        self.assertEqual(len(guests.menu("a=b")), guests.MENU_SECTORS * guests.SECTOR)
        with self.assertRaises(ValueError):
            guests.menu("x" * 5000)

    def test_bios_disk(self):
        with tempfile.TemporaryDirectory() as name:
            tmp = Path(name)
            (tmp / "boot").write_bytes(b"\xeb" * 512)
            (tmp / "core").write_bytes(b"C" * 1000)
            (tmp / "fs").write_bytes(b"F" * (2 << 20))
            guests.bios_disk(tmp / "disk", tmp / "boot", tmp / "core", tmp / "fs", guests.menu())
            disk = (tmp / "disk").read_bytes()
        self.assertEqual(disk[510:512], b"\x55\xaa")
        self.assertEqual(disk[512:1512], b"C" * 1000)
        self.assertEqual(disk[2000 * 512:].lstrip()[:11], b"set timeout")
        self.assertEqual(disk[2048 * 512:], b"F" * (2 << 20))

    def test_tar_from_dom0_stays_in_its_directory(self):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            for name in ("../../evil", "/etc/evil", "a/b"):
                member = tarfile.TarInfo(name)
                member.size = 1
                tar.addfile(member, io.BytesIO(b"x"))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc"
            tar.addfile(link)
        with tempfile.TemporaryDirectory() as name:
            run.unpack(data.getvalue(), Path(name) / "t")
            found = sorted(str(p.relative_to(name)) for p in Path(name).rglob("*") if not p.is_dir())
        self.assertEqual(found, ["t/a/b", "t/etc/evil", "t/evil"])


class Splats(unittest.TestCase):
    BOOT = (b"[    0.1] kasan: KernelAddressSanitizer initialized\r\n[    0.9] DMA-API: preallocated 65536 debug entries\r\n"
            b"[    0.9] DMA-API: debugging enabled by kernel config\r\n[    2.0] virtio-0: message 7 has type 99\r\n")

    def judged(self, **consoles):
        results = scenario.Results(show=lambda line: None)
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "console").mkdir()
            for guest, text in consoles.items():
                (Path(name) / "console" / f"guest-{guest}.log").write_bytes(text)
            splat.judge(Path(name), results)
        return [e["result"] for e in results.expectations], results.expectations[1]["why"]

    def test_a_quiet_kernel(self):
        self.assertEqual(self.judged(a=self.BOOT), (["passed", "passed"], ""))

    def test_another_kernel_shows_nothing(self):
        self.assertEqual(self.judged(a=b"GUEST READY\n")[0], ["failed", "passed"])
        self.assertEqual(self.judged()[0], ["failed", "passed"])

    def test_splats(self):
        for line in (b"BUG: KASAN: slab-use-after-free in vx_work", b"BUG: KFENCE: memory corruption", b"WARNING: CPU: 0 PID: 7 at x.c:1",
                     b"WARNING: possible circular locking dependency detected", b"list_del corruption. prev->next",
                     b"DMA-API: virtio-0: device driver frees DMA memory", b"INFO: task kworker/0:1:7 blocked for more than 240 seconds."):
            results, why = self.judged(a=self.BOOT, b=self.BOOT + b"[    9.1] " + line + b"\n" + b"BUG: more\n" * 9)
            self.assertEqual(results, ["passed", "failed"])
            self.assertIn(line.decode(), why)
            self.assertIn("guest-b.log", why)
            self.assertTrue(why.endswith(" and 5 more"), why)


class Saved(unittest.TestCase):
    """What xl save's files say about how the device state came there."""
    @staticmethod
    def file(state, kind=saved.EMULATOR_CONTEXT, end=saved.END):
        body = saved.RECORD.pack(kind, 8 + len(state), 1, 0) + state
        return b"memory, QEVM in it, odd" + body + bytes(-len(state) % 8) + end

    @staticmethod
    def header(length, last=saved.MAGIC):
        names = b"10.0.13".ljust(32, b"\0") + b"xenfv".ljust(32, b"\0")
        return (saved.MAGIC + bytes(8) + length.to_bytes(8, "little") + bytes(32) + names + bytes(112) + last)

    def test_both_ways(self):
        for length in (4, 100, 4099):
            state = b"QEVM".ljust(length, b"s")
            self.assertEqual(saved.describe(saved.find(self.file(state))), f"console {length}")
            header = self.header(length)
            self.assertEqual(len(header), saved.HEADER)
            self.assertEqual(saved.describe(saved.find(self.file(state + header))),
                             f"disk {length + saved.HEADER} 10.0.13 xenfv")

    def test_what_is_none(self):
        state = b"QEVM" + b"s" * 96
        for data in (self.file(state, kind=2), self.file(state, end=b"\1" * 8), self.file(state)[:-16], b"QEVM", b""):
            with self.assertRaises(ValueError):
                saved.find(data)
        for header in (self.header(99), self.header(100, bytes(16))):
            with self.assertRaises(ValueError):
                saved.describe(state + header)


if __name__ == "__main__":
    unittest.main()
