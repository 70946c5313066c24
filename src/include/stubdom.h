/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stubdom-init, xen-stubdomd and xen-stubdom agree on.
 *
 * Everything below a stubdomain's own "data" node is written by that
 * stubdomain: dom0 reads it as hostile text (bounded, made printable) and
 * decides nothing about other domains by it.
 */
#ifndef XE_STUBDOM_H
#define XE_STUBDOM_H

/*
 * /local/domain/<stub>/STUBDOM_DATA/...: how the stubdomain is doing.  libxl
 * gives each domain write access to its "data" node and nothing else there.
 *   version        of stubdom-init, e.g. "0.1.0"
 *   qemu           QEMU's version, e.g. "10.0.13"
 *   stage          one of the STAGE_ words below
 *   error          one line, set before the stubdomain powers off: why
 *   mem-total      KiB the kernel manages (MemTotal)
 *   mem-available  KiB that were still free when the device model ran (MemAvailable)
 *   save           "LENGTH TAG": so many bytes of device state go out by console 1,
 *                  and TAG (STUBDOM_TAG_LEN hex digits, new each time) after them
 *   saved          xen-stubdomd's answer: "TAG" when nothing but that state is in
 *                  libxl's file, "TAG REASON" when it cannot be put there
 */
#define STUBDOM_DATA		"data/xen-stubdom"

#define STUBDOM_TAG_LEN		32
/* Much more than any device state. */
#define STUBDOM_STATE_MAX	(24 * 1024 * 1024)

#define STUBDOM_STAGE_BOOT	"boot"		/* init runs, contract not read yet */
#define STUBDOM_STAGE_WIRE	"wire"		/* NICs and disks are being set up */
#define STUBDOM_STAGE_QEMU	"qemu"		/* QEMU started, not ready yet */
#define STUBDOM_STAGE_RUN	"running"	/* QEMU wrote its own "running" */
#define STUBDOM_STAGE_END	"ended"		/* powering off; see error */

/*
 * Inside the ramdisk: which Xen the QEMU in it was built for, as lines
 * "KEY VALUE" (keys: xen, qemu, key, memory-min).  The same lines stand in the
 * manifest beside the image in dom0.
 */
#define STUBDOM_IMAGE_INFO	"/etc/xen-stubdom/image"

/* In dom0. */
#define STUBDOM_STATE_DIR	"/var/lib/xen-stubdom"
/*   <state dir>/<xen version>/current -> gen-<key>   (swapped by rename)
 *   <state dir>/<xen version>/gen-<key>/{kernel,rootfs,manifest}
 *   <state dir>/links            links that `xen-stubdom register` made
 * The names libxl looks up in its firmware directory: */
#define STUBDOM_LINK_KERNEL	"qemu-stubdom-linux-kernel"
#define STUBDOM_LINK_ROOTFS	"qemu-stubdom-linux-rootfs"

/* An image that a package brings: <that>/<xen version>/{kernel,rootfs,manifest}. */
#define STUBDOM_PREBUILT_DIR	"/usr/lib/xen-extras/prebuilt"

/* The program that is the device model, in dom0's packages and in the ramdisk. */
#define STUBDOM_QEMU		"/usr/libexec/xen-extras/qemu-stubdom"
/* Lines "KEY VALUE" beside it: xen (ABI it links), qemu (version). */
#define STUBDOM_QEMU_INFO	"/usr/share/xen-extras/qemu-stubdom.info"
#define STUBDOM_KERNEL		"/usr/lib/xen-extras/stubdom/vmlinuz"
/* dom0's end of a state disk (state_disk.h), and its user. */
#define STUBDOM_STATE_HELPER	"/usr/libexec/xen-extras/xen-state-disk"
#define STUBDOM_STATE_USER	"_xen-state"
/* The QEMU in dom0 that it takes the place of: the first that is there. */
#define STUBDOM_DOM0_QEMUS { \
	"/usr/libexec/xen-qemu-system-i386",	/* Debian */ \
	"/usr/lib/xen/bin/qemu-system-i386",	/* openSUSE */ \
	"/usr/bin/qemu-system-i386",		/* Fedora */ \
}
#define STUBDOM_INIT		"/usr/libexec/xen-extras/stubdom-init"
/* device_model_override= of a guest: what serves its stubdomain in dom0; and its user. */
#define STUBDOM_PV		"/usr/libexec/xen-extras/xen-stubdom-pv"
#define STUBDOM_VNC		"/usr/libexec/xen-extras/xen-stubdom-vnc"
#define STUBDOM_PV_USER		"_xen-stubdom-pv"

/* Console numbers that libxl fixes (libxl_internal.h, STUBDOM_CONSOLE_*). */
#define STUBDOM_CONSOLE_LOG	0
#define STUBDOM_CONSOLE_SAVE	1
#define STUBDOM_CONSOLE_RESTORE	2
#define STUBDOM_CONSOLE_SERIAL	3

/*
 * User ids inside the ramdisk.  There is no passwd file and nothing else runs
 * here: numbers are enough, but each process gets its own so that neither can
 * signal, trace or read the other.
 */
#define STUBDOM_UID_QEMU	990
#define STUBDOM_UID_BROKER	991
/* May open /dev/xen/{evtchn,xenbus}: both of the above. */
#define STUBDOM_GID_XEN	992

#endif
