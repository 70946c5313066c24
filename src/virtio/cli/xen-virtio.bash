# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for xen-virtio(8)

_xen_virtio_of() {	# JSON-KEY [DOMAIN]
	xen-virtio --quiet list --json "${@:2}" 2>/dev/null |
		sed -n "s/^ *\"$1\":\"\\(.*\\)\",\$/\\1/p" | sort -u
}

_xen_virtio_guests() {
	xl list 2>/dev/null | awk 'NR > 2 { print $1 }'
}

_xen_virtio() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' domain='' word words='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word != -* ]] || continue
		if [[ ! $command ]]; then command=$word; else domain=${domain:-$word}; fi
	done
	case $command in
	'') words='list attach detach resize stats check --help --version --verbose --quiet' ;;
	list) words="--json --backend --help $(_xen_virtio_of name)" ;;
	stats) words="--json --help $(_xen_virtio_of name)" ;;
	attach) [[ $domain ]] || words="--backend --help $(_xen_virtio_guests)" ;;
	detach)
		if [[ $domain ]]; then words=$(_xen_virtio_of device "$domain")
		else words="--force --backend --help $(_xen_virtio_of name)"; fi ;;
	resize)
		if [[ $domain ]]; then words=$(_xen_virtio_of device "$domain")
		else words="--help $(_xen_virtio_of name)"; fi ;;
	check)
		mapfile -t COMPREPLY < <(compgen -W '--json --help' -- "$cur"; compgen -f -- "$cur")
		return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o filenames -F _xen_virtio xen-virtio
