// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/qmp_msg.c src/lib/qmp/stream.c */
/* test-pkgs: json-c */
/* The broker's state machine, fed with bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "stubdom/init/qmp_msg.h"

#define GREETING "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 13, \"minor\": 0, \"major\": 10}, " \
		 "\"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define GREETING_OUT "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":13,\"minor\":0,\"major\":10}," \
		 "\"package\":\"Debian\"},\"capabilities\":[]}}\r\n"

static struct qmp_relay r;

/* What went out since the last call, as a string. */
static const char *drain(struct qmp_buf *b)
{
	static char text[256 * 1024];
	size_t n = b->len - b->head;

	assert_true(n < sizeof(text));
	if (n)
		memcpy(text, qmp_buf_data(b), n);
	text[n] = '\0';
	qmp_buf_take(b, n);
	return text;
}

#define to_client() drain(&r.to_client)
#define to_qemu() drain(&r.to_qemu)

static void client(const char *s)
{
	assert_int_equal(qmp_relay_from_client(&r, s, strlen(s)), 0);
}

static void qemu(const char *s)
{
	assert_int_equal(qmp_relay_from_qemu(&r, s, strlen(s)), 0);
}

static int setup(void **state)
{
	(void)state;
	return qmp_relay_init(&r);
}

static int teardown(void **state)
{
	(void)state;
	qmp_relay_free(&r);
	return 0;
}

/* QEMU is there and ready. */
static int setup_ready(void **state)
{
	if (setup(state))
		return -1;
	qemu(GREETING);
	if (strcmp(to_qemu(), "{\"execute\":\"qmp_capabilities\",\"id\":\"xe-caps\"}\r\n"))
		return -1;
	qemu("{\"return\": {}, \"id\": \"xe-caps\"}\r\n");
	return 0;
}

/* ... and a client that has negotiated. */
static int setup_client(void **state)
{
	if (setup_ready(state))
		return -1;
	qmp_relay_attach(&r);
	to_client();
	client("{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n");
	return strcmp(to_client(), "{\"return\":{},\"id\":1}\r\n");
}

static void greeting_waits_for_qemu(void **state)
{
	(void)state;
	qmp_relay_attach(&r);
	assert_string_equal(to_client(), "");
	qemu(GREETING);
	assert_string_equal(to_client(), "");
	to_qemu();
	qemu("{\"return\": {}, \"id\": \"xe-caps\"}");
	/* out-of-band execution is ours to refuse */
	assert_string_equal(to_client(), GREETING_OUT);
}

static void each_session_is_greeted(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		qmp_relay_attach(&r);
		assert_string_equal(to_client(), GREETING_OUT);
		client("{\"execute\":\"qmp_capabilities\",\"id\":7}");
		assert_string_equal(to_client(), "{\"return\":{},\"id\":7}\r\n");
		/* QEMU has heard it once, from us */
		assert_string_equal(to_qemu(), "");
		qmp_relay_detach(&r);
	}
}

static void before_negotiation(void **state)
{
	(void)state;
	qmp_relay_attach(&r);
	to_client();
	client("{\"execute\":\"stop\",\"id\":1}");
	assert_non_null(strstr(to_client(), "\"class\":\"CommandNotFound\""));
	assert_string_equal(to_qemu(), "");
	qemu("{\"event\":\"STOP\"}");
	assert_string_equal(to_client(), "");
	client("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}");
	assert_non_null(strstr(to_client(), "GenericError"));
	client("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]}}");
	assert_string_equal(to_client(), "{\"return\":{}}\r\n");
	client("{\"execute\":\"qmp_capabilities\"}");
	assert_non_null(strstr(to_client(), "already complete"));
}

static void ids_are_rewritten(void **state)
{
	(void)state;
	client("{\"execute\":\"stop\",\"id\":42}\r\n{\"execute\":\"cont\"}\r\n"
	       "{\"id\":{\"a\":[1]},\"execute\":\"query-status\",\"arguments\":{\"x\":\"/\\u00e4\"}}");
	assert_string_equal(to_qemu(),
		"{\"execute\":\"stop\",\"id\":\"xe-1\"}\r\n"
		"{\"execute\":\"cont\",\"id\":\"xe-2\"}\r\n"
		"{\"id\":\"xe-3\",\"execute\":\"query-status\",\"arguments\":{\"x\":\"/\xc3\xa4\"}}\r\n");
	/* in any order */
	qemu("{\"return\": {\"n\": 1.50}, \"id\": \"xe-3\"}\r\n");
	assert_string_equal(to_client(), "{\"return\":{\"n\":1.50},\"id\":{\"a\":[1]}}\r\n");
	qemu("{\"id\": \"xe-1\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n");
	assert_string_equal(to_client(),
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"},\"id\":42}\r\n");
	qemu("{\"return\": {}, \"id\": \"xe-2\"}\r\n");
	assert_string_equal(to_client(), "{\"return\":{}}\r\n");
	/* twice is once too often */
	qemu("{\"return\": {}, \"id\": \"xe-2\"}\r\n");
	assert_string_equal(to_client(), "");
	assert_int_equal(r.bad_qemu, 1);
}

static void null_id_comes_back(void **state)
{
	(void)state;
	client("{\"execute\":\"stop\",\"id\":null}");
	to_qemu();
	qemu("{\"return\": {}, \"id\": \"xe-1\"}");
	assert_string_equal(to_client(), "{\"return\":{},\"id\":null}\r\n");
}

static void late_replies_are_dropped(void **state)
{
	(void)state;
	client("{\"execute\":\"stop\",\"id\":1}");
	to_qemu();
	qmp_relay_detach(&r);
	qmp_relay_attach(&r);
	to_client();
	client("{\"execute\":\"qmp_capabilities\",\"id\":1}{\"execute\":\"cont\",\"id\":1}");
	to_client();
	qemu("{\"return\": {\"for\": \"the first\"}, \"id\": \"xe-1\"}\r\n");
	assert_string_equal(to_client(), "");
	assert_int_equal(r.late_replies, 1);
	qemu("{\"return\": {}, \"id\": \"xe-2\"}\r\n");
	assert_string_equal(to_client(), "{\"return\":{},\"id\":1}\r\n");
}

/* Half a command of a client that left must not become part of the next. */
static void half_a_message_is_forgotten(void **state)
{
	(void)state;
	client("{\"execute\":\"system_reset\",\"arg");
	qmp_relay_detach(&r);
	qmp_relay_attach(&r);
	to_client();
	client("{\"execute\":\"qmp_capabilities\"}");
	assert_string_equal(to_client(), "{\"return\":{}}\r\n");
	assert_string_equal(to_qemu(), "");
}

static void events(void **state)
{
	(void)state;
	qemu("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n");
	assert_string_equal(to_client(),
		"{\"timestamp\":{\"seconds\":1,\"microseconds\":2},\"event\":\"STOP\"}\r\n");
	qmp_relay_detach(&r);
	qemu("{\"event\": \"STOP\"}");
	assert_string_equal(to_client(), "");
}

static void an_event_flood_is_dropped(void **state)
{
	static char big[2000];

	(void)state;
	snprintf(big, sizeof(big), "{\"event\":\"X\",\"data\":\"%01900d\"}", 0);
	for (int i = 0; i < 1000; i++)
		qemu(big);
	assert_true(r.events_dropped > 900);
	assert_true(r.to_client.len <= QMP_EVENTS_MAX + sizeof(big));
	/* an answer still gets through */
	client("{\"execute\":\"stop\",\"id\":5}");
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	assert_non_null(strstr(to_client(), "{\"return\":{},\"id\":5}"));
	assert_false(r.ignored);
}

/* A client that asks for big answers and reads none is ignored until it leaves. */
static void answers_not_read(void **state)
{
	size_t len = QMP_QEMU_MSG_MAX - 100;
	char *big = malloc(len + 100), cmd[64];

	(void)state;
	for (int i = 1; i < 5; i++) {
		client("{\"execute\":\"query\"}");
		sprintf(cmd, "{\"id\":\"xe-%d\",\"return\":\"", i);
		memset(big, 'a', len);
		memcpy(big, cmd, strlen(cmd));
		memcpy(big + len, "\"}", 3);
		qemu(big);
	}
	assert_true(r.ignored);
	assert_true(r.to_client.len < 4 * (size_t)QMP_QEMU_MSG_MAX);
	free(big);
	to_qemu();
	client("{\"execute\":\"system_reset\"}");
	assert_string_equal(to_qemu(), "");
	qmp_relay_attach(&r);
	assert_false(r.ignored);
	assert_string_equal(to_client(), GREETING_OUT);
}

/* Junk costs an answer a line: they must not fill the stubdomain. */
static void a_junk_flood(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		client("junk\n");
	assert_true(r.ignored);
	assert_true(r.to_client.len <= QMP_EVENTS_MAX + 200);
	assert_string_equal(to_qemu(), "");
	qmp_relay_attach(&r);
	assert_string_equal(to_client(), GREETING_OUT);
}

/* QEMU reads nothing: what waits for it has an end. */
static void a_command_flood(void **state)
{
	static char big[QMP_CLIENT_MSG_MAX - 100];

	(void)state;
	snprintf(big, sizeof(big), "{\"execute\":\"x\",\"arguments\":{\"a\":\"%0*d\"}}", (int)sizeof(big) - 60, 0);
	for (int i = 0; i < QMP_PENDING_MAX; i++)
		client(big);
	assert_true(r.to_qemu.len > QMP_CLIENT_MSG_MAX);
	assert_true(r.to_qemu.len < 3 * QMP_CLIENT_MSG_MAX);
	assert_non_null(strstr(to_client(), "Too many commands"));
}

static void junk_from_the_client(void **state)
{
	static const char *const junk[] = {
		"hello\n", "[1,2]\n", "42\n", "null\n", "{\"a\":}\n", "{]\n",
		"{'execute':'stop'}\n", "{\"execute\":\"stop\" \"id\":1}\n",
		"\xff\xfe\n", "}\n", "\x01\n",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		client(junk[i]);
		assert_string_equal(to_client(),
			"{\"error\":{\"class\":\"GenericError\",\"desc\":\"JSON parse error\"}}\r\n");
	}
	assert_string_equal(to_qemu(), "");
	/* the next line is good again */
	client("{\"execute\":\"stop\"}\r\n");
	assert_string_equal(to_qemu(), "{\"execute\":\"stop\",\"id\":\"xe-1\"}\r\n");
}

static void objects_that_are_no_commands(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"id\":3}", "{\"execute\":1}", "{\"execute\":null}",
		"{\"exec-oob\":\"stop\"}", "{\"return\":{}}", "{\"QMP\":{}}",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		client(bad[i]);
		assert_non_null(strstr(to_client(), "QMP input lacks member 'execute'"));
		assert_string_equal(to_qemu(), "");
	}
}

static void a_long_message_is_refused(void **state)
{
	char *big = malloc(2 * QMP_CLIENT_MSG_MAX);

	(void)state;
	memset(big, 'a', 2 * QMP_CLIENT_MSG_MAX);
	memcpy(big, "{\"execute\":\"", 12);
	big[2 * QMP_CLIENT_MSG_MAX - 2] = '\n';
	big[2 * QMP_CLIENT_MSG_MAX - 1] = '\0';
	client(big);
	assert_string_equal(to_client(),
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"Message too long\"}}\r\n");
	client("{\"execute\":\"stop\"}\r\n");
	assert_string_equal(to_qemu(), "{\"execute\":\"stop\",\"id\":\"xe-1\"}\r\n");
	free(big);
}

static void deep_nesting_is_refused(void **state)
{
	char deep[1000];

	(void)state;
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"execute\":", 11);
	deep[sizeof(deep) - 2] = '\n';
	deep[sizeof(deep) - 1] = '\0';
	client(deep);
	assert_non_null(strstr(to_client(), "JSON parse error"));
}

static void byte_by_byte(void **state)
{
	static const char cmd[] = " \r\n{\"execute\":\"stop\",\"id\":\"}{\"}";

	(void)state;
	for (unsigned int i = 0; i < sizeof(cmd) - 1; i++)
		assert_int_equal(qmp_relay_from_client(&r, cmd + i, 1), 0);
	assert_string_equal(to_qemu(), "{\"execute\":\"stop\",\"id\":\"xe-1\"}\r\n");
}

static void too_many_commands(void **state)
{
	(void)state;
	for (int i = 0; i < QMP_PENDING_MAX; i++)
		client("{\"execute\":\"stop\"}");
	assert_string_equal(to_client(), "");
	client("{\"execute\":\"stop\",\"id\":\"last\"}");
	assert_string_equal(to_client(),
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"Too many commands without an answer\"},\"id\":\"last\"}\r\n");
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	to_client();
	client("{\"execute\":\"stop\"}");
	assert_string_equal(to_client(), "");
}

static void not_a_qemu(void **state)
{
	static const char *const bad[] = {
		"SSH-2.0", "{\"return\":{}}", "{\"event\":\"X\"}", "{\"QMP\":1}", "[]",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(qmp_relay_from_qemu(&r, bad[i], strlen(bad[i])), -EPROTO);
		qmp_relay_free(&r);
		qmp_relay_init(&r);
	}
	qemu(GREETING);
	assert_int_equal(qmp_relay_from_qemu(&r, GREETING, strlen(GREETING)), -EPROTO);
}

static void unsolicited_replies(void **state)
{
	static const char *const odd[] = {
		"{\"return\":{}}", "{\"return\":{},\"id\":1}", "{\"return\":{},\"id\":\"\"}",
		"{\"return\":{},\"id\":\"xe-0\"}", "{\"return\":{},\"id\":\"xe-99\"}",
		"{\"return\":{},\"id\":\"xe--1\"}", "{\"return\":{},\"id\":\"xe-\"}",
		"{}", "{\"error\":1}",
	};

	(void)state;
	client("{\"execute\":\"stop\"}");
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		qemu(odd[i]);
	assert_string_equal(to_client(), "");
	assert_int_equal(r.bad_qemu, sizeof(odd) / sizeof(odd[0]));
}

#define SAVE "{\"execute\":\"xen-save-devices-state\",\"id\":9,\"arguments\":" \
	     "{\"filename\":\"/dev/fdset/1\",\"live\":false}}"

/* QEMU gets the command when there is a way for the state. */
static void go(const char *file)
{
	assert_string_equal(to_qemu(), "");
	assert_int_equal(qmp_relay_save_go(&r, file), 0);
	assert_null(r.save);
}

static void save_is_held(void **state)
{
	(void)state;
	r.hold_saves = true;
	client(SAVE);
	assert_non_null(r.save);
	assert_true(r.saving);
	assert_int_equal(r.saw, QMP_SAW_SAVE);
	assert_int_equal(r.saves, 0);
	go(NULL);
	assert_string_equal(to_qemu(), "{\"execute\":\"xen-save-devices-state\",\"id\":\"xe-1\",\"arguments\":"
			    "{\"filename\":\"/dev/fdset/1\",\"live\":false}}\r\n");
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	assert_string_equal(to_client(), "");
	assert_non_null(r.held);
	/* other commands go on, a second save does not */
	client("{\"execute\":\"query-status\",\"id\":10}");
	qemu("{\"return\":1,\"id\":\"xe-2\"}");
	assert_string_equal(to_client(), "{\"return\":1,\"id\":10}\r\n");
	client(SAVE);
	assert_non_null(strstr(to_client(), "saved already"));
	assert_int_equal(r.saves, 1);
	assert_int_equal(qmp_relay_save_done(&r, NULL), 0);
	assert_string_equal(to_client(), "{\"return\":{},\"id\":9}\r\n");
	assert_null(r.held);
	/* and again, by another way */
	to_qemu();
	client(SAVE);
	go("/run/pipe");
	assert_non_null(strstr(to_qemu(), "\"arguments\":{\"filename\":\"/run/pipe\",\"live\":false}}"));
}

static void save_can_fail_late(void **state)
{
	(void)state;
	r.hold_saves = true;
	client(SAVE);
	go(NULL);
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	assert_int_equal(qmp_relay_save_done(&r, "disk full"), 0);
	assert_string_equal(to_client(),
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"disk full\"},\"id\":9}\r\n");
	assert_false(r.saving);
}

/* libxl hears of it at once; QEMU may go on for a while, and nobody saves meanwhile. */
static void save_can_fail_before_qemu_answers(void **state)
{
	static const char *const late[] = {
		"{\"return\":{},\"id\":\"xe-1\"}",
		"{\"error\":{\"class\":\"GenericError\",\"desc\":\"x\"},\"id\":\"xe-1\"}",
	};

	for (int i = 0; i < 2; i++) {
		r.hold_saves = true;
		client(SAVE);
		go("/run/pipe");
		assert_int_equal(qmp_relay_save_fail(&r, "no disk"), 0);
		assert_string_equal(to_client(),
			"{\"error\":{\"class\":\"GenericError\",\"desc\":\"no disk\"},\"id\":9}\r\n");
		assert_true(r.saving);
		client(SAVE);
		assert_non_null(strstr(to_client(), "saved already"));
		qemu(late[i]);
		assert_string_equal(to_client(), "");
		assert_false(r.saving);
		assert_null(r.held);
		/* after the answer it is as save_done() */
		client(SAVE);
		to_qemu();
		assert_int_equal(qmp_relay_save_go(&r, NULL), 0);
		qemu("{\"return\":{},\"id\":\"xe-2\"}");
		assert_int_equal(qmp_relay_save_fail(&r, "late"), 0);
		assert_non_null(strstr(to_client(), "\"desc\":\"late\""));
		assert_false(r.saving);
		if (!i) {
			teardown(state);
			assert_int_equal(setup_client(state), 0);
		}
	}
}

static void save_qemu_refuses(void **state)
{
	(void)state;
	r.hold_saves = true;
	client(SAVE);
	go(NULL);
	qemu("{\"error\":{\"class\":\"GenericError\",\"desc\":\"x\"},\"id\":\"xe-1\"}");
	assert_non_null(strstr(to_client(), "\"desc\":\"x\""));
	assert_null(r.held);
	assert_false(r.saving);
	assert_int_equal(r.saves, 1);		/* counts: libxl unlinks its file */
}

/* libxl gave up waiting: the answer is dropped, the next save works. */
static void save_of_a_client_that_left(void **state)
{
	(void)state;
	r.hold_saves = true;
	client(SAVE);
	go(NULL);
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	qmp_relay_attach(&r);
	to_client();
	client("{\"execute\":\"qmp_capabilities\"}" SAVE);
	assert_non_null(strstr(to_client(), "saved already"));
	assert_int_equal(qmp_relay_save_done(&r, NULL), 0);
	assert_string_equal(to_client(), "");
	client(SAVE);
	assert_string_equal(to_client(), "");
	assert_true(r.saving);
}

/* QEMU never gets a command whose client left before there was a way. */
static void a_held_save_goes_with_its_client(void **state)
{
	(void)state;
	r.hold_saves = true;
	client(SAVE);
	qmp_relay_attach(&r);
	assert_null(r.save);
	assert_false(r.saving);
	assert_int_equal(qmp_relay_save_go(&r, NULL), 0);
	assert_string_equal(to_qemu(), "");
	assert_int_equal(qmp_relay_save_fail(&r, "late"), 0);
	assert_null(strstr(to_client(), "late"));
}

static void what_tells_of_a_save(void **state)
{
	static const struct {
		const char *text;
		unsigned int saw;
	} said[] = {
		{ "{\"execute\":\"stop\"}", QMP_SAW_STOP }, { "{\"execute\":\"cont\"}", QMP_SAW_CONT },
		{ "{\"execute\":\"query-status\"}", 0 },
		{ "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":{\"enable\":true}}", QMP_SAW_DIRTY_LOG },
		{ "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":{\"enable\":false}}", QMP_SAW_NO_DIRTY_LOG },
		{ "{\"execute\":\"xen-set-global-dirty-log\",\"arguments\":7}", QMP_SAW_NO_DIRTY_LOG },
		{ "{\"execute\":\"xen-set-global-dirty-log\"}", QMP_SAW_NO_DIRTY_LOG },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		r.saw = 0;
		client(said[i].text);
		assert_int_equal(r.saw, said[i].saw);
		assert_non_null(strstr(to_qemu(), "execute"));
	}
}

static void the_version_is_qemus_own(void **state)
{
	char v[32];

	(void)state;
	qmp_relay_qemu_version(&r, v, sizeof(v));
	assert_string_equal(v, "");
	qemu(GREETING);
	qmp_relay_qemu_version(&r, v, sizeof(v));
	assert_string_equal(v, "10.0.13");
}

static void other_files_are_not_held(void **state)
{
	(void)state;
	r.hold_saves = true;
	client("{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/tmp/x\"}}");
	qemu("{\"return\":{},\"id\":\"xe-1\"}");
	assert_string_equal(to_client(), "{\"return\":{}}\r\n");
}

#define R(f) cmocka_unit_test_setup_teardown(f, setup_ready, teardown)
#define C(f) cmocka_unit_test_setup_teardown(f, setup_client, teardown)
#define N(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		N(greeting_waits_for_qemu), R(each_session_is_greeted),
		R(before_negotiation), C(ids_are_rewritten), C(null_id_comes_back),
		C(late_replies_are_dropped), C(half_a_message_is_forgotten),
		C(events), C(an_event_flood_is_dropped),
		C(answers_not_read), C(a_junk_flood), C(a_command_flood),
		C(junk_from_the_client),
		C(objects_that_are_no_commands), C(a_long_message_is_refused),
		C(deep_nesting_is_refused), C(byte_by_byte), C(too_many_commands),
		N(not_a_qemu), C(unsolicited_replies), C(save_is_held),
		C(save_can_fail_late), C(save_qemu_refuses),
		C(save_can_fail_before_qemu_answers), C(a_held_save_goes_with_its_client),
		C(what_tells_of_a_save), N(the_version_is_qemus_own),
		C(save_of_a_client_that_left), C(other_files_are_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
