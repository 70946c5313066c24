# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# summary: the same under dnf5, which Debian has in its next release only
# time-limit: 5400
export HOST_SUITE=forky
export DNF='dnf5 --no-gpgchecks --setopt=plugins=False'
"$TOP/mk/chroot-expired.sh" path forky rpm-host >/dev/null || exit 1
. "$TOP/tests/packages/rpm/dnf.sh"
