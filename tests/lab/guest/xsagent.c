// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lab guest's side of guest_cmd: commands and their output travel through
 * xenstore, which every Xen guest has and which loses nothing.
 *
 * Relative to the guest's own home (data/ is writable by the guest):
 *   data/lab/ready   written by us: we are listening
 *   data/lab/cmd     "<tag> <shell command>", written by dom0
 *   data/lab/out/<n> output, base64, at most CHUNK bytes of it each
 *   data/lab/done    "<tag> <exit status> <number of chunks>"
 *
 * A restored guest gets a new, empty data/: its kernel registers our watch
 * again, which fires it, and "ready" is written again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { XS_READ = 2, XS_WATCH = 4, XS_WRITE = 11, XS_WATCH_EVENT = 15, XS_ERROR = 16 };

struct xs_msg {
	uint32_t type, req_id, tx_id, len;
};

#define XS_PAYLOAD_MAX	4096
#define CHUNK		1200	/* 1600 in base64: under xenstored's 2048 per node */
#define MAX_CHUNKS	400	/* xenstored allows a guest 1000 nodes */
#define OUTPUT		"/tmp/.lab-output"

static int xs_fd;
static int pending_event;

static int read_all(void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = read(xs_fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		len -= n;
	}
	return 0;
}

/* Receives one message; the payload is NUL-terminated. */
static int receive(struct xs_msg *m, char *payload)
{
	if (read_all(m, sizeof(*m)) < 0 || m->len > XS_PAYLOAD_MAX || read_all(payload, m->len) < 0)
		return -EIO;
	payload[m->len] = '\0';
	return 0;
}

/* Two-part request (path NUL, value); the reply's length or -errno. */
static int request(uint32_t type, const char *path, const char *value, size_t vlen, char *reply)
{
	char buf[sizeof(struct xs_msg) + XS_PAYLOAD_MAX];
	size_t plen = strlen(path) + 1;
	struct xs_msg m = { .type = type, .len = plen + vlen };

	if (plen + vlen > XS_PAYLOAD_MAX)
		return -E2BIG;
	memcpy(buf, &m, sizeof(m));
	memcpy(buf + sizeof(m), path, plen);
	memcpy(buf + sizeof(m) + plen, value, vlen);
	if (write(xs_fd, buf, sizeof(m) + m.len) != (ssize_t)(sizeof(m) + m.len))
		return -EIO;
	for (;;) {
		if (receive(&m, reply) < 0)
			return -EIO;
		if (m.type == XS_WATCH_EVENT) {
			pending_event = 1;
			continue;
		}
		return m.type == XS_ERROR ? -ENOENT : (int)m.len;
	}
}

static int xs_write(const char *path, const char *value, size_t len)
{
	char reply[XS_PAYLOAD_MAX + 1];

	return request(XS_WRITE, path, value, len, reply);
}

static size_t base64(const unsigned char *in, size_t len, char *out)
{
	static const char map[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t o = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = in[i] << 16;

		v |= i + 1 < len ? in[i + 1] << 8 : 0;
		v |= i + 2 < len ? in[i + 2] : 0;
		out[o++] = map[v >> 18 & 63];
		out[o++] = map[v >> 12 & 63];
		out[o++] = i + 1 < len ? map[v >> 6 & 63] : '=';
		out[o++] = i + 2 < len ? map[v & 63] : '=';
	}
	return o;
}

/* Runs the command with its output in a file; its exit status. */
static int run(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int out = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int in = open("/dev/null", O_RDONLY);

		if (out < 0 || in < 0)
			_exit(126);
		dup2(in, 0);
		dup2(out, 1);
		dup2(out, 2);
		close(xs_fd);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int send_output(void)
{
	unsigned char raw[CHUNK];
	char text[CHUNK / 3 * 4 + 4], path[64];
	int fd = open(OUTPUT, O_RDONLY), n, chunks = 0;

	if (fd < 0)
		return 0;
	while (chunks < MAX_CHUNKS && (n = read(fd, raw, sizeof(raw))) > 0) {
		snprintf(path, sizeof(path), "data/lab/out/%d", chunks);
		if (xs_write(path, text, base64(raw, n, text)) < 0)
			break;
		chunks++;
	}
	close(fd);
	return chunks;
}

static void handle_command(char *last, size_t last_size)
{
	char cmd[XS_PAYLOAD_MAX + 1], done[128], *space;
	int status, chunks;

	if (request(XS_READ, "data/lab/cmd", "", 0, cmd) <= 0) {
		xs_write("data/lab/ready", "1", 1);
		return;
	}
	space = strchr(cmd, ' ');
	if (!space || space - cmd >= (ptrdiff_t)last_size)
		return;
	*space = '\0';
	if (!strcmp(cmd, last))
		return;
	memcpy(last, cmd, space - cmd + 1);
	status = run(space + 1);
	chunks = send_output();
	snprintf(done, sizeof(done), "%s %d %d", last, status, chunks);
	xs_write("data/lab/done", done, strlen(done));
}

int main(void)
{
	char last[64] = "", payload[XS_PAYLOAD_MAX + 1];
	struct xs_msg m;

	xs_fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	if (xs_fd < 0) {
		perror("xsagent: /dev/xen/xenbus");
		return 1;
	}
	/* Token "lab"; both strings carry their NUL. */
	if (request(XS_WATCH, "data/lab/cmd", "lab", 4, payload) < 0) {
		fprintf(stderr, "xsagent: cannot watch data/lab/cmd\n");
		return 1;
	}
	pending_event = 1;
	for (;;) {
		while (pending_event) {
			pending_event = 0;
			handle_command(last, sizeof(last));
		}
		if (receive(&m, payload) < 0)
			return 1;
		if (m.type == XS_WATCH_EVENT)
			pending_event = 1;
	}
}
