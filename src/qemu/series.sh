# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Sourced by the scripts beside it, which set `here`.

# of_series SERIES FILE: the lines of a list here that are for QEMU of that
# series (10.0): those that name none, and "SERIES: LINE" of this one.
of_series() { sed 's/#.*//' "${here:?}/$2" | sed "s/^$1: *//; /^[0-9.]*: /d; /^[ 	]*$/d"; }
