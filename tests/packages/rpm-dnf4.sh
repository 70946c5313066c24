# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: rpms under dnf4: install, updates of all kinds, remove; each scriptlet by its effect
# time-limit: 5400
export HOST_SUITE=trixie
export DNF='dnf --nogpgcheck'
. "$TOP/tests/packages/rpm/dnf.sh"
