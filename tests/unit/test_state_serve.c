// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/state/serve.c src/stubdom/state/disk.c src/stubdom/state/request.c src/stubdom/state/ring.c src/lib/state/header.c src/lib/base/sha256_sum.c src/lib/base/file.c tests/unit/fake_grants.c */
/* One transfer as xen-state-disk makes it: the test is daemon and stubdomain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256_sum.h"
#include "fake_grants.h"
#include "state/header.h"
#include "stubdom/state/serve.h"

#define LIMIT (1u << 20)
#define RING 1u
#define DATA 2u
#define QEVM "QEVM, and more of it"

static struct serve_opts opts;
static pthread_t helper;
static int sock, ret_of_serve;
static blkif_front_ring_t front;
static char line[SERVE_LINE_MAX + 1];
static bool refuse;		/* the next one does */

static void *run(void *arg)
{
	ret_of_serve = serve(arg);
	shutdown(opts.sock, SHUT_RDWR);
	return NULL;
}

static const char *hear(void)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&p, 1, 10000), 1);
	n = recv(sock, line, SERVE_LINE_MAX, 0);
	assert_true(n >= 0);
	line[n] = '\0';
	return line;
}

static void tell(const char *text)
{
	assert_int_equal(send(sock, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void begin(bool restore, const void *file, size_t len, uint64_t limit)
{
	int fds[2], fd = memfd_create("file", 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(write(fd, file, len), len);
	opts = (struct serve_opts){
		.sock = fds[1], .file = fd, .restore = restore, .refuse = refuse, .grants = fake_grants(),
	};
	sock = fds[0];
	assert_int_equal(disk_make(&opts.disk, STATE_DISK_SECTORS(limit)), 0);
	assert_int_equal(pthread_create(&helper, NULL, run, &opts), 0);
}

/* What serve() said in the end; @left: bytes of the file. */
static int end(off_t *left)
{
	struct stat st;

	assert_int_equal(pthread_join(helper, NULL), 0);
	assert_false(fake_mapped && !ret_of_serve && left);
	assert_int_equal(fstat(opts.file, &st), 0);
	if (left)
		*left = st.st_size;
	close(opts.file);
	close(opts.sock);
	close(sock);
	disk_free(&opts.disk);
	return ret_of_serve;
}

static void attach(void)
{
	SHARED_RING_INIT((blkif_sring_t *)fake_page[RING]);
	FRONT_RING_INIT(&front, (blkif_sring_t *)fake_page[RING], BLKIF_PAGE);
	tell("ring 1 7");
	assert_string_equal(hear(), "connected");
}

static int io(uint8_t op, uint64_t sector, const void *from, void *to, size_t len)
{
	struct blkif_request req = {
		.operation = op, .nr_segments = 1, .id = 3, .sector_number = sector,
		.seg = { { .gref = DATA, .first_sect = 0, .last_sect = 7 } },
	};
	volatile RING_IDX *done = &front.sring->rsp_prod;
	blkif_response_t rsp;

	memset(fake_page[DATA], 0, BLKIF_PAGE);
	if (from)
		memcpy(fake_page[DATA], from, len);
	memcpy(RING_GET_REQUEST(&front, front.req_prod_pvt), &req, sizeof(req));
	front.req_prod_pvt++;
	RING_PUSH_REQUESTS(&front);
	fake_grants_event();
	for (int i = 0; i < 10000 && *done == front.rsp_cons; i++)
		usleep(1000);
	xen_rmb();
	RING_COPY_RESPONSE(&front, front.rsp_cons, &rsp);
	front.rsp_cons++;
	if (to)
		memcpy(to, fake_page[DATA], len);
	return rsp.status;
}

static void header_of(const void *data, size_t len, struct state_disk_header *h)
{
	struct state_info i = { .length = len, .qemu = "10.0.13", .machine = "xenfv-4.2" };

	sha256_sum_of(data, len, i.sha256);
	state_header_make(&i, h);
}

static void a_save(void **state)
{
	struct state_disk_header h;
	char file[1024];
	off_t size;
	int fd;

	(void)state;
	begin(false, "", 0, LIMIT);
	assert_string_equal(hear(), "ready 0");
	attach();
	assert_int_equal(io(BLKIF_OP_WRITE, 128, QEVM, NULL, sizeof(QEVM)), 0);
	header_of(QEVM, sizeof(QEVM), &h);
	assert_int_equal(io(BLKIF_OP_WRITE, 0, &h, NULL, sizeof(h)), 0);
	fd = dup(opts.file);
	tell("finish");
	assert_string_equal(hear(), "saved 277");
	assert_string_equal(hear(), "");
	assert_int_equal(end(&size), 0);
	assert_int_equal(size, sizeof(QEVM) + sizeof(h));
	assert_int_equal(pread(fd, file, sizeof(file), 0), size);
	assert_memory_equal(file, QEVM, sizeof(QEVM));
	assert_memory_equal(file + sizeof(QEVM), &h, sizeof(h));
	close(fd);
}

static void a_save_that_is_not_complete(void **state)
{
	struct state_disk_header h;

	(void)state;
	begin(false, "", 0, LIMIT);
	hear();
	attach();
	assert_int_equal(io(BLKIF_OP_WRITE, 128, QEVM, NULL, sizeof(QEVM)), 0);
	tell("finish");
	assert_string_equal(hear(), "error there is no header: the state is not complete");
	assert_int_equal(end(NULL), -ENODATA);

	begin(false, "", 0, LIMIT);
	hear();
	attach();
	header_of(QEVM "x", sizeof(QEVM), &h);
	assert_int_equal(io(BLKIF_OP_WRITE, 128, QEVM, NULL, sizeof(QEVM)), 0);
	assert_int_equal(io(BLKIF_OP_WRITE, 0, &h, NULL, sizeof(h)), 0);
	tell("finish");
	assert_string_equal(hear(), "error the state is damaged: its SHA-256 is not that of its header");
	assert_int_equal(end(NULL), -EBADMSG);
}

/* What the stubdomain writes after "finish" is in nobody's file. */
static void a_state_that_is_changed_afterwards(void **state)
{
	struct state_disk_header h;

	(void)state;
	begin(false, "", 0, LIMIT);
	hear();
	attach();
	header_of(QEVM, sizeof(QEVM), &h);
	assert_int_equal(io(BLKIF_OP_WRITE, 128, QEVM, NULL, sizeof(QEVM)), 0);
	assert_int_equal(io(BLKIF_OP_WRITE, 0, &h, NULL, sizeof(h)), 0);
	tell("finish");
	memset(fake_page[DATA], 'x', BLKIF_PAGE);
	front.sring->req_prod += 5;
	fake_grants_event();
	assert_string_equal(hear(), "saved 277");
	assert_int_equal(end(NULL), 0);
}

static void a_file_that_cannot_be_written(void **state)
{
	struct state_disk_header h;

	(void)state;
	begin(false, "", 0, LIMIT);
	hear();
	attach();
	header_of(QEVM, sizeof(QEVM), &h);
	assert_int_equal(io(BLKIF_OP_WRITE, 128, QEVM, NULL, sizeof(QEVM)), 0);
	assert_int_equal(io(BLKIF_OP_WRITE, 0, &h, NULL, sizeof(h)), 0);
	fcntl(opts.file, F_ADD_SEALS, F_SEAL_WRITE);
	dup2(open("/dev/full", O_WRONLY), opts.file);
	tell("finish");
	assert_string_equal(hear(), "error No space left on device");
	assert_int_equal(end(NULL), -ENOSPC);
}

static void a_restore(void **state)
{
	char file[sizeof(QEVM) + sizeof(struct state_disk_header)], back[sizeof(QEVM)];
	struct state_disk_header h, got;

	(void)state;
	header_of(QEVM, sizeof(QEVM), &h);
	memcpy(file, QEVM, sizeof(QEVM));
	memcpy(file + sizeof(QEVM), &h, sizeof(h));
	begin(true, file, sizeof(file), sizeof(file));
	assert_string_equal(hear(), "ready 21");
	attach();
	assert_int_equal(io(BLKIF_OP_READ, 0, NULL, &got, sizeof(got)), 0);
	assert_memory_equal(&got, &h, sizeof(h));
	/* the disk ends with this sector */
	struct blkif_request req = {
		.operation = BLKIF_OP_READ, .nr_segments = 1, .sector_number = 128,
		.seg = { { .gref = DATA, .first_sect = 0, .last_sect = 0 } },
	};
	memcpy(RING_GET_REQUEST(&front, front.req_prod_pvt), &req, sizeof(req));
	front.req_prod_pvt++;
	RING_PUSH_REQUESTS(&front);
	fake_grants_event();
	for (int i = 0; i < 10000 && *(volatile RING_IDX *)&front.sring->rsp_prod == front.rsp_cons; i++)
		usleep(1000);
	front.rsp_cons++;
	memcpy(back, fake_page[DATA], sizeof(back));
	assert_memory_equal(back, QEVM, sizeof(QEVM));
	assert_int_equal(io(BLKIF_OP_WRITE, 0, "x", NULL, 1), BLKIF_RSP_ERROR);
	tell("finish");
	assert_string_equal(hear(), "");
	assert_int_equal(end(NULL), 0);
}

static void a_file_that_is_refused(void **state)
{
	char file[sizeof(QEVM) + sizeof(struct state_disk_header)];
	static const char big[1000] = QEVM;
	struct state_disk_header h;

	(void)state;
	header_of(QEVM, sizeof(QEVM), &h);
	memcpy(file, QEVM, sizeof(QEVM));
	memcpy(file + sizeof(QEVM), &h, sizeof(h));
	file[6] ^= 1;
	begin(true, file, sizeof(file), LIMIT);
	assert_string_equal(hear(), "error the state is damaged: its SHA-256 is not that of its header");
	assert_int_equal(end(NULL), -EBADMSG);
	begin(true, "", 0, LIMIT);
	assert_string_equal(hear(), "error this is no device state of QEMU");
	assert_int_equal(end(NULL), -EBADMSG);
	/* of a longer state than the disk could hold: the file is what is wrong */
	header_of(big, sizeof(big), &h);
	memcpy(file + sizeof(QEVM), &h, sizeof(h));
	begin(true, file, sizeof(file), sizeof(file));
	assert_string_equal(hear(), "error the file has 277 bytes, and its header asks for 1256");
	assert_int_equal(end(NULL), -EINVAL);
	/* by console: taken, and said so */
	begin(true, QEVM, sizeof(QEVM), LIMIT);
	assert_string_equal(hear(), "ready 0");
	tell("finish");
	assert_int_equal(end(NULL), 0);
	/* it grew since the daemon looked */
	begin(true, big, sizeof(big), 16);
	assert_string_equal(hear(), "error the file cannot be read: File too large");
	assert_int_equal(end(NULL), -EFBIG);
}

static void hostile_rings_and_words(void **state)
{
	(void)state;
	begin(false, "", 0, LIMIT);
	hear();
	attach();
	front.sring->req_prod = 1000;
	fake_grants_event();
	assert_string_equal(hear(), "error the stubdomain's ring is malformed");
	assert_int_equal(end(NULL), -EPROTO);
	begin(false, "", 0, LIMIT);
	hear();
	tell("ring 4000 7");
	assert_string_equal(hear(), "error the stubdomain's ring cannot be mapped: Invalid argument");
	assert_int_equal(end(NULL), -EINVAL);
	begin(false, "", 0, LIMIT);
	hear();
	tell("rung 1 2");
	assert_memory_equal(hear(), "error xen-state-disk does not know", 34);
	assert_int_equal(end(NULL), -EPROTO);
	/* the daemon dies */
	begin(false, "", 0, LIMIT);
	hear();
	attach();
	shutdown(sock, SHUT_RDWR);
	assert_int_equal(end(NULL), 0);
}

/* A ring with answered requests, one whose answer nobody was told about, and two without an answer. */
static void what_another_left(void **state)
{
	struct blkif_request req = { .operation = BLKIF_OP_WRITE, .nr_segments = 1, .id = 3, .seg = { { .gref = DATA, .last_sect = 7 } } };

	(void)state;
	refuse = true;
	begin(false, "", 0, LIMIT);
	refuse = false;
	hear();
	SHARED_RING_INIT((blkif_sring_t *)fake_page[RING]);
	FRONT_RING_INIT(&front, (blkif_sring_t *)fake_page[RING], BLKIF_PAGE);
	front.sring->rsp_prod = front.req_prod_pvt = 40;
	front.rsp_cons = 39;
	for (int i = 0; i < 2; i++)
		memcpy(RING_GET_REQUEST(&front, front.req_prod_pvt++), &req, sizeof(req));
	RING_PUSH_REQUESTS(&front);
	tell("ring 1 7");
	assert_string_equal(hear(), "connected");
	for (int i = 0; i < 10000 && *(volatile RING_IDX *)&front.sring->rsp_prod != 42; i++)
		usleep(1000);
	assert_int_equal(front.sring->rsp_prod, 42);
	assert_true(fake_notified > 0);
	for (front.rsp_cons = 40; front.rsp_cons < 42; front.rsp_cons++) {
		assert_int_equal(RING_GET_RESPONSE(&front, front.rsp_cons)->status, BLKIF_RSP_ERROR);
		assert_int_equal(RING_GET_RESPONSE(&front, front.rsp_cons)->id, 3);
	}
	assert_int_equal(io(BLKIF_OP_READ, 0, NULL, NULL, 0), BLKIF_RSP_ERROR);
	assert_int_equal(fake_copies, 0);
	shutdown(sock, SHUT_RDWR);
	assert_int_equal(end(NULL), 0);
}

static void lines_of_the_daemon(void **state)
{
	static const char *const bad[] = {
		"ring", "ring ", "ring 1", "ring 1 ", "ring  1 2", "ring 1 2 ", "ring -1 2", "ring 1 4294967296", "ring 1 2x",
	};
	uint32_t ref, port;

	(void)state;
	assert_int_equal(serve_parse_ring("ring 8 4294967295", &ref, &port), 0);
	assert_int_equal(ref, 8);
	assert_int_equal(port, UINT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(serve_parse_ring(bad[i], &ref, &port), -EINVAL);
}

static void sizes_of_a_disk(void **state)
{
	struct disk d;

	(void)state;
	assert_int_equal(disk_make(&d, 0), -EINVAL);
	assert_int_equal(disk_make(&d, 128), -EINVAL);
	assert_int_equal(disk_make(&d, UINT64_MAX), -EINVAL);
	assert_int_equal(disk_make(&d, 129), 0);
	assert_int_equal(ftruncate(d.fd, 0), -1);
	assert_int_equal(ftruncate(d.fd, 1 << 30), -1);
	disk_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_save), cmocka_unit_test(a_save_that_is_not_complete),
		cmocka_unit_test(a_state_that_is_changed_afterwards), cmocka_unit_test(a_file_that_cannot_be_written),
		cmocka_unit_test(a_restore), cmocka_unit_test(a_file_that_is_refused),
		cmocka_unit_test(hostile_rings_and_words), cmocka_unit_test(what_another_left), cmocka_unit_test(lines_of_the_daemon),
		cmocka_unit_test(sizes_of_a_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
