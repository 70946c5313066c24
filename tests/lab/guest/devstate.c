// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * devstate set N | devstate get: a number from 1 to 255 in registers of emulated devices that no driver of the
 * small guest writes, so that what is read after a restore was in the device state:
 *	rtc	a byte of the CMOS RAM (Xen has the clock itself, QEMU what is behind it)
 *	nic	e1000's SWSM, which later cards share with their firmware
 *	serial	the scratch register of COM1
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_BYTE	0x70	/* of 128; firmware uses those up to 0x5f */
#define COM1_SCRATCH	0x3ff
#define E1000_ID	"0x8086 0x100e"
#define E1000_BAR_LEN	0x20000
#define E1000_SWSM	0x5b50
/* All of the register: one byte in its place four times. */
#define NIC_WORD	0x01010101u

static int give_up(const char *what)
{
	fprintf(stderr, "devstate: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A line of one of a PCI device's files. */
static void pci_word(const char *device, const char *name, char *out, size_t size)
{
	char path[320];
	FILE *f;

	*out = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, name);
	f = fopen(path, "r");
	if (f && fgets(out, size, f))
		out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

static volatile uint32_t *map_registers(const char *device)
{
	char path[320];
	void *bar;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	bar = mmap(NULL, E1000_BAR_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return bar == MAP_FAILED ? NULL : bar;
}

/* The first e1000's registers. */
static volatile uint32_t *find_nic(void)
{
	DIR *d = opendir("/sys/bus/pci/devices");
	volatile uint32_t *found = NULL;
	char vendor[16], device[16], id[40];
	struct dirent *e;

	errno = ENODEV;
	while (d && !found && (e = readdir(d))) {
		pci_word(e->d_name, "vendor", vendor, sizeof(vendor));
		pci_word(e->d_name, "device", device, sizeof(device));
		snprintf(id, sizeof(id), "%s %s", vendor, device);
		if (!strcmp(id, E1000_ID))
			found = map_registers(e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

static void set(volatile uint32_t *nic, unsigned int n)
{
	outb(CMOS_BYTE, CMOS_INDEX);
	outb(n, CMOS_DATA);
	nic[E1000_SWSM / 4] = n * NIC_WORD;
	outb(n, COM1_SCRATCH);
}

static void get(volatile uint32_t *nic)
{
	uint32_t word = nic[E1000_SWSM / 4];

	outb(CMOS_BYTE, CMOS_INDEX);
	printf("rtc %u, ", inb(CMOS_DATA));
	if (word == (word & 0xff) * NIC_WORD)
		printf("nic %u, ", word & 0xff);
	else
		printf("nic 0x%08x, ", word);
	printf("serial %u\n", inb(COM1_SCRATCH));
}

int main(int argc, char **argv)
{
	int n = argc == 3 && !strcmp(argv[1], "set") ? atoi(argv[2]) : 0;
	volatile uint32_t *nic;

	if ((n < 1 || n > 255) && !(argc == 2 && !strcmp(argv[1], "get"))) {
		fprintf(stderr, "devstate set 1...255 | devstate get\n");
		return 2;
	}
	if (ioperm(CMOS_INDEX, 2, 1) || ioperm(COM1_SCRATCH, 1, 1))
		return give_up("I/O ports");
	nic = find_nic();
	if (!nic)
		return give_up("an e1000's registers");
	if (n)
		set(nic, n);
	else
		get(nic);
	return 0;
}
