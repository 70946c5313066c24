# SPDX-License-Identifier: GPL-2.0-or-later
# debian/changelog as rpm's %changelog; the newest entry is of VERSION-RELEASE:
#   awk -v newest=0.1.0-1 -f rpm/changelog.awk debian/changelog
/^[^ ]/ { version = n++ ? $2 : newest; gsub(/[()]/, "", version); text = "" }
/^  / {
	sub(/^  \* /, "- ")
	gsub(/%/, "%%")
	text = text $0 "\n"
}
# " -- Name <mail>  Sat, 21 Nov 2026 21:00:00 +0000"
/^ -- / {
	split($0, part, "  ")
	sub(/^ -- /, "", part[1])
	split(part[2], d, /[, ]+/)
	printf("%s* %s %s %s %s %s - %s\n%s", (n > 1 ? "\n" : ""), d[1], d[3], d[2], d[4], part[1], version, text)
}
