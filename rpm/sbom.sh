#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The SPDX 2.3 document of what the packages hold that is not ours: the
# stubdomain's kernel and the QEMUs, with their versions and SHA-256.
#   sbom.sh NAME VERSION STUBDOM_DIR VIRTIO_DIR >file
# What else an image has (libraries, ROMs) comes from the host; its manifest,
# /var/lib/xen-stubdom/<V>/current/manifest, names each file.
set -eu
[ $# -eq 4 ] || { echo "usage: sbom.sh NAME VERSION STUBDOM_DIR VIRTIO_DIR" >&2; exit 2; }
name=$1 version=$2 stubdom=$3 virtio=$4
sha() { sha256sum <"$1" | cut -d' ' -f1; }
info() { sed -n "s/^$2 //p" "$1"; }
# A bzImage says its release itself (boot protocol, kernel_version at 0x20e).
kernel() {
	at=$(($(od -An -tu2 -j526 -N2 "$1") + 512))
	tail -c +$((at + 1)) "$1" | head -c 128 | tr '\0' '\n' | sed -n '1s/ .*//p'
}
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
id=$(cat "$stubdom/vmlinuz" "$stubdom/qemu-stubdom" "$virtio/qemu-virtio" | sha256sum | cut -d' ' -f1)

package() {	# ID NAME VERSION FILE INSTALLED-AS LICENCE
	cat <<-END
	    {
	      "SPDXID": "SPDXRef-$1",
	      "name": "$2",
	      "versionInfo": "$3",
	      "packageFileName": "$5",
	      "downloadLocation": "NOASSERTION",
	      "filesAnalyzed": false,
	      "checksums": [ { "algorithm": "SHA256", "checksumValue": "$(sha "$4")" } ],
	      "licenseConcluded": "NOASSERTION",
	      "licenseDeclared": "$6",
	      "copyrightText": "NOASSERTION"
	    }
	END
}
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "$name-$version",
  "documentNamespace": "urn:xen-extras:sbom:$name-$version:$id",
  "creationInfo": { "created": "$date", "creators": [ "Tool: xen-extras rpm/sbom.sh" ] },
  "documentDescribes": [ "SPDXRef-kernel", "SPDXRef-qemu-stubdom", "SPDXRef-qemu-virtio" ],
  "packages": [
$(package kernel linux "$(kernel "$stubdom/vmlinuz")" "$stubdom/vmlinuz" /usr/lib/xen-extras/stubdom/vmlinuz \
	'GPL-2.0-only WITH Linux-syscall-note'),
$(package qemu-stubdom qemu "$(info "$stubdom/qemu-stubdom.info" qemu)" "$stubdom/qemu-stubdom" \
	/usr/libexec/xen-extras/qemu-stubdom 'GPL-2.0-or-later AND GPL-2.0-only'),
$(package qemu-virtio qemu "$(info "$virtio/qemu-virtio.info" qemu)" "$virtio/qemu-virtio" \
	/usr/libexec/xen-extras/qemu-virtio 'GPL-2.0-or-later AND GPL-2.0-only')
  ]
}
END
