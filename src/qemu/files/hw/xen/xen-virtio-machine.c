/*
 * A machine that serves virtio devices of a Xen domain, and nothing else
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Like xenpv it has no CPU and no memory. Unlike it, it is not the domain's
 * device model: the toolstack does not know of it, and may have started
 * another QEMU for the same domain. So it looks for no backend of another
 * kind, reports no state, and does not ask for privilege over the domain: it
 * opens neither privcmd nor a handle of libxenctrl.
 *
 *   -M xen-virtio -accel xen -xen-domid N -xen-attach -nodefaults
 *   -device virtio-xenbus,id=disk,kind=virtio_disk,devid=51712
 *   -device virtio-blk-device,bus=disk.0,drive=...
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/boards.h"
#include "hw/xen/xen.h"
#include "hw/xen/virtio-xenbus-compat.h"

static void xen_virtio_init(MachineState *machine)
{
    if (!xen_enabled()) {
        error_report("machine xen-virtio needs -accel xen");
        exit(EXIT_FAILURE);
    }
    if (xen_domid >= DOMID_FIRST_RESERVED) {
        error_report("machine xen-virtio needs -xen-domid");
        exit(EXIT_FAILURE);
    }

    setup_xen_backend_ops();
    xen_bus_init_no_backends();
}

static void xen_virtio_machine_init(MachineClass *mc)
{
    mc->desc = "virtio devices of a Xen domain";
    mc->init = xen_virtio_init;
    mc->max_cpus = 1;
    mc->no_serial = 1;
    mc->no_parallel = 1;
    mc->no_floppy = 1;
    mc->no_cdrom = 1;
}

DEFINE_MACHINE("xen-virtio", xen_virtio_machine_init)
