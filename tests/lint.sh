#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Static checks over the whole tree; every finding fails its check.
set -u
cd "$(dirname "$0")/.." || exit 1
pass=0 fail=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

check() {
	what=$1; shift
	if "$@" >"$out" 2>&1; then
		echo "ok - $what"; pass=$((pass + 1))
	else
		echo "not ok - $what"; sed 's/^/    /' "$out" | tail -n 60; fail=$((fail + 1))
	fi
}

tracked() { git -c safe.directory='*' ls-files -- "$@"; }

spdx() {
	missing=$(tracked '*.c' '*.h' '*.sh' '*.py' '*.mk' Makefile '*.service' '*.config' |
		while read -r f; do head -n 5 "$f" | grep -q SPDX-License-Identifier || echo "$f"; done)
	[ -z "$missing" ] || { echo "no SPDX tag:"; echo "$missing"; return 1; }
}

compile() {	# COMPILER: every program, warnings as errors
	make -s user CC="$1" WERROR=1 OUT="build/lint/$1" CFLAGS="-O2 -g"
}

hostile() {	# which the lab builds
	mkdir -p build/lint/hostile && tests/hostile/build.sh build/lint/hostile
}

cppcheck_all() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -D_GNU_SOURCE \
		--enable=warning,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		-Isrc/lib -Isrc/include -Isrc/protocol -isrc/qemu src tests/hostile dkms/virtio_xenbus/pool.c dkms/virtio_xenbus/config.c dkms/virtio_xenbus/rules.c dkms/virtio_xenbus/state.c
}

shell_all() {
	# Files without a shebang are read by sh: scenarios, the lab's library.
	bad=0
	for f in $(tracked '*.sh' .ci/run; tracked debian dkms stubdom | xargs grep -lx '#!/bin/sh' | grep -v '[.]sh$'); do
		[ -f "$f" ] || continue
		case $(head -n 1 "$f") in "#!"*) s='' ;; *) s='-s sh' ;; esac
		shellcheck -S warning $s "$f" || bad=1
	done
	return $bad
}

man_all() {
	for m in docs/man/*.[0-9]; do
		mandoc -Tlint -W warning "$m" || return 1
	done
}

private() {	# nothing of the machine it was made on
	! git -c safe.directory='*' grep -nE '/work/(main|shared)|deb\.debian\.org|security\.debian\.org' -- . ':!tests/lint.sh'
}

check "SPDX tag in every source file" spdx
check "gcc, all warnings as errors" compile gcc
check "clang, all warnings as errors" compile clang
check "the lab's hostile programs" hostile
check "the include rule (tests/includes.py)" python3 tests/includes.py
check "what the include rule finds (tests/test_includes.py)" python3 tests/test_includes.py
check "cppcheck" cppcheck_all
check "shellcheck" shell_all
check "man pages (mandoc -Tlint)" man_all
check "what the documents name (tests/docs.py)" python3 tests/docs.py
check "no path of a machine, no registry host" private
check "python sources compile" sh -c 'find tests bench -name "*.py" 2>/dev/null | xargs -r python3 -m py_compile'
check "the lab's parsers (tests/lab/test_lab.py)" python3 tests/lab/test_lab.py
check "what make check runs and leaves out (tests/test_check.py)" python3 tests/test_check.py
check "the expectations of scenarios and package tests (tests/lib/test_expect.py)" python3 tests/lib/test_expect.py
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
