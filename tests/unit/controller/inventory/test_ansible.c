// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/inventory/fold.h"
#include "controller/inventory/inventory.h"
#include "controller/inventory/kind.h"

static struct inventory *inventory_of(const char *name, const char *text)
{
	struct inventory *inventory = NULL;
	struct error err = {0};

	assert_int_equal(inventory_new(&inventory, &err), 0);
	if (inventory_read_text(inventory, name, bytes_from_string(text), &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return inventory;
}

static void assert_selects(struct inventory *inventory, const char *notation, const char *folded)
{
	struct nodeset *hosts = NULL;
	struct error err = {0};
	char *text = NULL;

	if (inventory_select(inventory, notation, &hosts, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(fold_nodeset(hosts, &text, &err), 0);
	assert_string_equal(text, folded);
	free(text);
	nodeset_free(hosts);
}

static void assert_host(struct inventory *inventory, const char *name, const char *address,
			const char *user, uint16_t port, enum inventory_become become)
{
	const struct inventory_host *host = inventory_find(inventory, name);

	assert_non_null(host);
	if (!address) {
		assert_null(host->vars.address);
	} else {
		assert_string_equal(host->vars.address, address);
	}
	if (!user) {
		assert_null(host->vars.user);
	} else {
		assert_string_equal(host->vars.user, user);
	}
	assert_int_equal(host->vars.port, port);
	assert_int_equal(host->vars.become, become);
}

/* The same fleet in each of the three formats. */
static const char *const ini =
	"# a fleet\n"
	"lonely.example.com:2200\n"
	"\n"
	"[web]\n"
	"www[01:03].example.com ansible_user=deploy   # a comment\n"
	"special ansible_host=192.0.2.7 ansible_port=2222 note='two words' # why\n"
	"[db]\n"
	"db-[a:c]\n"
	"rack[1:9:4]\n"
	"[prod:children]\n"
	"web\n"
	"db\n"
	"[prod:vars]\n"
	"ansible_user = inspect\n"
	"ansible_become=true\n"
	"ansible_port=22\n"
	"[db:vars]\n"
	"ansible_user=\"postgres\"\n"
	"ansible_become=no\n"
	"[all:vars]\n"
	"ansible_user=anybody\n"
	"ansible_python_interpreter=/usr/bin/python3\n";

static const char *const yaml =
	"all:\n"
	"  vars: {ansible_user: anybody, other: [1, {a: b}]}\n"
	"  hosts:\n"
	"    lonely.example.com: {ansible_port: 2200}\n"
	"  children:\n"
	"    prod:\n"
	"      vars: {ansible_user: inspect, ansible_become: true, ansible_port: 22}\n"
	"      children:\n"
	"        web:\n"
	"          hosts:\n"
	"            www[01:03].example.com: {ansible_user: deploy}\n"
	"            special: {ansible_host: 192.0.2.7, ansible_port: 2222, nested: {x: [1]}}\n"
	"        db:\n"
	"          hosts: {\"db-[a:c]\": , \"rack[1:9:4]\": ~}\n"
	"          vars: {ansible_user: postgres, ansible_become: no}\n";

static const char *const json =
	"{\"_meta\":{\"hostvars\":{"
	"\"lonely.example.com\":{\"ansible_port\":2200,\"smile\":\"\\ud83d\\ude00\"},"
	"\"www01.example.com\":{\"ansible_user\":\"deploy\"},"
	"\"www02.example.com\":{\"ansible_user\":\"deploy\"},"
	"\"www03.example.com\":{\"ansible_user\":\"deploy\",\"facts\":{\"a\":[1,2,null]}},"
	"\"special\":{\"ansible_host\":\"192.0.2.7\",\"ansible_port\":2222}}},"
	"\"all\":{\"children\":[\"ungrouped\",\"prod\"],\"vars\":{\"ansible_user\":\"anybody\"}},"
	"\"ungrouped\":{\"hosts\":[\"lonely.example.com\"]},"
	"\"prod\":{\"children\":[\"web\",\"db\"],\"vars\":{\"ansible_user\":\"inspect\","
	"\"ansible_become\":true,\"ansible_port\":22}},"
	"\"web\":{\"hosts\":[\"www01.example.com\",\"www02.example.com\",\"www03.example.com\","
	"\"special\"]},"
	"\"db\":{\"hosts\":[\"db-a\",\"db-b\",\"db-c\",\"rack1\",\"rack5\",\"rack9\"],"
	"\"vars\":{\"ansible_user\":\"postgres\",\"ansible_become\":false}}}\n";

static void three_formats_say_the_same(void **state)
{
	const struct {
		const char *name, *text;
	} rows[] = {
		{"hosts", ini},  {"hosts.ini", ini},  {"hosts.yml", yaml},
		{"stdin", json}, {"list.json", json},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inventory *inventory;

		inventory = inventory_of(rows[i].name, rows[i].text);
		assert_int_equal(inventory_count(inventory), 11);
		assert_selects(inventory, "@web", "special,www[01-03].example.com");
		assert_selects(inventory, "@db", "db-a,db-b,db-c,rack[1,5,9]");
		assert_selects(inventory, "@prod!@web", "db-a,db-b,db-c,rack[1,5,9]");
		assert_selects(inventory, "@all!@prod", "lonely.example.com");
		/* Nearer wins: host, child, parent, all. */
		assert_host(inventory, "lonely.example.com", NULL, "anybody", 2200,
			    INVENTORY_BECOME_UNSET);
		assert_host(inventory, "www02.example.com", NULL, "deploy", 22,
			    INVENTORY_BECOME_SUDO);
		assert_host(inventory, "special", "192.0.2.7", "inspect", 2222,
			    INVENTORY_BECOME_SUDO);
		assert_host(inventory, "db-b", NULL, "postgres", 22, INVENTORY_BECOME_NONE);
		assert_null(inventory_note(inventory, 0));
		inventory_free(inventory);
	}
}

static void keys_and_jump_hosts_are_taken(void **state)
{
	struct inventory *inventory = inventory_of(
		"hosts", "[web]\n"
			 "w1 ansible_ssh_private_key_file=~/.ssh/w1\n"
			 "w2 ansible_ssh_common_args='-J other' muster_transport=libssh2\n"
			 "w3 ansible_ssh_common_args='-o ProxyJump=b -o ControlMaster=no'\n"
			 "w4 ansible_ssh_common_args='-J $B'\n"
			 "[web:vars]\n"
			 "ansible_private_key_file=/keys/web\n"
			 "muster_transport=ssh\n"
			 "ansible_ssh_common_args=\"-o ProxyJump='ops@bastion:2222'\"\n");
	const struct inventory_vars *vars = &inventory_find(inventory, "w1")->vars;

	(void)state;
	assert_string_equal(vars->identity, "~/.ssh/w1");
	assert_string_equal(vars->jump, "ops@bastion:2222");
	assert_int_equal(vars->transport, INVENTORY_TRANSPORT_SSH);
	vars = &inventory_find(inventory, "w2")->vars;
	assert_string_equal(vars->identity, "/keys/web");
	assert_string_equal(vars->jump, "other");
	assert_int_equal(vars->transport, INVENTORY_TRANSPORT_LIBSSH2);
	assert_string_equal(inventory_find(inventory, "w3")->vars.jump, "b");
	assert_string_equal(inventory_find(inventory, "w4")->vars.jump, "ops@bastion:2222");
	assert_non_null(strstr(inventory_note(inventory, 0), "hosts:4: ControlMaster: of "));
	assert_non_null(strstr(inventory_note(inventory, 1),
			       "hosts:5: ansible_ssh_common_args cannot be taken apart"));
	assert_null(inventory_note(inventory, 2));
	inventory_free(inventory);
}

static void templates_and_keys_are_passed_over_and_told(void **state)
{
	struct inventory *inventory = inventory_of("hosts",
						   "[web]\n"
						   "w1 ansible_host={{ip}} ansible_ssh_args=-C\n"
						   "w2 ansible_become_method=su\n");

	(void)state;
	assert_host(inventory, "w1", NULL, NULL, 0, INVENTORY_BECOME_UNSET);
	assert_non_null(
		strstr(inventory_note(inventory, 0), "hosts:2: ansible_host is a template"));
	assert_non_null(strstr(inventory_note(inventory, 1), "ansible_ssh_args"));
	assert_non_null(strstr(inventory_note(inventory, 2), "hosts:3: ansible_become_method"));
	assert_null(inventory_note(inventory, 3));
	inventory_free(inventory);
}

static void faults_name_file_line_and_column(void **state)
{
	static const struct {
		const char *name, *text, *message;
	} rows[] = {
		{"h.ini", "[web\n", "h.ini:1:1: expected [GROUP]"},
		{"h.ini", "[web:child]\n", "h.ini:1:5: a section is [GROUP]"},
		{"h.ini", "[web]\nw1 x\n", "h.ini:2:4: expected KEY=VALUE behind the host"},
		{"h.ini", "[web]\nw1 ansible_port=99999\n",
		 "h.ini:2:1: ansible_port: \"99999\" is no port"},
		{"h.ini", "[web]\nw1 ansible_host=-x\n", "is no address"},
		{"h.ini", "[web]\nw1 ansible_user=\"a b\"\n", "is no user name"},
		{"h.ini", "[web]\nw[01:x]\n", "h.ini:2:1: \"w[01:x]\": expected a range"},
		{"h.ini", "[web]\nw[9:1]\n", "expected a range"},
		{"h.ini", "[web]\nw1:0\n", "a port is a number"},
		{"h.ini", "[web]\nw;1\n", "is no host name"},
		{"h.ini", "[web:vars]\nnothing\n", "h.ini:2:1: expected KEY=VALUE"},
		{"h.ini", "[web:vars]\nansible_port=x\n", "h.ini:2:14: ansible_port"},
		{"h.ini", "[web]\nw1 muster_transport=telnet\n",
		 "h.ini:2:1: muster_transport: \"telnet\" is no transport"},
		{"h.ini", "[w b]\n", "h.ini:1:2: \"w b\" is no group name"},
		{"h.ini", "[a:children]\nb\n[b:children]\na\n", "groups hold each other"},
		{"h.yml", "all:\n  hosts:\n    w1: {ansible_port: x}\n",
		 "h.yml:3:24: ansible_port"},
		{"h.yml", "all:\n  host: w1\n", "h.yml:2:3: unknown key \"host\": did you mean"},
		{"h.yml", "web:\n  children:\n    \"a b\":\n",
		 "h.yml:3:5: \"a b\" is no group name"},
		{"h.yml", "web:\n  hosts:\n    w1: !vault x\n", "h.yml:3:"},
		{"l.json", "{\"web\":{\"hosts\":[\"w1\"}}", "l.json:1:"},
		{"l.json", "{\"web\":{\"hosts\":[\"w;1\"]}}",
		 "l.json:1:18: \"w;1\" is no host name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inventory *inventory = NULL;
		struct error err = {0};

		assert_int_equal(inventory_new(&inventory, &err), 0);
		if (inventory_read_text(inventory, rows[i].name, bytes_from_string(rows[i].text),
					&err) == 0 ||
		    err.kind != ERROR_CONFIG || !strstr(err.msg, rows[i].message)) {
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].text, err.msg, rows[i].message);
		}
		inventory_free(inventory);
	}
}

static void our_own_formats_stay_ours(void **state)
{
	static const struct {
		const char *name, *text;
		enum kind kind;
	} rows[] = {
		{"hosts", "web[1-3]\n[0-10/2]\n", KIND_LIST},
		{"hosts", "root@web1:22\n", KIND_LIST},
		{"hosts", "[2001:db8::1]:22\n", KIND_LIST},
		{"hosts", "groups: {web: w1}\n", KIND_YAML},
		{"h.yaml", "vars: {port: 22}\nhosts: w1\n", KIND_YAML},
		{"h.yaml", "hosts: {w1: {port: 22}}\n", KIND_YAML},
		{"h.yaml", "host: a\n", KIND_YAML},
		{"h.yaml", "", KIND_YAML},
		{"h.yaml", "web:\n  hosts: {w1: }\n", KIND_ANSIBLE_YAML},
		{"h.yaml", "ungrouped:\nweb:\n  hosts: {w1: }\n", KIND_ANSIBLE_YAML},
		{"h.yaml", "w1: {hostname: a, nodename: w1}\n", KIND_RUNDECK},
		{"h.json", "[{\"nodename\": \"w1\"}]", KIND_RUNDECK},
		{"stdin", "[ {\"nodename\": \"w1\"}]", KIND_RUNDECK},
		{"h.json", "{\"web\": [\"w1\"]}", KIND_ANSIBLE_YAML},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (kind_of(rows[i].name, bytes_from_string(rows[i].text)) != rows[i].kind) {
			fail_msg("%s is taken for another kind", rows[i].text);
		}
	}
}

static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void variables_stand_beside_the_inventory(void **state)
{
	struct inventory *inventory = NULL;
	struct error err = {0};
	char path[128];

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/muster-ansible-XXXXXX");
	assert_non_null(mkdtemp(folder));
	make_folder("group_vars");
	make_folder("group_vars/db");
	make_folder("host_vars");
	write_file("hosts", "[web]\nw1 ansible_port=1\nw2\n[db]\nd1\n");
	write_file("group_vars/web.yml", "ansible_user: webber\nsecret: {a: [1]}\n");
	write_file("group_vars/all", "ansible_user: anybody\nansible_port: 2022\n");
	write_file("group_vars/db/10-main.yml", "ansible_user: first\nansible_become: yes\n");
	write_file("group_vars/db/20-vault.yml", "ansible_user: last\nsecret: !vault |\n  123\n");
	write_file("group_vars/db/.hidden.yml", "ansible_user: hidden\n");
	write_file("host_vars/w1.yaml", "ansible_port: 9\nansible_host: 192.0.2.1\n");
	(void)snprintf(path, sizeof(path), "%s/hosts", folder);
	assert_int_equal(inventory_new(&inventory, &err), 0);
	if (inventory_read(inventory, path, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_host(inventory, "w1", "192.0.2.1", "webber", 9, INVENTORY_BECOME_UNSET);
	assert_host(inventory, "w2", NULL, "webber", 2022, INVENTORY_BECOME_UNSET);
	assert_host(inventory, "d1", NULL, "last", 2022, INVENTORY_BECOME_SUDO);
	assert_non_null(strstr(inventory_note(inventory, 0), "20-vault.yml:2:"));
	inventory_free(inventory);
	(void)snprintf(path, sizeof(path), "rm -rf '%s'", folder);
	/* NOLINTNEXTLINE(cert-env33-c): a path made here */
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_formats_say_the_same),
		cmocka_unit_test(keys_and_jump_hosts_are_taken),
		cmocka_unit_test(templates_and_keys_are_passed_over_and_told),
		cmocka_unit_test(faults_name_file_line_and_column),
		cmocka_unit_test(our_own_formats_stay_ours),
		cmocka_unit_test(variables_stand_beside_the_inventory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
