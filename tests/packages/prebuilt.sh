# SPDX-License-Identifier: GPL-2.0-or-later
# summary: the package with a ready-made image: the bytes a host makes, in the place of the package that makes them, SBOM included
# time-limit: 3600

XENV=$([ "$SUITE" = bookworm ] && echo 4.17 || echo 4.20)
OURS=$(debs "$SUITE")
R=$WORK/h/root
STATE=/var/lib/xen-stubdom/$XENV/current
PRE=/usr/lib/xen-extras/prebuilt/$XENV
BOOT=/usr/lib/xen-$XENV/boot
LOCAL=xen-stubdom-linux-$XENV
PACKAGE=xen-stubdom-linux-prebuilt-$XENV

apt() { : >"$R/var/log/builds"; in_root h apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }; }
builds() { wc -l <"$R/var/log/builds"; }
status() { in_root h dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null; }
names() { in_root h readlink -f $BOOT/qemu-stubdom-linux-kernel $BOOT/qemu-stubdom-linux-rootfs | xargs; }
check() { in_root h xen-stubdom check >"$WORK/check" 2>&1 || true; }
images() { (cd "$R$1" && sha256sum kernel rootfs manifest); }

expect "make prebuilt" make -C "$TOP" prebuilt SUITE="$SUITE" || exit 1
NEW=$(echo "$TOP/build/prebuilt/$SUITE/$PACKAGE"_*.deb)
expect "its bill of materials is valid SPDX 2.3, and true" \
	"$TOP/tests/image/check_spdx.py" "$TOP/build/prebuilt/$SUITE/sbom.spdx.json" "$TOP/build/prebuilt/$SUITE/manifest" "$TOP/build/prebuilt/$SUITE"

root h "$SUITE" plain
printf '#!/bin/sh\necho x >>/var/log/builds\nexec /usr/bin/dracut "$@"\n' >"$R/usr/sbin/dracut"
chmod 755 "$R/usr/sbin/dracut"
flat_repo h "$OURS" >"$OUT" 2>&1 || { show_out; exit 1; }
mkdir "$WORK/first"
cp "$NEW" "$WORK/first/"

in_root h apt-get -s --no-install-recommends install xen-extras >"$WORK/plan" 2>&1
cp "$NEW" "$R/prebuilt.deb"
in_root h apt-get -s --no-install-recommends install /prebuilt.deb >"$WORK/plan.prebuilt" 2>&1
expect "alone it needs nothing that builds images" sh -c "grep -q '^Inst $PACKAGE ' $WORK/plan.prebuilt && grep -q '^Inst xen-stubdom-utils ' $WORK/plan.prebuilt &&
	! grep -E '^Inst (dracut|qemu-xen-extras|xen-stubdom-kernel|$LOCAL) ' $WORK/plan.prebuilt"
expect "while a host that builds has that" grep "^Inst dracut-core " "$WORK/plan"

expect "a host that builds its image" apt install xen-extras "xen-utils-$XENV"
same "builds it once" 1 "$(builds)"
for f in kernel rootfs manifest; do
	expect "the package has the same $f, byte for byte" cmp "$R$STATE/$f" "$TOP/build/prebuilt/$SUITE/$f"
done
expect "and the host's own bill of materials is the package's" sh -c "
	SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH chroot $R xen-stubdom sbom >$WORK/sbom && cmp $WORK/sbom $TOP/build/prebuilt/$SUITE/sbom.spdx.json"
[ -s "$WORK/sbom" ] || diff "$R$STATE/manifest" "$TOP/build/prebuilt/$SUITE/manifest" | sed 's/^/    /'

# In its place.
expect "apt installs it there" apt install /prebuilt.deb
same "instead of the package that builds" config-files "$(status "$LOCAL")"
same "xen-extras stays, it is provided" installed "$(status xen-extras)"
same "both names lead to its files" "$PRE/kernel $PRE/rootfs" "$(names)"
same "which were not built here: builds" 0 "$(builds)"
expect "the image that was built here is gone" test ! -e "$R/var/lib/xen-stubdom/$XENV"
check
expect "check knows it" grep "^ok.*it is prebuilt, by the package $PACKAGE" "$WORK/check"
expect "and that it is registered" grep "^ok.*registered in $BOOT" "$WORK/check"
expect_text "status shows it" "^$XENV .*prebuilt" in_root h xen-stubdom status
expect_text "the bill of materials, by the command" '"spdxVersion": ?"SPDX-2.3"' in_root h xen-stubdom sbom

before=$(images "$PRE")
pixman=$(cd "$R/tmp" && in_root h sh -c 'cd /tmp && apt-get -q download libpixman-1-0 >/dev/null 2>&1'; echo "$R"/tmp/libpixman-1-0_*.deb)
mkdir "$WORK/new"
repack "$pixman" "$(dpkg-deb -f "$pixman" Version)+1" "$WORK/new" 'for f in $(find . -name "libpixman-1.so.0.*"); do echo one >>$f; done'
flat_repo h "$WORK/new" >"$OUT" 2>&1 || show_out
expect "an update of a library" apt upgrade
same "builds nothing" 0 "$(builds)"
same "the image stays" "$before" "$(images "$PRE")"
same "the names stay" "$PRE/kernel $PRE/rootfs" "$(names)"
check
expect "check says that another package is due" grep "^note.*other versions than this host: libpixman-1-0: install a newer $PACKAGE" "$WORK/check"
expect "what builds images can go" apt purge dracut-core xen-stubdom-kernel
same "the image's package stays" installed "$(status "$PACKAGE")"
expect_text "register has nothing to do then" "nothing is built here" in_root h xen-stubdom register --all
same "the names stay" "$PRE/kernel $PRE/rootfs" "$(names)"
echo x >>"$R$PRE/rootfs"
check
expect "a damaged file is found" grep "^FAIL.*damaged.*apt install --reinstall $PACKAGE" "$WORK/check"

# And back.
expect "apt goes back to building" apt install "$LOCAL"
same "builds one image" 1 "$(builds)"
same "the other package is gone" "" "$(status "$PACKAGE" | grep -x installed)"
expect "with its files" test ! -e "$R$PRE"
same "the names lead to the new image" "$(in_root h readlink -f $STATE/kernel) $(in_root h readlink -f $STATE/rootfs)" "$(names)"
expect "purge" apt purge "xen-stubdom-*" qemu-xen-extras
same "leaves nothing" "" "$(cd "$R" && find usr/lib/xen-extras usr/libexec/xen-extras var/lib/xen-stubdom usr/lib/xen-$XENV/boot/qemu-stubdom* 2>/dev/null)"
