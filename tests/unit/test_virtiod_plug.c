// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/job.c src/virtio/daemon/argv.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: json-c libmnl */
/* Devices as arguments of QEMU and as commands to it. */
#include "virtiod_fixture.h"

#include <errno.h>

#include "virtio/daemon/argv.h"
#include "virtio/daemon/job.h"

static char text[8192];

static const struct vd_found nothing, a_device = { .dev = 0x700, .sectors = { 4096, 8192 } }, a_vhost = { .vhost = true };

/* Files 70, 71 ...: none of them is open. */
static struct vd_steps steps_of(const char *type, struct vd_id id, struct vd_found found, bool running)
{
	char error[VD_ERROR_MAX];
	struct vd_opened o;
	struct vd_steps st;
	struct vd_spec s;

	assert_int_equal(vd_spec_parse(type, &s, error), 0);
	o.n = vd_opened_count(&s, &found);
	for (unsigned int i = 0; i < o.n; i++)
		o.fd[i] = 70 + (int)i;
	assert_int_equal(vd_steps_make(&st, id, &s, &found, &o, running), 0);
	/* Now they are the steps'. */
	assert_true(!running || !o.n);
	return st;
}

/* One argument a line. */
static const char *arguments(const char *type, struct vd_id id, struct vd_found found)
{
	struct vd_steps st = steps_of(type, id, found, false);
	struct vd_argv a = { .v = NULL };

	assert_int_equal(vd_argv_steps(&a, &st), 0);
	text[0] = '\0';
	for (unsigned int i = 0; i < a.n; i++) {
		strcat(text, a.v[i]);
		strcat(text, i & 1 ? "\n" : " ");
	}
	assert_null(a.v[a.n]);
	vd_argv_free(&a);
	vd_steps_free(&st);
	return text;
}

static void base(void **state)
{
	struct vd_argv a = { .v = NULL };

	(void)state;
	assert_int_equal(vd_argv_base(&a, "/q", 3, "a,b", 8, 9), 0);
	text[0] = '\0';
	for (unsigned int i = 0; i < a.n; i++) {
		strcat(text, a.v[i]);
		strcat(text, " ");
	}
	assert_string_equal(text,
		"/q -M xen-virtio -accel xen -xen-attach -nodefaults -no-user-config -display none "
		"-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny "
		"-xen-domid 3 -name guest=a,,b "
		"-chardev socket,id=qmp,fd=8,server=on,wait=off "
		"-mon chardev=qmp,mode=control "
		"-chardev socket,id=events,fd=9,server=on,wait=off "
		"-mon chardev=events,mode=control ");
	vd_argv_free(&a);
}

static void a_disk(void **state)
{
	(void)state;
	assert_string_equal(arguments("virtio,device2;path=/dev/vg/web1;serial=S1", (struct vd_id){ VD_KIND_DISK, 51712 }, a_device),
		"-object {\"qom-type\":\"iothread\",\"id\":\"virtio_disk-51712.io\"}\n"
		"-add-fd fd=70,set=103425\n"
		"-blockdev {\"driver\":\"raw\",\"node-name\":\"virtio_disk-51712\",\"read-only\":false,\"discard\":\"unmap\",\"cache\":{\"direct\":true},"
		"\"file\":{\"driver\":\"host_device\",\"filename\":\"/dev/fdset/103425\",\"aio\":\"native\",\"locking\":\"off\"}}\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio_disk-51712\",\"kind\":\"virtio_disk\",\"devid\":51712}\n"
		"-device {\"driver\":\"virtio-blk-device\",\"id\":\"virtio_disk-51712.dev\",\"bus\":\"virtio_disk-51712.0\",\"drive\":\"virtio_disk-51712\","
		"\"iothread\":\"virtio_disk-51712.io\",\"num-queues\":2,\"serial\":\"S1\",\"logical_block_size\":4096,\"physical_block_size\":8192,\"rerror\":\"report\",\"werror\":\"report\"}\n");
	assert_string_equal(arguments("virtio,device2;path=/srv/\"x\".qcow2;format=qcow2;readonly;discard=off;cache=writeback;queues=1;aio=threads;packed",
				      (struct vd_id){ VD_KIND_VIRTIO, 1 }, nothing),
		"-object {\"qom-type\":\"iothread\",\"id\":\"virtio-1.io\"}\n"
		"-add-fd fd=70,set=2\n"
		"-blockdev {\"driver\":\"qcow2\",\"node-name\":\"virtio-1\",\"read-only\":true,\"discard\":\"ignore\",\"cache\":{\"direct\":false},"
		"\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/2\",\"aio\":\"threads\",\"locking\":\"off\"}}\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-1\",\"kind\":\"virtio\",\"devid\":1}\n"
		"-device {\"driver\":\"virtio-blk-device\",\"id\":\"virtio-1.dev\",\"bus\":\"virtio-1.0\",\"drive\":\"virtio-1\","
		"\"iothread\":\"virtio-1.io\",\"num-queues\":1,\"packed\":true,\"discard\":false,\"rerror\":\"report\",\"werror\":\"report\"}\n");
}

static void a_card(void **state)
{
	(void)state;
	assert_string_equal(arguments("virtio,device1;bridge=b;mac=00:16:3e:00:00:01;queues=4;mtu=9000;packed=on", (struct vd_id){ VD_KIND_VIRTIO, 0 }, nothing),
		"-netdev {\"type\":\"tap\",\"id\":\"virtio-0.net\",\"fds\":\"70:71:72:73\"}\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-0\",\"kind\":\"virtio\",\"devid\":0}\n"
		"-device {\"driver\":\"virtio-net-device\",\"id\":\"virtio-0.dev\",\"bus\":\"virtio-0.0\",\"netdev\":\"virtio-0.net\","
		"\"mac\":\"00:16:3e:00:00:01\",\"mq\":true,\"packed\":true,"
		"\"ctrl_rx\":false,\"ctrl_rx_extra\":false,\"ctrl_vlan\":false,\"ctrl_mac_addr\":false,\"ctrl_guest_offloads\":false,\"host_mtu\":9000}\n");
	/* A thread for each pair. */
	assert_string_equal(arguments("virtio,device1;bridge=b;mac=00:16:3e:00:00:01;queues=2", (struct vd_id){ VD_KIND_VIRTIO, 0 }, a_vhost),
		"-netdev {\"type\":\"tap\",\"id\":\"virtio-0.net\",\"fds\":\"70:71\",\"vhost\":true,\"vhostfds\":\"72:73\"}\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-0\",\"kind\":\"virtio\",\"devid\":0,\"relays\":2}\n"
		"-device {\"driver\":\"virtio-net-device\",\"id\":\"virtio-0.dev\",\"bus\":\"virtio-0.0\",\"netdev\":\"virtio-0.net\","
		"\"mac\":\"00:16:3e:00:00:01\",\"mq\":true,"
		"\"ctrl_rx\":false,\"ctrl_rx_extra\":false,\"ctrl_vlan\":false,\"ctrl_mac_addr\":false,\"ctrl_guest_offloads\":false}\n");
}

static void other_devices(void **state)
{
	struct vd_id id = { VD_KIND_VIRTIO, 2 };

	(void)state;
	assert_string_equal(arguments("virtio,device4;rate=4096", id, nothing),
		"-object {\"qom-type\":\"rng-random\",\"id\":\"virtio-2.rng\",\"filename\":\"/dev/urandom\"}\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-2\",\"kind\":\"virtio\",\"devid\":2}\n"
		"-device {\"driver\":\"virtio-rng-device\",\"id\":\"virtio-2.dev\",\"bus\":\"virtio-2.0\",\"rng\":\"virtio-2.rng\",\"max-bytes\":4096,\"period\":1000}\n");
	assert_string_equal(arguments("virtio,device3", id, nothing),
		"-chardev socket,id=virtio-2.chr,fd=70,server=on,wait=off\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-2\",\"kind\":\"virtio\",\"devid\":2}\n"
		"-device {\"driver\":\"virtio-serial-device\",\"id\":\"virtio-2.dev\",\"bus\":\"virtio-2.0\"}\n"
		"-device {\"driver\":\"virtconsole\",\"id\":\"virtio-2.con\",\"bus\":\"virtio-2.dev.0\",\"chardev\":\"virtio-2.chr\"}\n");
	assert_string_equal(arguments("virtio,device9;path=/srv/a,b;tag=t;readonly", id, nothing),
		"-fsdev local,id=virtio-2.fs,path=/srv/a,,b,security_model=mapped-xattr,multidevs=remap,readonly=on\n"
		"-device {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-2\",\"kind\":\"virtio\",\"devid\":2}\n"
		"-device {\"driver\":\"virtio-9p-device\",\"id\":\"virtio-2.dev\",\"bus\":\"virtio-2.0\",\"fsdev\":\"virtio-2.fs\",\"mount_tag\":\"t\"}\n");
}

/* What QEMU is told while it runs, one command a line with the file that goes with it. */
static const char *commands(const char *type, struct vd_id id, struct vd_found found)
{
	struct vd_steps st = steps_of(type, id, found, true);
	struct vd_job j;

	text[0] = '\0';
	vd_job_init(&j, VD_JOB_PLUG, id, &st);
	while (!vd_job_done(&j)) {
		struct json_object *args;
		size_t n = strlen(text);
		int fd;
		const char *c = vd_job_next(&j, &args, &fd);

		snprintf(text + n, sizeof(text) - n, "%s %s %d\n", c,
			 json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), fd);
		json_object_put(args);
		vd_job_reply(&j, NULL);
	}
	vd_job_free(&j);
	return text;
}

static void files_of_a_running_one(void **state)
{
	struct vd_id id = { VD_KIND_VIRTIO, 2 };

	(void)state;
	assert_non_null(strstr(commands("virtio,device2;path=/dev/vg/web1", id, a_device),
		"add-fd {\"fdset-id\":4} 70\n"
		"blockdev-add {\"driver\":\"raw\",\"node-name\":\"virtio-2\",\"read-only\":false,\"discard\":\"unmap\",\"cache\":{\"direct\":true},"
		"\"file\":{\"driver\":\"host_device\",\"filename\":\"/dev/fdset/4\",\"aio\":\"native\",\"locking\":\"off\"}} -1\n"));
	assert_non_null(strstr(commands("virtio,device1;bridge=b;mac=00:16:3e:00:00:01", id, a_vhost),
		"getfd {\"fdname\":\"virtio-2.fd0\"} 70\n"
		"getfd {\"fdname\":\"virtio-2.fd1\"} 71\n"
		"netdev_add {\"type\":\"tap\",\"id\":\"virtio-2.net\",\"fds\":\"virtio-2.fd0\",\"vhost\":true,\"vhostfds\":\"virtio-2.fd1\"} -1\n"));
	assert_non_null(strstr(commands("virtio,device3", id, nothing),
		"getfd {\"fdname\":\"virtio-2.fd0\"} 70\n"
		"chardev-add {\"id\":\"virtio-2.chr\",\"backend\":{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"fd\",\"data\":{\"str\":\"virtio-2.fd0\"}},"
		"\"server\":true,\"wait\":false}}} -1\n"));
}

static void numbers_of_sets(void **state)
{
	(void)state;
	assert_int_equal(vd_id_fdset((struct vd_id){ VD_KIND_VIRTIO, 0 }), 0);
	assert_int_equal(vd_id_fdset((struct vd_id){ VD_KIND_DISK, 0 }), 1);
	assert_int_equal(vd_id_fdset((struct vd_id){ VD_KIND_DISK, INT32_MAX / 2 }), INT32_MAX);
	assert_int_equal(vd_id_fdset((struct vd_id){ VD_KIND_VIRTIO, INT32_MAX / 2 + 1 }), -EINVAL);
}

/* What is not as many as the device needs is no device's. */
static void files_do_not_fit(void **state)
{
	struct vd_opened o = { .n = 0 };
	char error[VD_ERROR_MAX];
	struct vd_steps st;
	struct vd_spec s;

	(void)state;
	assert_int_equal(vd_spec_parse("virtio,device2;path=/x", &s, error), 0);
	assert_int_equal(vd_steps_make(&st, (struct vd_id){ VD_KIND_DISK, 1 }, &s, &nothing, &o, true), -EINVAL);
	vd_steps_free(&st);
	assert_false(vd_steps_cold(&s));
	assert_int_equal(vd_spec_parse("virtio,device9;path=/srv;tag=t", &s, error), 0);
	assert_true(vd_steps_cold(&s));
	assert_int_equal(vd_opened_count(&s, &nothing), 0);
}

static const char *next(struct vd_job *j)
{
	struct json_object *args = NULL;
	int fd;
	const char *c = vd_job_next(j, &args, &fd);

	snprintf(text, sizeof(text), "%s %s", c ? c : "-",
		 c ? json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN) : "");
	json_object_put(args);
	return text;
}

static void plug(void **state)
{
	struct vd_steps st = steps_of("virtio,device4", (struct vd_id){ VD_KIND_VIRTIO, 0 }, nothing, true);
	struct vd_job j;

	(void)state;
	vd_job_init(&j, VD_JOB_PLUG, (struct vd_id){ VD_KIND_VIRTIO, 0 }, &st);
	assert_int_equal(st.n, 0);
	for (int i = 0; i < 3; i++) {
		assert_false(vd_job_done(&j));
		assert_string_not_equal(next(&j), "- ");
		/* One at a time. */
		assert_string_equal(next(&j), "- ");
		vd_job_reply(&j, NULL);
	}
	assert_true(vd_job_done(&j));
	assert_string_equal(next(&j), "- ");
	assert_string_equal(j.error, "");
	/* What nobody asked for changes nothing. */
	vd_job_reply(&j, "late");
	assert_true(vd_job_done(&j));
	vd_job_free(&j);
}

static void unplug(void **state)
{
	struct vd_job j;
	int n = 0;

	(void)state;
	vd_job_init(&j, VD_JOB_UNPLUG, (struct vd_id){ VD_KIND_VIRTIO, 0 }, NULL);
	assert_string_equal(next(&j), "device_del {\"id\":\"virtio-0.con\"}");
	vd_job_reply(&j, "Device 'virtio-0.con' not found");
	assert_string_equal(next(&j), "device_del {\"id\":\"virtio-0.dev\"}");
	vd_job_reply(&j, NULL);
	/* It is not gone before QEMU says so. */
	assert_string_equal(next(&j), "- ");
	vd_job_deleted(&j, "virtio-1.dev");
	assert_string_equal(next(&j), "- ");
	vd_job_deleted(&j, "virtio-0.dev");
	assert_string_equal(next(&j), "device_del {\"id\":\"virtio-0\"}");
	/* The word may come before the answer. */
	vd_job_deleted(&j, "virtio-0");
	assert_string_equal(next(&j), "- ");
	vd_job_reply(&j, NULL);
	while (!vd_job_done(&j)) {
		assert_string_not_equal(next(&j), "- ");
		vd_job_reply(&j, n++ & 1 ? "no" : NULL);
	}
	assert_int_equal(n, 6);
	assert_string_equal(j.error, "");
	vd_job_free(&j);
}

static void plug_fails(void **state)
{
	struct vd_steps st = steps_of("virtio,device4", (struct vd_id){ VD_KIND_VIRTIO, 0 }, nothing, true);
	struct vd_job j;

	(void)state;
	vd_job_init(&j, VD_JOB_PLUG, (struct vd_id){ VD_KIND_VIRTIO, 0 }, &st);
	next(&j);
	vd_job_reply(&j, "could not open\n'/dev/urandom'");
	assert_string_equal(j.error, "could not open?'/dev/urandom'");
	assert_false(vd_job_done(&j));
	for (int i = 0; i < 9; i++) {
		assert_string_not_equal(next(&j), "- ");
		vd_job_reply(&j, "no such thing");
	}
	assert_true(vd_job_done(&j));
	assert_string_equal(j.error, "could not open?'/dev/urandom'");
	vd_job_free(&j);
}

/* What fails leaves the disk as it was. */
static void resize(void **state)
{
	struct vd_id id = { VD_KIND_DISK, 51712 };
	struct vd_steps st;
	struct vd_job j;

	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		assert_int_equal(vd_steps_resize(&st, id, 1 << 20), 0);
		vd_job_init(&j, VD_JOB_RESIZE, id, &st);
		assert_string_equal(next(&j), "block_resize {\"node-name\":\"virtio_disk-51712\",\"size\":1048576}");
		assert_string_equal(next(&j), "- ");
		vd_job_reply(&j, fails ? "Cannot grow device files" : NULL);
		assert_true(vd_job_done(&j));
		assert_string_equal(next(&j), "- ");
		assert_string_equal(j.error, fails ? "Cannot grow device files" : "");
		vd_job_free(&j);
	}
	assert_int_equal(vd_steps_resize(&st, id, UINT64_MAX), -EINVAL);
	vd_steps_free(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base), cmocka_unit_test(a_disk), cmocka_unit_test(a_card),
		cmocka_unit_test(other_devices), cmocka_unit_test(plug), cmocka_unit_test(unplug),
		cmocka_unit_test(plug_fails), cmocka_unit_test(resize), cmocka_unit_test(files_of_a_running_one),
		cmocka_unit_test(numbers_of_sets), cmocka_unit_test(files_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
