// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/virtio/spec.c src/lib/virtio/ids.c src/virtio/daemon/events.c src/virtio/daemon/unit_report.c src/virtio/daemon/net.c src/lib/virtio/mark.c src/lib/net/rtnl.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/daemon/watches.c src/lib/net/tap.c src/lib/xen/domain.c */
/* test-pkgs: libsystemd libmnl */
/* What is read as text: parameters, names, events, states. */
#include "virtiod_fixture.h"

#include <errno.h>

#include "virtio/daemon/events.h"
#include "virtio/ids.h"
#include "virtio/daemon/net.h"
#include "virtio/spec.h"
#include "virtio/daemon/unit_report.h"

static struct vd_spec s;
static char error[VD_ERROR_MAX];

static void good(const char *text)
{
	if (vd_spec_parse(text, &s, error))
		fail_msg("%s: refused: %s", text, error);
	assert_string_equal(error, "");
}

static void wrong(const char *text, const char *why)
{
	assert_int_equal(vd_spec_parse(text, &s, error), -EINVAL);
	if (strcmp(error, why))
		fail_msg("%s\nsays     %s\ninstead  %s", text, error, why);
}

static void net(void **state)
{
	(void)state;
	good("virtio,device1;bridge=xenbr0;mac=00:16:3E:ab:00:fF");
	assert_int_equal(s.type, VD_NET);
	assert_string_equal(s.bridge, "xenbr0");
	assert_memory_equal(s.mac, "\x00\x16\x3e\xab\x00\xff", 6);
	assert_int_equal(s.queues, 1);
	assert_int_equal(s.mtu, 0);
	good("virtio,device1;mac=00:16:3e:00:00:01;;queues=4;mtu=9000;bridge=br;");
	assert_int_equal(s.queues, 4);
	assert_int_equal(s.mtu, 9000);
	wrong("virtio,device1", "no bridge: add ;bridge=NAME, see 'ip link show type bridge'");
	wrong("virtio,device1;bridge=br", "no address: add ;mac=00:16:3e:xx:xx:xx");
	wrong("virtio,device1;bridge=", "bridge= is empty: give it a value");
	wrong("virtio,device1;bridge", "bridge has no value: write bridge=...");
	wrong("virtio,device1;bridge=a/b", "bridge=a/b is not the name of an interface: see 'ip link show type bridge'");
	wrong("virtio,device1;bridge=..", "bridge=.. is not the name of an interface: see 'ip link show type bridge'");
	wrong("virtio,device1;bridge=sixteen-bytes-xx", "bridge= is longer than 15 bytes: shorten it");
	wrong("virtio,device1;mac=00:16:3e:00:00", "mac=00:16:3e:00:00 is not six hexadecimal bytes: use one of 00:16:3e:xx:xx:xx");
	wrong("virtio,device1;mac=00:16:3e:00:00:0g", "mac=00:16:3e:00:00:0g is not six hexadecimal bytes: use one of 00:16:3e:xx:xx:xx");
	wrong("virtio,device1;mac=01:16:3e:00:00:01", "mac=01:16:3e:00:00:01 is a group address: use one of 00:16:3e:xx:xx:xx");
	wrong("virtio,device1;mac=00:00:00:00:00:00", "mac=00:00:00:00:00:00 is not an address: use one of 00:16:3e:xx:xx:xx");
	wrong("virtio,device1;queues=17", "queues=17: give a number from 1 to 16");
	wrong("virtio,device1;queues=0", "queues=0: give a number from 1 to 16");
	wrong("virtio,device1;mtu=9k", "mtu=9k: give a number from 68 to 65535");
	wrong("virtio,device1;brigde=br", "brigde: no parameter of a net device: give one of bridge, mac, mtu, queues, packed, vhost");
	wrong("virtio,device1;vhost=maybe", "vhost=maybe: give on or off");
	wrong("virtio,device1;bridge=a;mac=00:16:3e:00:00:01;packed;vhost", "vhost=on has no packed rings: leave one of the two out");
	wrong("virtio,device2;path=/x;vhost=on", "vhost: no parameter of a block device: give one of queues, path, format, readonly, serial, discard, aio, cache, packed");
	wrong("virtio,device1;bridge=a;bridge=b", "bridge= is given twice: leave one out");
	wrong("virtio,device1;path=/x", "path: no parameter of a net device: give one of bridge, mac, mtu, queues, packed, vhost");
}

static void block(void **state)
{
	(void)state;
	good("virtio,device2;path=/srv/a b,c=d.qcow2;format=qcow2;readonly;serial=S-1;discard=off;aio=io_uring;queues=1");
	assert_int_equal(s.type, VD_BLOCK);
	assert_string_equal(s.path, "/srv/a b,c=d.qcow2");
	assert_int_equal(s.format, VD_QCOW2);
	assert_true(s.readonly);
	assert_false(s.discard);
	assert_false(s.cached);
	assert_int_equal(s.aio, VD_AIO_IO_URING);
	assert_string_equal(s.serial, "S-1");
	good("virtio,device2;path=/dev/vg/lv");
	assert_int_equal(s.format, VD_RAW);
	assert_false(s.readonly);
	assert_true(s.discard);
	assert_int_equal(s.queues, 2);
	good("virtio,device2;path=/dev/vg/lv;readonly=no;cache=writeback");
	assert_true(s.cached);
	assert_false(s.packed);
	good("virtio,device2;path=/dev/vg/lv;packed");
	assert_true(s.packed);
	wrong("virtio,device2", "no path: add ;path=/dev/... or the path of an image");
	wrong("virtio,device2;path=disk.img", "path=disk.img is not an absolute path: begin it with /");
	wrong("virtio,device2;path=", "path= is empty: give it a value");
	wrong("virtio,device2;path=/x;format=vmdk", "format=vmdk: give raw or qcow2");
	wrong("virtio,device2;path=/x;readonly=maybe", "readonly=maybe: give on or off");
	wrong("virtio,device2;path=/x;aio=fast", "aio=fast: give threads, native or io_uring");
	wrong("virtio,device2;path=/x;cache=unsafe", "cache=unsafe: give none or writeback");
	wrong("virtio,device2;path=/x;aio=native;cache=writeback", "aio=native needs cache=none: leave one of the two out");
	wrong("virtio,device2;path=/x;serial=123456789012345678901", "serial= is longer than 20 bytes: shorten it");
}

static void others(void **state)
{
	(void)state;
	good("virtio,device4");
	assert_int_equal(s.rate, 0);
	good("virtio,device4;rate=1024");
	assert_int_equal(s.rate, 1024);
	good("virtio,device3");
	wrong("virtio,device3;x", "x: a console device has no parameters: leave it out");
	good("virtio,device9;path=/srv;tag=share;readonly");
	assert_true(s.mapped);
	good("virtio,device9;path=/srv;tag=share;security=none");
	assert_false(s.mapped);
	wrong("virtio,device9;path=/srv", "no tag: add ;tag= and the name the guest mounts it by");
	wrong("virtio,device9;tag=t", "no path: add ;path= and the directory");
}

static void no_device(void **state)
{
	static char big[5000];

	(void)state;
	wrong("", "'': begin it with virtio,device and a number (1 net, 2 block, 3 console, 4 rng, 9 9p)");
	wrong("virtio", "'virtio': begin it with virtio,device and a number (1 net, 2 block, 3 console, 4 rng, 9 9p)");
	wrong("virtio,device", "'virtio,device': begin it with virtio,device and a number (1 net, 2 block, 3 console, 4 rng, 9 9p)");
	wrong("virtio,device1x", "'virtio,device1x': begin it with virtio,device and a number (1 net, 2 block, 3 console, 4 rng, 9 9p)");
	wrong("virtio,device-1", "'virtio,device-1': begin it with virtio,device and a number (1 net, 2 block, 3 console, 4 rng, 9 9p)");
	wrong("virtio,device16", "device16 is not supported: choose one of 1 net, 2 block, 3 console, 4 rng, 9 9p");
	wrong("virtio,device0", "device0 is not supported: choose one of 1 net, 2 block, 3 console, 4 rng, 9 9p");
	wrong("virtio,device33", "device33 is not supported: choose one of 1 net, 2 block, 3 console, 4 rng, 9 9p");
	wrong("virtio,device2;path=/a\nb", "a byte that is not printable ASCII: leave it out");
	memset(big, 'a', sizeof(big) - 1);
	wrong(big, "longer than 4096 bytes: shorten it");
}

static void disks(void **state)
{
	struct vd_disk_nodes n = { .params = "/dev/loop0", .mode = "w", .device_type = "disk", .discard = "1" };

	(void)state;
	assert_int_equal(vd_spec_disk(&n, &s, error), 0);
	assert_int_equal(s.type, VD_BLOCK);
	assert_string_equal(s.path, "/dev/loop0");
	assert_false(s.readonly);
	assert_true(s.discard);
	n.mode = "r";
	n.discard = "0";
	assert_int_equal(vd_spec_disk(&n, &s, error), 0);
	assert_true(s.readonly);
	assert_false(s.discard);
	n.mode = NULL;
	assert_int_equal(vd_spec_disk(&n, &s, error), 0);
	assert_true(s.readonly);
	n.device_type = "cdrom";
	assert_int_equal(vd_spec_disk(&n, &s, error), -EINVAL);
	assert_string_equal(error, "virtio has no CD drives: use access=ro, or leave specification=virtio out");
	n.params = "loop0";
	assert_int_equal(vd_spec_disk(&n, &s, error), -EINVAL);
	assert_string_equal(error, "target=loop0 is not an absolute path: begin it with /");
	n.params = NULL;
	assert_int_equal(vd_spec_disk(&n, &s, error), -EINVAL);
	assert_string_equal(error, "no target: add target=/dev/... to its disk line");
	n.params = "/dev/\x1b[2J";
	assert_int_equal(vd_spec_disk(&n, &s, error), -EINVAL);
}

static void names(void **state)
{
	struct vd_id id = { VD_KIND_DISK, 51712 };
	char buf[VD_ID_MAX], tap[IFNAMSIZ], what[128];
	uint32_t a, b;

	(void)state;
	assert_string_equal(vd_id_name(buf, id), "virtio_disk-51712");
	assert_string_equal(vd_id_show(buf, id), "virtio_disk/51712");
	assert_int_equal(vd_id_parse("virtio/7", &id), 0);
	assert_true(id.kind == VD_KIND_VIRTIO && id.devid == 7);
	assert_int_equal(vd_id_parse("virtio_disk-4294967295", &id), 0);
	assert_int_equal(id.devid, UINT32_MAX);
	assert_int_equal(vd_id_parse("virtio-0.dev", &id), -EINVAL);
	assert_int_equal(vd_id_parse("virtio", &id), -EINVAL);
	assert_int_equal(vd_id_parse("virtio-", &id), -EINVAL);
	assert_int_equal(vd_id_parse("vif-1", &id), -EINVAL);
	assert_int_equal(vd_id_parse("virtio-4294967296", &id), -EINVAL);
	assert_int_equal(vd_tap_name(tap, 32751, 9999999), 0);
	assert_string_equal(tap, "vx32751.9999999");
	assert_int_equal(vd_tap_name(tap, 32751, 10000000), -EINVAL);
	assert_int_equal(vd_net_parse("vx3.0", &a, &b), 0);
	assert_true(a == 3 && b == 0);
	assert_int_equal(vd_net_parse("vxlan0", &a, &b), -EINVAL);
	assert_int_equal(vd_net_parse("vx3", &a, &b), -EINVAL);
	assert_int_equal(vd_net_parse("vx3.0.1", &a, &b), -EINVAL);
	assert_int_equal(vd_net_parse("eth0", &a, &b), -EINVAL);
	/* trust-08: not the name that we would give it */
	assert_int_equal(vd_net_parse("vx03.0", &a, &b), -EINVAL);
	assert_int_equal(vd_net_parse("vx3.00", &a, &b), -EINVAL);
	assert_int_equal(vd_type_by_name("rng", 3), VD_RNG);
	assert_int_equal(vd_type_by_name("rn", 2), 0);
	good("virtio,device9;path=/srv;tag=t;readonly");
	assert_string_equal(vd_spec_what(&s, what, sizeof(what)), "/srv tag=t readonly");
}

static void units(void **state)
{
	uint32_t domid = 0;

	(void)state;
	assert_int_equal(unit_domid("xen-virtio-backend@3.service", &domid), 0);
	assert_int_equal(domid, 3);
	assert_int_equal(unit_domid("xen-virtio-backend@.service", &domid), -EINVAL);
	assert_int_equal(unit_domid("xen-virtio-backend@3x.service", &domid), -EINVAL);
	assert_int_equal(unit_domid("xen-virtio-backend@99999999999.service", &domid), -EINVAL);
	assert_int_equal(unit_domid("xen-virtio-backend@32752.service", &domid), -EINVAL);
	assert_int_equal(unit_domid("xen-virtiod.service", &domid), -EINVAL);
	assert_int_equal(unit_state_parse("active", "running"), VD_UNIT_RUNNING);
	assert_int_equal(unit_state_parse("activating", "start"), VD_UNIT_STARTING);
	assert_int_equal(unit_state_parse("activating", "auto-restart"), VD_UNIT_RESTARTING);
	assert_int_equal(unit_state_parse("activating", "auto-restart-queued"), VD_UNIT_RESTARTING);
	assert_int_equal(unit_state_parse("deactivating", "stop-sigterm"), VD_UNIT_STOPPING);
	assert_int_equal(unit_state_parse("failed", "failed"), VD_UNIT_FAILED);
	assert_int_equal(unit_state_parse("inactive", "dead"), VD_UNIT_INACTIVE);
}

static void events(void **state)
{
	static struct vd_events ev;

	(void)state;
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio", "dev");
	assert_true(ev.scan);
	vd_events_note(&ev, 0, "@releaseDomain", "release");
	assert_true(ev.release);
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio_disk/3/51712/state", "dev");
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio/130", "dev");
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio/130/0/online", "dev");
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio/99999", "dev");
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtio/x/0", "dev");
	vd_events_note(&ev, 0, "/local/domain/1/backend/virtio/7/0", "dev");
	vd_events_note(&ev, 0, "/local/domain/0/backend/virtiofs/7/0", "dev");
	assert_int_equal(domid_set_take(&ev.marked, 0), 3);
	assert_int_equal(domid_set_take(&ev.marked, 3), 130);
	assert_int_equal(domid_set_take(&ev.marked, 130), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(net), cmocka_unit_test(block), cmocka_unit_test(others),
		cmocka_unit_test(no_device), cmocka_unit_test(disks), cmocka_unit_test(names),
		cmocka_unit_test(units), cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
