#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the lab's guest kernel.  Runs inside the build chroot:
#   build-kernel.sh CONFIG OUT
# leaves in OUT: vmlinuz, modules/ (lib/modules tree), config, version, and
# build/, the configured tree that external modules are compiled against.
set -eu
config=$1 out=$2 pkg=linux-source-6.12
work=$out/build

mkdir -p "$work/.deb"
cd "$work/.deb"
apt-get download -q $pkg || { apt-get update -q && apt-get download -q $pkg; }
dpkg-deb --fsys-tarfile ./$pkg*.deb | tar -x --wildcards '*.tar.xz'
dpkg-deb -f ./$pkg*.deb Version >"$out/source-version"
tar -xf usr/src/$pkg.tar.xz -C "$work" --strip-components=1
cd "$work"
rm -rf .deb

export KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab KBUILD_BUILD_TIMESTAMP=@${SOURCE_DATE_EPOCH:-0}
echo "guest kernel: configuring $(cat "$out/source-version")"
make -s tinyconfig
scripts/kconfig/merge_config.sh -m -Q .config "$config" >merge.log
make -s olddefconfig
# A line kconfig dropped (renamed, or a missing dependency) must not pass.
bad=0
while read -r line; do
	case $line in
	'# CONFIG_'*' is not set')
		opt=${line#\# }; opt=${opt%% *}
		! grep -q "^$opt=" .config || { echo "guest kernel: $opt is set"; bad=1; } ;;
	CONFIG_*) grep -qxF "$line" .config || { echo "guest kernel: lost: $line"; bad=1; } ;;
	esac
done <"$config"
[ $bad = 0 ] || exit 1

echo "guest kernel: compiling (about 8 minutes on two cores)"
nice make -s -j"$(nproc)" bzImage modules
make -s modules_install INSTALL_MOD_PATH="$out/modules" INSTALL_MOD_STRIP=1 DEPMOD=/sbin/depmod
rm -f "$out"/modules/lib/modules/*/build "$out"/modules/lib/modules/*/source
cp arch/x86/boot/bzImage "$out/vmlinuz"
cp .config "$out/config"
make -s kernelrelease >"$out/version"
echo "guest kernel: $(cat "$out/version"), $(stat -c %s "$out/vmlinuz") bytes"
