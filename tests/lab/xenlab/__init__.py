# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: an emulated Xen host for tests.  docs/lab.md describes it."""
