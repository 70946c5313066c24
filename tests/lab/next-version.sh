#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same packages as a later version, to upgrade to:  next-version.sh DEBS OUT
# What they hold is the same; what dpkg and their maintainer scripts do is all there.
set -eu
for deb in "$1"/*.deb; do
	tree=$(mktemp -d)
	dpkg-deb -R "$deb" "$tree"
	version=$(dpkg-deb -f "$deb" Version)
	# Its own, and where it depends on that very version of another.
	sed -i "s/^Version: .*/&+next/; s/(= $version)/(= $version+next)/g" "$tree/DEBIAN/control"
	dpkg-deb -Zgzip -z1 -b "$tree" "$2/$(basename "$deb" .deb)+next.deb"
	rm -r "$tree"
done
