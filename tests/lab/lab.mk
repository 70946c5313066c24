# SPDX-License-Identifier: GPL-2.0-or-later
# The lab: an emulated Debian Xen host and the scenarios run in it (docs/lab.md).

LAB := tests/lab/lab.py --suite $(SUITE)

.PHONY: lab lab-base lab-run lab-list lab-shell
lab: deps	## prepare the lab: dom0 image, snapshots, guests (SUITE=)
	$(LAB) prepare

lab-base: deps	## the same without our packages: only what Debian ships
	$(LAB) prepare --layer base

lab-run: deps	## run scenarios: make lab-run SCENARIO=name|/path/file[,...]
	@[ -n "$(SCENARIO)" ] || { $(LAB) list; echo "which one? make lab-run SCENARIO=name" >&2; exit 2; }
	@$(LAB) run $(if $(LENGTH),--length $(LENGTH)) $(SCENARIO)

# What a backend that lies, dies or is slow leads to, in a guest whose kernel looks for its own mistakes.
SANITIZED := virtio-faults,virtio-hostile,virtio-alloc,virtio-loss,virtio-save,virtio-devices,virtio-driver-domain
.PHONY: check-sanitizer
check-sanitizer: deps	## virtio scenarios with KASAN, lockdep and DMA checks in the guest's kernel: hours (SCENARIO=, LENGTH=600: seconds of random bytes)
	@$(LAB) run --kernel sanitizer $(if $(LENGTH),--length $(LENGTH)) $(or $(SCENARIO),$(SANITIZED))

.PHONY: soak
soak: deps	## guests come, are saved, restored and go for HOURS (1): memory, descriptors, nodes and grants stay flat
	@$(LAB) run --length $$(($(or $(HOURS),1) * 3600)) soak

lab-list:	## list the lab's scenarios
	@$(LAB) list

lab-shell:	## an interactive root shell in a fresh dom0 (LAYER=base|installed)
	@$(LAB) shell --layer $(or $(LAYER),installed)

.PHONY: bench-stubdom
bench-stubdom:	## measure: the same guest with its QEMU in a stubdomain and in dom0
	@$(LAB) run bench/stubdom-start.sh

.PHONY: bench-virtio
bench-virtio:	## measure: virtio over XenBus, blkback, qdisk, netback, virtio-pci, IDE, e1000
	@$(LAB) run bench/virtio.sh
	@python3 bench/report.py build/lab/virtio/results.json | tee build/lab/virtio/report.md

.PHONY: bench-state
bench-state:	## measure: saving a guest's device state by disk, by console and from a QEMU in dom0
	@$(LAB) run bench/state.sh
	@python3 bench/state_report.py build/lab/state/results.json | tee build/lab/state/report.md
