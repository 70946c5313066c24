/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device as it is given on the command line or in xl.cfg.  Pure. */
#ifndef XE_VIRTIO_SPEC_TEXT_H
#define XE_VIRTIO_SPEC_TEXT_H

/*
 * Text as it stands in xl.cfg or shorter ("type=virtio,device1;...,transport=mmio",
 * "virtio,device1;...", "device1;...", "net;...", "disk;...") to what libxl
 * would store; to free(), NULL when out of memory.
 */
char *spec_type(const char *spec);

/* The domain of ",backend=" in such text, to free(); NULL when not given. */
char *spec_backend(const char *spec);

#endif
