// SPDX-License-Identifier: GPL-2.0-or-later
#include "packages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

/* Those of the same name on both sides are not listed. */
static const struct {
	const char *deb, *rpm;
} table[] = {
	{ "dracut-core", "dracut" },
	{ "ipxe-qemu", "ipxe-roms-qemu" },
	{ "libc6", "glibc" },
	{ "qemu-system-xen", "qemu-system-x86-core" },
	{ "seabios", "seavgabios-bin" },
	{ "xen-system-amd64", "xen" },
	{ "xen-utils-common", "xen-runtime" },
};

static bool is_rpm(void)
{
	char *dpkg = host_path("/usr/bin/dpkg"), *rpm = host_path("/usr/bin/rpm");
	bool is = access(dpkg, X_OK) && !access(rpm, X_OK);

	free(dpkg);
	free(rpm);
	return is;
}

const char *package_name(const char *deb)
{
	if (is_rpm())
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if (!strcmp(table[i].deb, deb))
				return table[i].rpm;
	return deb;
}

char *package_install(const char *deb)
{
	return xasprintf("run '%s install %s'", is_rpm() ? "dnf" : "apt",
			 package_name(deb));
}

char *package_reinstall(const char *deb)
{
	return xasprintf("run '%s %s'", is_rpm() ? "dnf reinstall"
					: "apt install --reinstall",
			 package_name(deb));
}
