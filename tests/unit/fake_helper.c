// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_helper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_helper fake_helper = { .file = -1 };

#define REFUSER 1000000		/* no descriptor */

static int sock = -1;		/* the helper's end */
/* Those of the ones before, which still run and say nothing. */
static int older[64];
static unsigned int n_older;

void fake_helper_die(void)
{
	if (sock >= 0)
		close(sock);
	sock = -1;
	fake_helper.running = false;
}

void fake_helper_reset(void)
{
	fake_helper_die();
	while (n_older)
		close(older[--n_older]);
	if (fake_helper.file >= 0)
		close(fake_helper.file);
	fake_helper = (struct fake_helper){ .file = -1 };
}

void fake_helper_say(const char *line)
{
	if (send(sock, line, strlen(line), MSG_NOSIGNAL) < 0)
		fake_helper_die();
}

int helper_start(struct helper *h, bool restore, uint32_t stub, uint64_t sectors, int file)
{
	unsigned int n = fake_helper.started + 1;
	int fds[2], fail = fake_helper.fail_start;

	if (fail)
		return fail;
	if (sock >= 0 && n_older < sizeof(older) / sizeof(older[0]))
		older[n_older++] = sock;
	if (fake_helper.file >= 0)
		close(fake_helper.file);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return -errno;
	sock = fds[1];
	h->sock = fds[0];
	fake_helper = (struct fake_helper){
		.running = true, .restore = restore, .stub = stub, .sectors = sectors,
		.file = dup(file), .started = n,
		.refusing = fake_helper.refusing, .ref = fake_helper.ref, .port = fake_helper.port,
	};
	return 0;
}

int helper_refuse(struct helper *h, uint32_t stub, uint32_t ref, uint32_t port)
{
	(void)stub;
	h->sock = REFUSER;
	fake_helper.refusing = true;
	fake_helper.ref = ref;
	fake_helper.port = port;
	return 0;
}

void helper_reap(void)
{
}

void helper_end(struct helper *h)
{
	char c;

	if (h->sock < 0)
		return;
	if (h->sock == REFUSER) {
		fake_helper.refusing = false;
		h->sock = -1;
		return;
	}
	close(h->sock);
	h->sock = -1;
	/* Only the last one is the fake's own. */
	if (sock >= 0 && !recv(sock, &c, 1, MSG_DONTWAIT | MSG_PEEK))
		fake_helper_die();
}

int helper_say(const struct helper *h, const char *line)
{
	strncpy(fake_helper.told, line, sizeof(fake_helper.told) - 1);
	return h->sock < 0 || sock < 0 ? -EPIPE : 0;
}

int helper_hear(const struct helper *h, char line[HELPER_LINE_MAX + 1])
{
	ssize_t n = recv(h->sock, line, HELPER_LINE_MAX, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : 0;
	line[n] = '\0';
	return (int)n;
}
