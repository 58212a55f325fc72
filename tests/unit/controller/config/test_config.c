// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/config/config.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/muster-config-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"system.yaml", "user.yaml", "own.yaml", NULL};
	char path[128];

	(void)state;
	for (size_t i = 0; names[i]; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

/* Writes a file of the folder and returns its path, which lives until the next call with `slot`. */
static const char *file_of(const char *name, const char *text)
{
	static char paths[3][128];
	static size_t turn;
	char *path = paths[turn++ % 3];
	FILE *file;

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

static struct config *loaded(const struct config_sources *sources)
{
	struct config *config = NULL;
	struct error err = {0};

	assert_int_equal(config_new(&config, &err), 0);
	if (config_load_from(config, sources, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return config;
}

static void without_any_file_there_are_defaults(void **state)
{
	struct config *config = loaded(&(struct config_sources){.is_root = true});

	(void)state;
	assert_string_equal(config_text(config, CONFIG_DB), "/var/lib/muster/muster.db");
	assert_string_equal(config_origin(config, CONFIG_DB), "default");
	assert_int_equal(config_number(config, CONFIG_PARALLEL), 64);
	assert_int_equal(config_number(config, CONFIG_TIMEOUT), 1800);
	assert_int_equal(config_number(config, CONFIG_BECOME), CONFIG_BECOME_SUDO);
	assert_int_equal(config_number(config, CONFIG_FAIL_ON), 2);
	assert_null(config_text(config, CONFIG_USER));
	assert_false(config_is_set(config, CONFIG_DB));
	config_free(config);
	config = loaded(&(struct config_sources){.home = "/home/x"});
	assert_string_equal(config_text(config, CONFIG_DB),
			    "/home/x/.local/state/muster/muster.db");
	config_free(config);
}

static void stronger_source_wins(void **state)
{
	char *const environment[] = {(char[]){"MUSTER_TIMEOUT=4m"}, (char[]){"MUSTER_DB="},
				     (char[]){"XDG_STATE_HOME=/state"}, NULL};
	struct config_sources sources = {
		.system_file = file_of("system.yaml", "parallel: 1\ntimeout: 1m\n"
						      "fail_on: low\nbecome: none\n"),
		.user_file = file_of("user.yaml", "timeout: 2m\nfail_on: high\nssh: {port: 22}\n"),
		.file = file_of("own.yaml", "timeout: 3m\nfail_on: never\n"),
		.environment = environment,
		.home = "/home/x",
	};
	struct config *config = loaded(&sources);
	struct error err = {0};
	char origin[160];

	(void)state;
	assert_int_equal(config_number(config, CONFIG_PARALLEL), 1);
	assert_int_equal(config_number(config, CONFIG_BECOME), CONFIG_BECOME_NONE);
	assert_int_equal(config_number(config, CONFIG_PORT), 22);
	assert_int_equal(config_number(config, CONFIG_FAIL_ON), CONFIG_FAIL_NEVER);
	assert_int_equal(config_number(config, CONFIG_TIMEOUT), 240);
	assert_string_equal(config_origin(config, CONFIG_TIMEOUT), "MUSTER_TIMEOUT");
	assert_string_equal(config_text(config, CONFIG_DB), "/state/muster/muster.db");
	(void)snprintf(origin, sizeof(origin), "%s:3:13", sources.user_file);
	assert_string_equal(config_origin(config, CONFIG_PORT), origin);
	assert_int_equal(config_set(config, CONFIG_TIMEOUT, "90", "--timeout", &err), 0);
	assert_int_equal(config_number(config, CONFIG_TIMEOUT), 90);
	assert_string_equal(config_origin(config, CONFIG_TIMEOUT), "--timeout");
	config_free(config);
}

static void paths_are_beside_the_file_or_under_home(void **state)
{
	struct config_sources sources = {
		.file = file_of("own.yaml", "inventory: hosts.yaml\ndb: ~/x.db\nbaseline: /srv/b\n"
					    "ssh: {config: none, known_hosts: kh}\n"),
		.home = "/home/x",
	};
	struct config *config = loaded(&sources);
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/hosts.yaml", folder);
	assert_string_equal(config_text(config, CONFIG_INVENTORY), path);
	assert_string_equal(config_text(config, CONFIG_DB), "/home/x/x.db");
	assert_string_equal(config_text(config, CONFIG_BASELINE), "/srv/b");
	assert_string_equal(config_text(config, CONFIG_SSH_CONFIG), "none");
	config_free(config);
}

static void groups_are_kept_in_order(void **state)
{
	struct config_sources sources = {
		.file = file_of("own.yaml", "groups:\n  web: web[1-3]\n  prod: \"@web,db\"\n"),
	};
	struct config *config = loaded(&sources);
	struct config_group group;

	(void)state;
	assert_true(config_group(config, 1, &group));
	assert_string_equal(group.name, "prod");
	assert_string_equal(group.hosts, "@web,db");
	assert_non_null(strstr(group.origin, "own.yaml:3:3"));
	assert_false(config_group(config, 2, &group));
	config_free(config);
}

static void empty_file_is_a_configuration(void **state)
{
	static const char *const texts[] = {"", "---\n", "# nothing\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		config_free(
			loaded(&(struct config_sources){.file = file_of("own.yaml", texts[i])}));
	}
}

static void fault_names_its_place_and_the_right_word(void **state)
{
	static const struct {
		const char *text;
		const char *message; /* after the file's name */
	} rows[] = {
		{"paralel: 3\n", ":1:1: unknown key \"paralel\": did you mean \"parallel\"?"},
		{"ssh:\n  usr: x\n", ":2:3: unknown key \"usr\": did you mean \"user\"?"},
		{"user: x\n",
		 ":1:1: unknown key \"user\": known are inventory, baseline, baseline_fetch, "
		 "baseline_signers, db, keys, "
		 "parallel, timeout, become, fail_on, journal, ssh, groups, max_parallel, "
		 "transports"},
		{"parallel: 0\n", ":1:11: expected a number from 1 to 10000"},
		{"parallel: many\n", ":1:11: expected a number from 1 to 10000"},
		{"timeout: 5 min\n", ":1:10: expected a time such as 90s, 15m or 6h, from 1 to "
				     "604800 seconds"},
		{"fail_on: hihg\n", ":1:10: unknown value \"hihg\": did you mean \"high\"?"},
		{"become: doas\n", ":1:9: unknown value \"doas\": known are none, sudo, pinned"},
		{"db: \"\"\n", ":1:5: expected a file, not \"\""},
		{"db:\n", ":1:4: expected a text, found nothing"},
		{"ssh: {user: -x}\n", ":1:13: expected a name, not \"-...\""},
		{"groups: {a: [b]}\n", ":1:13: expected a text, found a list"},
		{"[]\n", ":1:1: expected a mapping, found a list"},
		{"parallel: 3\nparallel: 4\n", ":2:1: key \"parallel\" stands twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_sources sources = {.file = file_of("own.yaml", rows[i].text)};
		struct config *config = NULL;
		struct error err = {0};
		char message[512];

		(void)snprintf(message, sizeof(message), "%s%s", sources.file, rows[i].message);
		assert_int_equal(config_new(&config, &err), 0);
		assert_int_equal(config_load_from(config, &sources, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.msg, message);
		config_free(config);
	}
}

static void named_file_must_exist_and_others_need_not(void **state)
{
	char *const environment[] = {(char[]){"MUSTER_CONFIG=/nonexistent/e.yaml"}, NULL};
	struct config_sources sources = {.system_file = "/nonexistent/s.yaml",
					 .user_file = "/nonexistent/u.yaml"};
	struct config *config = loaded(&sources);
	struct error err = {0};

	(void)state;
	config_free(config);
	assert_int_equal(config_new(&config, &err), 0);
	sources.environment = environment;
	assert_int_equal(config_load_from(config, &sources, &err), -1);
	assert_string_equal(err.msg, "/nonexistent/e.yaml: No such file or directory");
	config_free(config);
}

static void manual_page_names_every_setting(void **state)
{
	FILE *file = fopen("docs/muster.yaml.5", "r");
	char *page = calloc(1, 65536);
	size_t len;

	(void)state;
	assert_non_null(file);
	assert_non_null(page);
	len = fread(page, 1, 65535, file);
	assert_true(len > 0 && len < 65535);
	assert_int_equal(fclose(file), 0);
	for (int key = 0; key < CONFIG_KEYS; key++) {
		const char *name = config_key_name((enum config_key)key);
		const char *dot = strchr(name, '.');
		char item[64];

		(void)snprintf(item, sizeof(item), ".It %.*s%s%s : Ar",
			       dot ? (int)(dot - name) : (int)strlen(name), name, dot ? " : " : "",
			       dot ? dot + 1 : "");
		if (!strstr(page, item)) {
			fail_msg("%s is missing", item);
		}
	}
	free(page);
}

static void limits_are_read_and_the_last_file_counts(void **state)
{
	static const struct {
		enum config_limit_kind kind;
		const char *name;
		size_t most;
	} rows[] = {
		{CONFIG_LIMIT_GROUP, "web", 7},
		{CONFIG_LIMIT_JUMP_HOST, "web", 30},
		{CONFIG_LIMIT_JUMP_HOST, "bastion.example.com", 1},
	};
	struct config_sources sources = {0};
	struct config_limit limit;
	struct config *config;

	(void)state;
	sources.system_file = file_of("system.yaml",
				      "max_parallel:\n  groups: {web: 20}\n"
				      "  jump_hosts: {web: 30, bastion.example.com: 1}\n");
	sources.user_file = file_of("user.yaml", "max_parallel: {groups: {web: 7}}\n");
	config = loaded(&sources);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(config_limit(config, i, &limit));
		assert_int_equal(limit.kind, rows[i].kind);
		assert_string_equal(limit.name, rows[i].name);
		assert_int_equal(limit.most, rows[i].most);
	}
	assert_true(config_limit(config, 0, &limit));
	assert_non_null(strstr(limit.origin, "user.yaml:1:"));
	assert_false(config_limit(config, 3, &limit));
	config_free(config);
}

static void wrong_limits_name_their_place(void **state)
{
	static const char *const texts[] = {
		"max_parallel: 5\n",
		"max_parallel: {group: {web: 5}}\n",
		"max_parallel: {groups: {web: 0}}\n",
		"max_parallel: {groups: {web: 10001}}\n",
		"max_parallel: {groups: {web: x}}\n",
		"max_parallel: {groups: [web]}\n",
		"max_parallel: {groups: {web: 5, web: 6}}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config *config = NULL;
		struct error err = {0};

		assert_int_equal(config_new(&config, &err), 0);
		if (config_read_text(config, "c.yaml", bytes_from_string(texts[i]), &err) == 0) {
			fail_msg("%s was taken", texts[i]);
		}
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_non_null(strstr(err.msg, "c.yaml:1:"));
		config_free(config);
	}
}

static void transports_are_kept_in_order(void **state)
{
	struct config_sources sources = {0};
	struct config_chosen chosen;
	struct config *config;

	(void)state;
	sources.system_file = file_of("system.yaml", "transports: {\"@dmz,web[1-3]\": ssh}\n");
	sources.user_file = file_of("user.yaml", "transports:\n  web2: libssh2\n  old: auto\n");
	config = loaded(&sources);
	assert_true(config_chosen(config, 0, &chosen));
	assert_string_equal(chosen.hosts, "@dmz,web[1-3]");
	assert_int_equal(chosen.transport, CONFIG_TRANSPORT_SSH);
	assert_non_null(strstr(chosen.origin, "system.yaml:1:"));
	assert_true(config_chosen(config, 1, &chosen));
	assert_string_equal(chosen.hosts, "web2");
	assert_int_equal(chosen.transport, CONFIG_TRANSPORT_LIBSSH2);
	assert_non_null(strstr(chosen.origin, "user.yaml:2:"));
	assert_true(config_chosen(config, 2, &chosen));
	assert_int_equal(chosen.transport, CONFIG_TRANSPORT_AUTO);
	assert_false(config_chosen(config, 3, &chosen));
	config_free(config);
}

static void wrong_transports_name_their_place(void **state)
{
	static const char *const texts[] = {
		"transports: ssh\n",
		"transports: [web]\n",
		"transports: {web: telnet}\n",
		"transports: {web: {transport: ssh}}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config *config = NULL;
		struct error err = {0};

		assert_int_equal(config_new(&config, &err), 0);
		if (config_read_text(config, "c.yaml", bytes_from_string(texts[i]), &err) == 0) {
			fail_msg("%s was taken", texts[i]);
		}
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_non_null(strstr(err.msg, "c.yaml:1:"));
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_and_the_last_file_counts),
		cmocka_unit_test(wrong_limits_name_their_place),
		cmocka_unit_test(transports_are_kept_in_order),
		cmocka_unit_test(wrong_transports_name_their_place),
		cmocka_unit_test(without_any_file_there_are_defaults),
		cmocka_unit_test(stronger_source_wins),
		cmocka_unit_test(paths_are_beside_the_file_or_under_home),
		cmocka_unit_test(groups_are_kept_in_order),
		cmocka_unit_test(empty_file_is_a_configuration),
		cmocka_unit_test(fault_names_its_place_and_the_right_word),
		cmocka_unit_test(named_file_must_exist_and_others_need_not),
		cmocka_unit_test(manual_page_names_every_setting),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
