#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# chroot.sh for a suite whose Release file is past its date, as those of a suite that is not
# released may be on a mirror:  mk/chroot-expired.sh path SUITE KIND
# (An option in chroot.sh itself would be part of the key of every chroot.)
set -eu
here=$(dirname "$(readlink -f "$0")")
real=$(command -v mmdebstrap)
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
printf '#!/bin/sh\nexec %s --aptopt="Acquire::Check-Valid-Until \\"false\\"" --dpkgopt=force-unsafe-io "$@"\n' "$real" >"$bin/mmdebstrap"
chmod 755 "$bin/mmdebstrap"
PATH=$bin:$PATH "$here/chroot.sh" "$@"
