# SPDX-License-Identifier: GPL-2.0-or-later
"""What the consoles of guests say of mistakes that their kernel has found in itself."""
import re

# One that a kernel with guest/sanitizer.config prints while it boots.
MARK = re.compile(rb"kasan: KernelAddressSanitizer initialized")
SPLAT = re.compile(rb"BUG:|WARNING:|kernel BUG|Oops|general protection fault|nable to handle|corruption|DMA-API:|ODEBUG:|"
                   rb"Bad page|INFO: task .* blocked|detected (expedited )?stalls|self-detected stall|scheduling while atomic|"
                   rb"Kernel panic|still has locks held|page allocation failure")
# Said by each boot; and what a scenario has asked for (virtio-alloc).
RIGHT = re.compile(rb"DMA-API: (preallocated|debugging enabled)|FAULT_INJECTION")
SHOWN = 5


def find(text):
    """The lines of a console that begin a splat."""
    return [line.decode(errors="replace").strip() for line in text.splitlines()
            if SPLAT.search(line) and not RIGHT.search(line)]


def judge(logs, results):
    """Two expectations about all guests whose consoles are in the directory LOGS."""
    texts = {path.name: path.read_bytes() for pattern in ("console/guest-*.log", "serial-*.log")
             for path in sorted(logs.glob(pattern))}
    checked = [name for name, text in texts.items() if MARK.search(text)]
    results.add("passed" if checked else "failed", "a guest's kernel looked for its own mistakes",
                "" if checked else "no console says that it did")
    found = [f"{name}: {line}" for name, text in texts.items() for line in find(text)]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    results.add("failed" if found else "passed", "no guest's kernel found one", "; ".join(found[:SHOWN]) + more)
