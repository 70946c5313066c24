// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * devask DEVICE...: what the kernel answers when it is asked for the device, a line
 * each; neither hdparm nor ethtool is in the small guest.
 *	/dev/vda	HDIO_GETGEO and the size
 *	eth0		ethtool's: link settings, driver, channels, rings, coalescing
 * A device that is not there, or does not answer, has a line too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void ask_disk(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct hd_geometry g = { 0 };
	unsigned long long size = 0;

	if (fd < 0 || ioctl(fd, HDIO_GETGEO, &g) || ioctl(fd, BLKGETSIZE64, &size))
		printf("%s: %s\n", path, strerror(errno));
	else
		printf("%s: %u heads, %u sectors, %u cylinders, %llu bytes\n", path, g.heads, g.sectors, g.cylinders, size);
	if (fd >= 0)
		close(fd);
}

static int ethtool(int fd, const char *name, void *command)
{
	struct ifreq r = { .ifr_data = command };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &r) ? errno : 0;
}

static void ask_network(const char *name)
{
	struct ethtool_cmd settings = { .cmd = ETHTOOL_GSET };
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_ringparam rings = { .cmd = ETHTOOL_GRINGPARAM };
	struct ethtool_coalesce coalesce = { .cmd = ETHTOOL_GCOALESCE };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	void *commands[] = { &settings, &driver, &channels, &rings, &coalesce, &link };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = fd < 0 ? errno : 0;

	for (size_t i = 0; !err && i < sizeof(commands) / sizeof(commands[0]); i++)
		err = ethtool(fd, name, commands[i]);
	if (err)
		printf("%s: %s\n", name, strerror(err));
	else
		printf("%s: %s, link %u, speed %d, %u channels, rings of %u\n", name, driver.driver, link.data,
		       (int)ethtool_cmd_speed(&settings), channels.combined_count, rings.rx_pending);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '/')
			ask_disk(argv[i]);
		else
			ask_network(argv[i]);
	return 0;
}
