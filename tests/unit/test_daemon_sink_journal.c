// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/daemon/sink_journal.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/sink_journal.h"

static char sent[4096];
static int answer;

/* libsystemd's, for this test: each field on a line. */
int sd_journal_sendv(const struct iovec *iov, int n);
int sd_journal_sendv(const struct iovec *iov, int n)
{
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		assert_true(at + iov[i].iov_len + 2 < sizeof(sent));
		memcpy(sent + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
		sent[at++] = '\n';
	}
	sent[at] = '\0';
	return answer;
}

static int setup(void **state)
{
	(void)state;
	sent[0] = '\0';
	answer = 0;
	log_open("xen-stubdomd", log_sink_journal, LOG_INFO);
	return 0;
}

static void fields(void **state)
{
	struct log_about about = { .guest = "web1", .domid = 4, .stubdom = 5 };

	(void)state;
	log_err(&about, "broken: %s", "x=y");
	assert_string_equal(sent, "PRIORITY=3\nSYSLOG_IDENTIFIER=xen-stubdomd\nXEN_GUEST=web1\n"
			    "XEN_DOMID=4\nXEN_STUBDOM=5\nMESSAGE=guest web1: broken: x=y\n");
}

static void unknown_is_left_out(void **state)
{
	struct log_about about = { .guest = NULL, .domid = -1, .stubdom = 5 };

	(void)state;
	log_info(&about, "here");
	assert_string_equal(sent, "PRIORITY=6\nSYSLOG_IDENTIFIER=xen-stubdomd\nXEN_STUBDOM=5\nMESSAGE=here\n");
	log_info(NULL, "there");
	assert_string_equal(sent, "PRIORITY=6\nSYSLOG_IDENTIFIER=xen-stubdomd\nMESSAGE=there\n");
}

static void bounded(void **state)
{
	char big[3000];
	struct log_about about = { .guest = big, .domid = 1, .stubdom = 2 };

	(void)state;
	memset(big, 'n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info(&about, "%s", big);
	assert_true(strlen(sent) < 1600);
	assert_non_null(strstr(sent, "\nXEN_DOMID=1\n"));
	assert_non_null(strstr(sent, "\nMESSAGE=guest nnn"));
}

static void falls_back_to_stderr(void **state)
{
	char path[] = "/tmp/sink-journal-test-XXXXXX", text[200] = "";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	answer = -ECONNREFUSED;
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	log_err(NULL, "not lost");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	close(fd);
	assert_string_equal(text, "xen-stubdomd: error: not lost\n");
}

static void wanted_only_under_the_journal(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_false(log_journal_wanted());
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(log_journal_wanted());
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_journal_wanted());
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_false(log_journal_wanted());
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fields, setup),
		cmocka_unit_test_setup(unknown_is_left_out, setup),
		cmocka_unit_test_setup(bounded, setup),
		cmocka_unit_test_setup(falls_back_to_stderr, setup),
		cmocka_unit_test_setup(wanted_only_under_the_journal, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
