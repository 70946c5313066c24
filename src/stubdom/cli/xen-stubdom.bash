# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for xen-stubdom(8)

_xen_stubdom_guests() {
	xen-stubdom --quiet status --json 2>/dev/null |
		sed -n 's/^ *"name":"\(.*\)",$/\1/p'
}

_xen_stubdom() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local word command='' words='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word == --root ]] && { ((i++)); continue; }
		[[ $word == -* ]] || { command=$word; break; }
	done
	case $prev in
	--kernel | --qemu | --init)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--output | --module | --root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	--xen)
		words=$(cd /usr/lib && printf '%s\n' xen-[0-9]*/boot | sed -n 's|^xen-\([0-9.]*\)/boot$|\1|p')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return ;;
	esac
	case $command in
	'') words='build register unregister status check sbom logs --help --version --verbose --quiet --root' ;;
	build) words='--xen --if-needed --force --debug --kernel --qemu --init --module --output --help' ;;
	register) words='--xen --all --force --help' ;;
	unregister) words='--xen --all --purge --help' ;;
	status) words="--json --help $(_xen_stubdom_guests)" ;;
	check) words="--json --help $(_xen_stubdom_guests)" ;;
	sbom)
		mapfile -t COMPREPLY < <(compgen -W '--xen --help' -- "$cur"; compgen -d -- "$cur")
		return ;;
	logs) words="-f --follow --help $(_xen_stubdom_guests)" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ $command != check ]] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _xen_stubdom xen-stubdom
