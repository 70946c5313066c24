# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the tests of the rpms have in common; read by them after lib.sh.

# rpms: the directory with our rpms; built when there are none or the tree is newer.
rpms() {
	if [ ! -e "$TOP/build/rpm/el10" ] || [ -n "$(cd "$TOP" && git -c safe.directory='*' ls-files -z |
		xargs -0 sh -c 'find "$@" -newer build/rpm/el10' sh 2>/dev/null)" ]; then
		make -C "$TOP" rpm >&2 || return 1
	fi
	echo "$TOP/build/rpm"
}

# rpms_again NAME VARIABLE=VALUE...: build/NAME, built again with these; kept as long as
# build/rpm is the same.
rpms_again() {
	_name=$1 _again=$TOP/build/$1; shift
	_of=$(cat "$TOP"/build/rpm/fedora-43/*.rpm | sha256sum)
	if [ "$(cat "$_again/of" 2>/dev/null)" != "$_of" ]; then
		make -C "$TOP" rpm "RPM_OUT=build/$_name" "RPM_FLAGS=--without unit_tests" "$@" >&2 || return 1
		echo "$_of" >"$_again/of"
	fi
	echo "$_again"
}

# in_rpm COMMAND...: in the chroot with rpm's tools, $WORK at /mnt/work.
in_rpm() {
	"$TOP/mk/chroot.sh" run trixie rpm --net-off --bind "$WORK:/mnt/work" --bind "$TOP:/mnt/top" -- "$@"
}

# tiny NAME VERSION TREE: an rpm of the files below $WORK/TREE, in $WORK/repo.  Lines of
# $WORK/NAME.tags are put among its tags, those of $WORK/NAME.scripts at its end.
tiny() {
	mkdir -p "$WORK/repo" "$WORK/rpmbuild"
	{
		cat <<-END
			Name: $1
			Version: $2
			Release: 1
			Summary: Part of a test
			License: GPL-2.0-or-later
			AutoReq: no
			%global debug_package %{nil}
			%global __os_install_post %{nil}
		END
		cat "$WORK/$1.tags" 2>/dev/null
		printf '%s\n' '%description' 'Part of a test.' '%install' 'mkdir -p %{buildroot}' "cp -a /mnt/work/$3/. %{buildroot}" '%files'
		(cd "$WORK/$3" && find . ! -type d | sed 's/^\.//')
		cat "$WORK/$1.scripts" 2>/dev/null
	} >"$WORK/$1.spec"
	in_rpm rpmbuild --quiet --target x86_64-linux --define '_topdir /mnt/work/rpmbuild' -bb "/mnt/work/$1.spec" >"$WORK/tiny.log" 2>&1 ||
		{ cat "$WORK/tiny.log"; return 1; }
	mv "$WORK/rpmbuild/RPMS/x86_64/$1-$2-1.x86_64.rpm" "$WORK/repo/"
	rm -rf "$WORK/rpmbuild"
}

# rpm_version DIRECTORY: the version of the packages there.
rpm_version() { set -- "$1"/fedora-43/xen-extras-[0-9]*.rpm; _v=${1##*/xen-extras-}; echo "${_v%%-*}"; }
