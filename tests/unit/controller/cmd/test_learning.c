// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/learning.h"

#define NOW(mode, owner, tags) \
	"type=file mode=" mode " uname=root gname=" owner " size=5 sha256=" SUM tags
#define SUM "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NET_RAW " tags=,caps:0100000200200000000000000000000000000000,"

static struct finding finding(enum rule rule, const char *letters, const char *path,
			      const char *now)
{
	struct finding f = {
		.rule = rule,
		.severity = SEVERITY_MEDIUM,
		.witness = WITNESS_MANIFEST,
		.subject = bytes_from_string(path),
		.package = BYTES_LITERAL("p 1"),
		.new_value = bytes_from_string(now),
	};

	(void)snprintf(f.letters, sizeof(f.letters), "%s", letters);
	return f;
}

static struct learning *start(void)
{
	struct learning *l = NULL;
	struct error err = {0};

	assert_int_equal(learning_new(&l, &err), 0);
	return l;
}

static void take(struct learning *l, const struct finding *f, size_t host)
{
	struct error err = {0};

	if (learning_take(l, f, host, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

static void assert_line(const struct proposal *p, const char *line, size_t hosts, bool disputed)
{
	if (!bytes_equal_string(p->line, line)) {
		fail_msg("%.*s, not %s", (int)p->line.len, (const char *)p->line.data, line);
	}
	assert_int_equal(p->hosts, hosts);
	assert_int_equal(p->disputed, disputed);
}

static void owner_mode_and_capability_are_proposed(void **state)
{
	const struct finding mode = finding(RULE_SETID_GAINED, ".M....G..", "/usr/bin/crontab",
					    NOW("2755", "crontab", ""));
	const struct finding caps = finding(RULE_CAPABILITY_GAINED, "........P", "/usr/bin/ping",
					    NOW("0755", "root", NET_RAW));
	struct learning *l = start();
	const struct proposal *list;
	size_t count;

	(void)state;
	for (size_t host = 1; host <= 2; host++) {
		take(l, &mode, host);
		take(l, &mode, host); /* of one host it counts once */
		take(l, &caps, host);
	}
	list = learning_proposals(l, &count);
	assert_int_equal(count, 2);
	assert_line(&list[0], "capability /usr/bin/ping cap_net_raw\\075ep", 2, false);
	assert_line(&list[1], "statoverride /usr/bin/crontab root crontab 2755", 2, false);
	assert_true(bytes_equal_string(list[0].package, "p 1"));
	learning_free(l);
}

static void content_is_never_learned_and_speaks_against_the_host(void **state)
{
	static const char *const letters[] = {"SM5....T.", "..5......", "S........",
					      "....L....", "...D.....", ".M..L...."};
	struct learning *l = start();
	struct finding other;
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		const struct finding f = finding(RULE_FILE_CHANGED, letters[i], "/usr/bin/x",
						 NOW("4755", "root", NET_RAW));

		assert_int_equal(learning_judge(&f), LEARNED_UNCLEAN);
		take(l, &f, 1);
	}
	other = finding(RULE_FILE_MISSING, "", "/usr/bin/x", "");
	assert_int_equal(learning_judge(&other), LEARNED_UNCLEAN);
	/* A host's own word is no proof that the package has it otherwise. */
	other = finding(RULE_FILE_CHANGED, ".M.......", "/usr/bin/x", NOW("4755", "root", ""));
	other.witness = WITNESS_HOST;
	assert_int_equal(learning_judge(&other), LEARNED_UNCLEAN);
	take(l, &other, 1);
	other.severity = SEVERITY_LOW;
	assert_int_equal(learning_judge(&other), LEARNED_NOTHING);
	other = finding(RULE_PACKAGE_UNPROVED, "", "p:amd64", "package dpkg p 1 amd64 00");
	assert_int_equal(learning_judge(&other), LEARNED_NOTHING);
	(void)learning_proposals(l, &count);
	assert_int_equal(count, 0);
	learning_free(l);
}

static void exceptions_are_proposed_and_disputes_marked(void **state)
{
	const struct finding editor = finding(RULE_EXCEPTION_UNKNOWN, "", "/usr/bin/editor",
					      "alternative editor /usr/bin/editor auto /bin/nano");
	const struct finding other =
		finding(RULE_EXCEPTION_UNKNOWN, "", "/usr/bin/editor",
			"alternative editor /usr/bin/editor auto /usr/bin/vim");
	const struct finding diverted = finding(RULE_EXCEPTION_UNKNOWN, "", "/bin/sh",
						"diversion /bin/sh /bin/sh.distrib dash");
	const struct finding one = finding(RULE_EXCEPTION_UNKNOWN, "", "/usr/share/doc/*",
					   "path-exclude /usr/share/doc/\\052 a");
	const struct finding two = finding(RULE_EXCEPTION_UNKNOWN, "", "/usr/share/doc/*",
					   "path-exclude /usr/share/doc/\\052 b");
	const struct finding absent = finding(RULE_EXCEPTION_UNKNOWN, "", "/x", "absent /x");
	struct learning *l = start();
	const struct proposal *list;
	size_t count;

	(void)state;
	take(l, &editor, 1);
	take(l, &other, 2);
	take(l, &diverted, 2);
	take(l, &one, 1);
	take(l, &two, 1);
	take(l, &absent, 1);
	assert_int_equal(learning_judge(&absent), LEARNED_UNCLEAN);
	list = learning_proposals(l, &count);
	assert_int_equal(count, 5);
	assert_line(&list[0], "alternative editor /usr/bin/editor auto /bin/nano", 1, true);
	assert_line(&list[1], "alternative editor /usr/bin/editor auto /usr/bin/vim", 1, true);
	assert_line(&list[2], "diversion /bin/sh /bin/sh.distrib dash", 1, false);
	assert_line(&list[3], "path-exclude /usr/share/doc/\\052 a", 1, false);
	assert_line(&list[4], "path-exclude /usr/share/doc/\\052 b", 1, false);
	learning_free(l);
}

/* What a host sent may be cut, odd, or have more than a line can say. */
static void what_cannot_be_said_is_not_proposed(void **state)
{
	const struct finding cut =
		finding(RULE_FILE_CHANGED, ".M.......", "/usr/bin/x", "type=file mode=4755 una...");
	const struct finding acl = finding(RULE_FILE_CHANGED, ".M.......", "/usr/bin/x",
					   NOW("0755", "root", " tags=,acl:0200000001000700,"));
	const struct finding lost =
		finding(RULE_FILE_CHANGED, "........P", "/usr/bin/x", NOW("0755", "root", ""));
	struct learning *l = start();
	size_t count;

	(void)state;
	take(l, &cut, 1);
	take(l, &acl, 1);
	take(l, &lost, 1);
	(void)learning_proposals(l, &count);
	assert_int_equal(count, 0);
	learning_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_mode_and_capability_are_proposed),
		cmocka_unit_test(content_is_never_learned_and_speaks_against_the_host),
		cmocka_unit_test(exceptions_are_proposed_and_disputes_marked),
		cmocka_unit_test(what_cannot_be_said_is_not_proposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
