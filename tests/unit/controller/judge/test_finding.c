// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/judge/capability.h"
#include "controller/judge/finding.h"
#include "controller/judge/path_class.h"

static struct finding make(enum rule rule, const char *subject, const char *new_value)
{
	return (struct finding){
		.rule = rule,
		.severity = rule_severity(rule),
		.subject = bytes_from_string(subject),
		.new_value = bytes_from_string(new_value),
	};
}

static void fingerprint_is_of_rule_subject_and_new_value(void **state)
{
	struct findings list = {0};
	struct finding a = make(RULE_FILE_CHANGED, "/usr/bin/ls", "size=1");
	struct finding b = a, c = a, d = a, e = a;
	struct error err;

	(void)state;
	b.old_value = BYTES_LITERAL("size=2");
	b.severity = SEVERITY_HIGH;
	b.witness = WITNESS_HOST;
	b.package = BYTES_LITERAL("coreutils 9.1");
	c.new_value = BYTES_LITERAL("size=3");
	d.rule = RULE_FILE_TYPE;
	/* Lengths stand between the parts. */
	e.subject = BYTES_LITERAL("/usr/bin/lss");
	e.new_value = BYTES_LITERAL("ize=1");
	assert_int_equal(findings_add(&list, &a, &err), 0);
	assert_int_equal(findings_add(&list, &b, &err), 0);
	assert_int_equal(findings_add(&list, &c, &err), 0);
	assert_int_equal(findings_add(&list, &d, &err), 0);
	assert_int_equal(findings_add(&list, &e, &err), 0);
	assert_string_equal(list.item[0].id, list.item[1].id);
	for (size_t i = 2; i < 5; i++) {
		assert_string_not_equal(list.item[0].id, list.item[i].id);
	}
	/* Stored and public: this one may never change. */
	assert_string_equal(list.item[0].id, "9a31bd30ab1f975c");
	findings_clear(&list);
	findings_clear(&list);
}

static void gravest_finding_stands_first(void **state)
{
	struct findings list = {0};
	struct finding low = make(RULE_PACKAGE_REMOVED, "a", "");
	struct finding high_b = make(RULE_SETID_GAINED, "/b", "x");
	struct finding high_a = make(RULE_SETID_GAINED, "/a/z", "x");
	struct error err;

	(void)state;
	assert_int_equal(findings_add(&list, &low, &err), 0);
	assert_int_equal(findings_add(&list, &high_b, &err), 0);
	assert_int_equal(findings_add(&list, &high_a, &err), 0);
	findings_sort(&list);
	assert_true(bytes_equal_string(list.item[0].subject, "/a/z"));
	assert_true(bytes_equal_string(list.item[1].subject, "/b"));
	assert_true(bytes_equal_string(list.item[2].subject, "a"));
	findings_clear(&list);
}

static void every_rule_has_its_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RULES; i++) {
		enum rule rule;

		assert_true(rule_from_name(rule_name((enum rule)i), &rule));
		assert_int_equal(rule, i);
		assert_true(strlen(rule_title(rule)) > 5);
		assert_true(strlen(rule_advice(rule)) > 5);
		assert_true(rule_severity(rule) <= SEVERITY_CRITICAL);
	}
	assert_false(rule_from_name("file.chnaged", &(enum rule){RULES}));
	assert_string_equal(rule_name(RULES), "unknown");
}

/* Row by row, both ways: nothing undocumented, nothing documented that is not there. */
static void docs_findings_has_a_row_a_rule(void **state)
{
	FILE *file = fopen("docs/findings.md", "re");
	char line[2048];
	unsigned rows = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char name[64];
		enum rule rule;

		if (sscanf(line, "| `%63[a-z.-]` |", name) == 1 && strchr(name, '.')) {
			assert_true(rule_from_name(name, &rule));
			rows++;
		}
	}
	(void)fclose(file);
	assert_int_equal(rows, RULES);
}

static void capabilities_read_as_getcap_prints_them(void **state)
{
	const struct {
		struct bytes raw;
		const char *text;
	} table[] = {
		{BYTES_LITERAL("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "cap_net_raw=ep"},
		{BYTES_LITERAL("\0\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "cap_net_raw=p"},
		{BYTES_LITERAL("\1\0\0\2\0\60\0\0\0\60\0\0\0\0\0\0\0\0\0\0"),
		 "cap_net_admin,cap_net_raw=eip"},
		{BYTES_LITERAL("\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "="},
		{BYTES_LITERAL("\1\0\0\3\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\350\3\0\0"),
		 "cap_net_raw=ep [rootid=1000]"},
		{BYTES_LITERAL("\1\0\0\2\0\0\0\0\0\0\0\0\200\0\0\0\0\0\0\0"), "cap_bpf=ep"},
		{BYTES_LITERAL("\1\0\0\2\0\0\0\0\0\0\0\0\0\0\0\200\0\0\0\0"), "63=ep"},
		{BYTES_LITERAL("xyz"), "0x78797a"},
	};
	char text[CAPABILITY_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(capability_text(table[i].raw, text, sizeof(text)),
				 strlen(table[i].text));
		assert_string_equal(text, table[i].text);
	}
	assert_int_equal(capability_text(table[0].raw, text, 4), 0);
}

static void paths_have_their_class(void **state)
{
	static const struct {
		const char *path;
		uint32_t class;
	} table[] = {
		{"/usr/bin/ls", PATH_BIN},
		{"/bin/ls", PATH_BIN},
		{"/sbin/init", PATH_BIN},
		{"/usr/binx/ls", 0},
		{"/lib/x86_64-linux-gnu/security/pam_unix.so", PATH_LIB | PATH_PAM},
		{"/usr/lib/x86_64-linux-gnu/libc.so.6", PATH_LIB},
		{"/lib/modules/6.1/kernel/x.ko", PATH_LIB | PATH_KERNEL},
		{"/etc/ld.so.preload", PATH_ETC | PATH_LOADER},
		{"/etc/passwd", PATH_ETC | PATH_PAM},
		{"/etc/passwd-", PATH_ETC},
		{"/root/.ssh/authorized_keys", PATH_SSH},
		{"/home/a/.ssh/authorized_keys", PATH_SSH},
		{"/root/.bashrc", PATH_SHELL},
		{"/etc/cron.d/x", PATH_ETC | PATH_CRON},
		{"/var/spool/cron/crontabs/root", PATH_CRON},
		{"/usr/local/bin/x", PATH_LOCAL | PATH_BIN},
		{"/opt/x/bin/y", PATH_LOCAL | PATH_BIN},
		{"/usr/share/doc/x", PATH_DOC},
		{"/srv/x", 0},
		{"/", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (path_class(bytes_from_string(table[i].path)) != table[i].class) {
			print_message("%s\n", table[i].path);
		}
		assert_int_equal(path_class(bytes_from_string(table[i].path)), table[i].class);
	}
	assert_true(path_class_of_pattern(BYTES_LITERAL("*")) & PATH_PAM);
	assert_true(path_class_of_pattern(BYTES_LITERAL("/usr/*")) & PATH_BIN);
	assert_false(path_class_of_pattern(BYTES_LITERAL("/usr/share/doc/*")) & PATH_BIN);
	assert_true(path_class_of_pattern(BYTES_LITERAL("/usr/bin/[a-z]*")) & PATH_BIN);
}

static void odd_names_are_seen(void **state)
{
	static const struct {
		const char *path;
		bool odd;
	} table[] = {
		{"/tmp/x", false},
		{"/tmp/...", true},
		{"/tmp/.. ", true},
		{"/tmp/ x", true},
		{"/tmp/a\nb", true},
		{"/tmp/a\033[2J", true},
		{"/tmp/\xe2\x80\xae", true},
		{"/tmp/\xff", true},
		{"/tmp/\xc3\xa4", false},
		{"/tmp/a b", false},
		{"/tmp/a\\b", false},
		{"/tmp/.x", false},
		{"/", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (path_name_is_odd(bytes_from_string(table[i].path)) != table[i].odd) {
			print_message("row %zu\n", i);
		}
		assert_int_equal(path_name_is_odd(bytes_from_string(table[i].path)), table[i].odd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprint_is_of_rule_subject_and_new_value),
		cmocka_unit_test(gravest_finding_stands_first),
		cmocka_unit_test(every_rule_has_its_row),
		cmocka_unit_test(docs_findings_has_a_row_a_rule),
		cmocka_unit_test(capabilities_read_as_getcap_prints_them),
		cmocka_unit_test(paths_have_their_class),
		cmocka_unit_test(odd_names_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
