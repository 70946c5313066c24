# SPDX-License-Identifier: GPL-2.0-or-later
#
# awk -f check-config.awk FRAGMENT... FINAL.config
#
# Every line of the fragments must hold in the final configuration: Kconfig drops
# silently what it cannot have.  Lists what does not hold; exit status 1 then.
# An option that is absent from the final file is off.

FNR == 1 { file++ }

/^CONFIG_[A-Za-z0-9_]+=/ {
	name = $0; sub(/=.*/, "", name)
	value = $0; sub(/^[^=]*=/, "", value)
}
/^# CONFIG_[A-Za-z0-9_]+ is not set$/ { name = $2; value = "n" }

name != "" {
	if (file < ARGC - 1) {
		if (name in want && want[name] != value) {
			printf "%s: %s asked for twice: %s and %s\n", FILENAME, name, want[name], value
			bad = 1
		}
		want[name] = value
		from[name] = FILENAME
	} else
		have[name] = value
	name = ""
}

END {
	if (file != ARGC - 1) {
		print "check-config.awk: a file is empty or missing"
		exit 1
	}
	for (n in want) {
		asked++
		got = (n in have) ? have[n] : "n"
		if (got != want[n]) {
			printf "%s: asked for %s=%s, got %s\n", from[n], n, want[n], got
			bad = 1
		}
	}
	printf "%d options asked for, %s\n", asked, bad ? "not all set" : "all set"
	exit bad
}
