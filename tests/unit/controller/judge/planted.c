// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/planted.h"

#include "schema/record.h"

static const struct build_package unknown = {"rootkit", "6.6", "amd64"};
static const uint8_t net_raw[20] = {1, 0, 0, 2, 0, 0x20};

static struct section_key plain_key(enum section_kind kind)
{
	return build_dir_key(kind, "");
}

static struct section_key exceptions_key(void)
{
	return build_dir_key(SECTION_EXCEPTIONS, "dpkg");
}

static void replace(struct entry *entry, unsigned seed)
{
	struct entry other = build_file("/x", entry->mode, seed);

	entry->size = other.size;
	entry->sha256 = other.sha256;
	entry->mtime_s = 1750000000;
}

static void trojaned_login(struct world *w)
{
	replace(side_find(&w->now, "/usr/bin/login"), 30);
}

static void chmod_4755(struct world *w)
{
	side_find(&w->now, "/usr/bin/ls")->mode = 04755;
}

static void chown_ps(struct world *w)
{
	side_find(&w->now, "/usr/bin/ps")->owner = BYTES_LITERAL("www-data");
}

static void chmod_666(struct world *w)
{
	side_find(&w->now, "/usr/share/coreutils/data")->mode = 0666;
}

static void acl_on_ps(struct world *w)
{
	side_find(&w->now, "/usr/bin/ps")->acl = BYTES_LITERAL("an acl");
}

static void changed_link(struct world *w)
{
	side_find(&w->now, "/usr/bin/dir")->link = BYTES_LITERAL("/tmp/x");
}

static void deleted_file(struct world *w)
{
	side_remove(&w->now, "/usr/bin/ps");
}

static void deleted_documentation(struct world *w)
{
	side_remove(&w->now, "/usr/share/doc/coreutils/copyright");
}

static void touched(struct world *w)
{
	side_find(&w->now, "/usr/bin/ps")->mtime_s = 1750000000;
}

static void file_to_link(struct world *w)
{
	*side_find(&w->now, "/usr/bin/ps") = build_link("/usr/bin/ps", "/opt/ps");
}

static void file_to_dir(struct world *w)
{
	side_remove(&w->now, "/usr/bin/ps");
	side_add(&w->now, plain_key(SECTION_DIRS), build_dir("/usr/bin/ps", 0755));
}

static void immutable_ps(struct world *w)
{
	side_find(&w->now, "/usr/bin/ps")->flags = ENTRY_IMMUTABLE;
}

static void flags_section(struct world *w)
{
	static const char *const fields[] = {"/usr/lib/hidden", "s---ia", NULL};

	side_record(&w->now, plain_key(SECTION_FLAGS), fields);
	side_section(&w->now, plain_key(SECTION_FLAGS))->by_path = true;
}

static void flags_harmless(struct world *w)
{
	static const char *const fields[] = {"/var/log/journal", "C", NULL};

	side_record(&w->now, plain_key(SECTION_FLAGS), fields);
}

static void capability(struct world *w)
{
	side_find(&w->now, "/usr/bin/ls")->caps = bytes_make(net_raw, sizeof(net_raw));
}

static void capability_of_local(struct world *w)
{
	side_find(&w->now, "/usr/bin/localtool")->caps = bytes_make(net_raw, sizeof(net_raw));
	side_find(&w->first, "/usr/bin/localtool")->caps = bytes_make(net_raw, sizeof(net_raw));
}

static void unowned_elf(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/bin"),
		 build_elf("/usr/bin/.sshd", 0755, 31));
}

static void unowned_file_since_first_sight(struct world *w)
{
	struct section_key key = build_dir_key(SECTION_TREE, "/usr/share");

	side_add(&w->first, key, build_file("/usr/share/odd", 0644, 70));
	side_add(&w->now, key, build_file("/usr/share/odd", 0644, 70));
}

static void bytecode_without_source(struct world *w)
{
	struct entry file = build_file("/usr/lib/odd.pyc", 0644, 71);

	file.head = BYTES_LITERAL("\247\15\r\n\0\0\0\0\1\2\3\4\5\6\7\10");
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/lib"), file);
}

static void unowned_elf_since_first_sight(struct world *w)
{
	unowned_elf(w);
	side_add(&w->first, build_dir_key(SECTION_TREE, "/usr/bin"),
		 build_elf("/usr/bin/.sshd", 0755, 31));
}

static void unowned_setid_at_first_sight(struct world *w)
{
	w->has_first = false;
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/share/x"),
		 build_elf("/usr/share/x/sh", 04755, 31));
}

static void unowned_document(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/share/doc"),
		 build_file("/usr/share/doc/notes", 0644, 31));
}

static void cron_entry(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_TREE, "/etc/cron.d"),
		 build_file("/etc/cron.d/update", 0644, 31));
}

static void unowned_changed(struct world *w)
{
	replace(side_find(&w->now, "/etc/motd"), 31);
}

static void unowned_vanished(struct world *w)
{
	side_remove(&w->now, "/etc/motd");
}

static void unowned_section_vanished(struct world *w)
{
	side_section(&w->now, build_dir_key(SECTION_TREE, "/usr/local/bin"))->key =
		build_dir_key(SECTION_TREE, "/usr/local/lib");
	side_remove(&w->now, "/usr/local/bin/notes");
}

static void conffile_edited(struct world *w)
{
	replace(side_find(&w->now, "/etc/default/coreutils"), 32);
}

static void pam_edited(struct world *w)
{
	replace(side_find(&w->now, "/etc/pam.d/login"), 32);
}

static void conffile_of_local(struct world *w)
{
	replace(side_find(&w->now, "/etc/local.conf"), 32);
}

static void conffile_touched(struct world *w)
{
	side_find(&w->now, "/etc/pam.d/login")->mtime_s = 1750000000;
}

static void conffile_deleted(struct world *w)
{
	side_remove(&w->now, "/etc/default/coreutils");
}

static void doctored_md5sums(struct world *w)
{
	trojaned_login(w);
	side_find_claim(&w->now, "/usr/bin/login")->field[CLAIM_MD5] = build_md5(30);
}

static void called_conffile(struct world *w)
{
	struct entry login;

	trojaned_login(w);
	login = *side_find(&w->now, "/usr/bin/login");
	side_remove(&w->now, "/usr/bin/login");
	side_add(&w->now, build_key(SECTION_CONFIG, build_coreutils), login);
	side_find_claim(&w->now, "/usr/bin/login")->field[CLAIM_FLAGS] = BYTES_LITERAL("lc");
}

static void list_line_appended(struct world *w)
{
	side_add(&w->now, build_key(SECTION_PACKAGE, build_coreutils),
		 build_file("/usr/bin/evil", 0755, 33));
	side_claim(&w->now, build_coreutils, "/usr/bin/evil", -1, "l");
}

static void list_line_appended_to_local(struct world *w)
{
	side_add(&w->now, build_key(SECTION_PACKAGE, build_local),
		 build_file("/usr/bin/evil", 0755, 33));
	side_claim(&w->now, build_local, "/usr/bin/evil", 33, "lm");
}

static void list_line_removed(struct world *w)
{
	trojaned_login(w);
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/bin"),
		 *side_find(&w->now, "/usr/bin/login"));
	side_remove(&w->now, "/usr/bin/login");
	side_remove_record(&w->now, SECTION_CLAIMS, "/usr/bin/login");
}

static void local_diversion(struct world *w)
{
	static const char *const fields[] = {"diversion", "/usr/bin/login", "/usr/bin/login.real",
					     ":", NULL};

	side_record(&w->now, exceptions_key(), fields);
	side_find(&w->now, "/usr/bin/login")->path = BYTES_LITERAL("/usr/bin/login.real");
}

static void diverted_file_modified(struct world *w)
{
	local_diversion(w);
	w->records[w->record_count++] = "diversion /usr/bin/login /usr/bin/login.real :";
	replace(side_find(&w->now, "/usr/bin/login.real"), 34);
}

static void known_diversion(struct world *w)
{
	local_diversion(w);
	w->records[w->record_count++] = "diversion /usr/bin/login /usr/bin/login.real :";
}

static void path_exclude(struct world *w)
{
	static const char *const fields[] = {"path-exclude", "/usr/bin/p*",
					     "/etc/dpkg/dpkg.cfg.d/x", NULL};

	side_record(&w->now, exceptions_key(), fields);
}

static void path_exclude_known(struct world *w)
{
	static const char *const fields[] = {"path-exclude", "/usr/share/doc/*",
					     "/etc/dpkg/dpkg.cfg.d/docker", NULL};

	side_record(&w->now, exceptions_key(), fields);
	deleted_documentation(w);
}

static void statoverride(struct world *w)
{
	static const char *const fields[] = {"statoverride", "/usr/bin/ls", "root",
					     "root",         "4755",        NULL};

	side_record(&w->now, exceptions_key(), fields);
	side_find(&w->now, "/usr/bin/ls")->mode = 04755;
}

static void statoverride_accepted(struct world *w)
{
	static const char *const fields[] = {"statoverride", "/usr/bin/ls", "root",
					     "root",         "04755",       NULL};

	side_record(&w->now, exceptions_key(), fields);
	side_find(&w->now, "/usr/bin/ls")->mode = 04755;
	w->records[w->record_count++] = "statoverride /usr/bin/ls root root 4755";
}

static void alternative_moved(struct world *w)
{
	struct build_section *section = side_section(&w->now, exceptions_key());

	section->record[0].field[ALTERNATIVE_TARGET] = BYTES_LITERAL("/usr/local/bin/notes");
	side_find(&w->now, "/etc/alternatives/editor")->link =
		BYTES_LITERAL("/usr/local/bin/notes");
}

static void alternative_chosen(struct world *w)
{
	struct build_section *section = side_section(&w->now, exceptions_key());

	section->record[0].field[ALTERNATIVE_TARGET] = BYTES_LITERAL("/usr/bin/ps");
	section->record[0].field[ALTERNATIVE_STATUS] = BYTES_LITERAL("manual");
	side_find(&w->now, "/etc/alternatives/editor")->link = BYTES_LITERAL("/usr/bin/ps");
}

/* As on every merged Debian 12: the database owns the link /bin, the target is spelt through it. */
static void alternative_through_merged_bin(struct world *w)
{
	struct build_section *section = side_section(&w->now, exceptions_key());

	side_add(&w->now, build_dir_key(SECTION_DIRS, ""), build_link("/bin", "usr/bin"));
	side_add(&w->first, build_dir_key(SECTION_DIRS, ""), build_link("/bin", "usr/bin"));
	section->record[0].field[ALTERNATIVE_TARGET] = BYTES_LITERAL("/bin/ps");
	side_find(&w->now, "/etc/alternatives/editor")->link = BYTES_LITERAL("/bin/ps");
}

static void alternative_link_replaced(struct world *w)
{
	side_find(&w->now, "/usr/bin/editor")->link = BYTES_LITERAL("/dev/shm/x");
}

static void unknown_package(struct world *w)
{
	side_package(&w->now, unknown, "install ok installed");
	side_add(&w->now, build_key(SECTION_PACKAGE, unknown),
		 build_file("/usr/share/rootkit", 0755, 35));
	side_claim(&w->now, unknown, "/usr/share/rootkit", 35, "lm");
}

static void half_installed(struct world *w)
{
	side_remove_record(&w->now, SECTION_PACKAGES, "local");
	side_package(&w->now, build_local, "install reinstreq half-installed");
}

/* The one of coreutils 8.32 among those of 9.1. */
static void half_upgraded(struct world *w)
{
	const struct build_package old = {"coreutils", "8.32-4", "amd64"};
	struct build_manifest *manifest = world_manifest(w, old, "Debian");

	manifest_put(manifest, build_file("/usr/bin/ls", 0755, 61), 0);
	manifest_put(manifest, build_file("/usr/bin/login", 0755, 62), 0);
	*side_find(&w->now, "/usr/bin/ls") = build_file("/usr/bin/ls", 0755, 61);
}

static void of_no_other_build(struct world *w)
{
	half_upgraded(w);
	*side_find(&w->now, "/usr/bin/ls") = build_file("/usr/bin/ls", 0755, 63);
}

/* What the host has is not in the baseline; what is ships no md5sums. */
static void self_summed(struct world *w)
{
	const struct build_package old = {"local", "0.9", "all"};

	world_manifest(w, old, "Debian")->manifest.no_md5sums = true;
}

static void package_gone(struct world *w)
{
	side_forget(&w->now, build_local);
}

static void volatile_executable(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/var/tmp"),
		 build_elf("/var/tmp/.ICE-unix/kswapd", 0755, 36));
}

static void volatile_ordinary(struct world *w)
{
	struct entry socket = build_file("/tmp/.X11-unix/X0", 0777, 1);

	socket.type = ENTRY_SOCKET;
	socket.has_size = socket.has_sha256 = false;
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/tmp"), socket);
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/tmp"),
		 build_dir("/tmp/.X11-unix", 01777));
}

static void web_directory(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/var/www"),
		 build_dir("/var/www/upload", 0777));
}

static void web_script(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/var/www"),
		 build_script("/var/www/upload/x.php", 0755, 37));
}

static void web_site(struct world *w)
{
	web_script(w);
	side_add(&w->first, build_dir_key(SECTION_VOLATILE, "/var/www"),
		 build_script("/var/www/upload/x.php", 0755, 37));
}

static void odd_name(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_VOLATILE, "/tmp"),
		 build_file("/tmp/\033]0;owned\007", 0644, 38));
}

static void setid_elsewhere(struct world *w)
{
	side_add(&w->now, plain_key(SECTION_SETID), build_file("/srv/data/sh", 04755, 39));
	side_add(&w->first, plain_key(SECTION_SETID), build_file("/srv/data/sh", 04755, 39));
}

static void setid_known(struct world *w)
{
	setid_elsewhere(w);
	w->records[w->record_count++] = "statoverride /srv/data/sh root root 4755";
}

static void world_writable_bin(struct world *w)
{
	side_find(&w->now, "/usr/bin")->mode = 0777;
}

static void closed_dir(struct world *w)
{
	side_find(&w->now, "/etc/pam.d")->mode = 0700;
}

static void check_lost(struct world *w)
{
	w->now.coverage[0].state = COVERAGE_SKIPPED;
	w->now.coverage[0].reason = BYTES_LITERAL("denied");
}

static void check_not_named(struct world *w)
{
	w->now.coverage_count = 3;
}

static void database_locked(struct world *w)
{
	w->now.coverage[0].state = COVERAGE_PARTIAL;
	w->now.coverage[0].reason = BYTES_LITERAL("locked");
}

static void views_differ(struct world *w)
{
	side_coverage(&w->now, "flags", "/usr/bin/ps", COVERAGE_PARTIAL, "inconsistent");
}

static void second_database(struct world *w)
{
	side_coverage(&w->now, "packages", "/var/lib/rpm/Packages", COVERAGE_PARTIAL,
		      "second-database");
}

static void package_hidden(struct world *w)
{
	side_forget(&w->now, build_local);
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/bin"),
		 build_file("/usr/bin/localtool", 0755, 11));
}

static void malformed_package(struct world *w)
{
	struct build_section *section =
		side_section(&w->now, build_key(SECTION_PACKAGE, build_coreutils));

	section->raw = "\xa1garbage";
	section->raw_len = 8;
}

static void tree_names_what_is_elsewhere(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/local/bin"),
		 build_file("/usr/sbin/elsewhere", 04755, 77));
}

static void local_file_changed(struct world *w)
{
	replace(side_find(&w->now, "/usr/bin/localtool"), 41);
}

static void local_md5_doctored(struct world *w)
{
	local_file_changed(w);
	side_find_claim(&w->now, "/usr/bin/localtool")->field[CLAIM_MD5] = build_md5(41);
}

static void local_trojan_before_first_sight(struct world *w)
{
	struct build_section *md5 = side_section(&w->now, build_key(SECTION_MD5, build_local));

	local_file_changed(w);
	replace(side_find(&w->first, "/usr/bin/localtool"), 41);
	md5->by_path = true;
	md5->record[md5->count++] = (struct record){
		.count = MD5_FIELDS,
		.field = {BYTES_LITERAL("/usr/bin/localtool"), BYTES_LITERAL("not used here"),
			  build_md5(41)},
	};
}

static void local_file_missing_before_first_sight(struct world *w)
{
	side_remove(&w->now, "/usr/bin/localtool");
	side_remove(&w->first, "/usr/bin/localtool");
}

static void tree_file_differs(struct world *w)
{
	world_tree(w, build_file("/etc/motd", 0644, 42));
}

static void tree_file_equal(struct world *w)
{
	replace(side_find(&w->now, "/etc/motd"), 42);
	world_tree(w, build_file("/etc/motd", 0644, 42));
}

static void tree_file_missing(struct world *w)
{
	world_tree(w, build_file("/etc/issue", 0644, 43));
}

static void generated_changed(struct world *w)
{
	side_add(&w->now, build_dir_key(SECTION_TREE, "/etc"),
		 build_file("/etc/ld.so.cache", 0644, 44));
	side_add(&w->first, build_dir_key(SECTION_TREE, "/etc"),
		 build_file("/etc/ld.so.cache", 0644, 45));
}

static void generated_setid(struct world *w)
{
	generated_changed(w);
	side_find(&w->now, "/etc/ld.so.cache")->mode = 04755;
}

static void unread_file(struct world *w)
{
	struct entry *ps = side_find(&w->now, "/usr/bin/ps");

	ps->has_sha256 = false;
	memset(&ps->sha256, 0, sizeof(ps->sha256));
}

#define CHANGED RULE_FILE_CHANGED
#define HIGH SEVERITY_HIGH
#define MEDIUM SEVERITY_MEDIUM
#define LOW SEVERITY_LOW
#define CRITICAL SEVERITY_CRITICAL
#define BY_MANIFEST WITNESS_MANIFEST
#define BY_BASELINE WITNESS_BASELINE
#define BY_FIRST WITNESS_FIRST_SIGHT
#define BY_HOST WITNESS_HOST
#define BY_RULE WITNESS_RULE
#define NOTHING RULE_FIRST_SIGHT, NULL, SEVERITY_INFO, "", WITNESS_RULE, 0

const struct planted planted[] = {
	{"trojaned login", trojaned_login, false, CHANGED, "/usr/bin/login", CRITICAL, "S.5....T.",
	 BY_MANIFEST, 1},
	{"chmod 4755", chmod_4755, false, RULE_SETID_GAINED, "/usr/bin/ls", HIGH, ".M.......",
	 BY_MANIFEST, 1},
	{"chown", chown_ps, false, CHANGED, "/usr/bin/ps", HIGH, ".....U...", BY_MANIFEST, 1},
	{"chmod 666", chmod_666, false, CHANGED, "/usr/share/coreutils/data", MEDIUM, ".M.......",
	 BY_MANIFEST, 1},
	{"ACL", acl_on_ps, false, CHANGED, "/usr/bin/ps", HIGH, ".M.......", BY_MANIFEST, 1},
	{"changed link", changed_link, false, CHANGED, "/usr/bin/dir", HIGH, "....L....",
	 BY_MANIFEST, 1},
	{"deleted file", deleted_file, false, RULE_FILE_MISSING, "/usr/bin/ps", HIGH, "",
	 BY_MANIFEST, 1},
	{"deleted documentation", deleted_documentation, false, RULE_FILE_MISSING,
	 "/usr/share/doc/coreutils/copyright", LOW, "", BY_MANIFEST, 1},
	{"touched", touched, false, CHANGED, "/usr/bin/ps", LOW, ".......T.", BY_MANIFEST, 1},
	{"file to link", file_to_link, false, RULE_FILE_TYPE, "/usr/bin/ps", HIGH, ".M.......",
	 BY_MANIFEST, 1},
	{"file to directory", file_to_dir, false, RULE_FILE_TYPE, "/usr/bin/ps", HIGH, ".M.......",
	 BY_MANIFEST, 1},
	{"chattr +i", immutable_ps, false, RULE_FLAG_IMMUTABLE, "/usr/bin/ps", HIGH, "",
	 BY_MANIFEST, 1},
	{"flags section", flags_section, false, RULE_FLAG_IMMUTABLE, "/usr/lib/hidden", HIGH, "",
	 BY_RULE, 1},
	{"harmless flag", flags_harmless, false, NOTHING},
	{"capability", capability, false, RULE_CAPABILITY_GAINED, "/usr/bin/ls", HIGH, "........P",
	 BY_MANIFEST, 1},
	{"capability nothing proves", capability_of_local, false, RULE_CAPABILITY_GAINED,
	 "/usr/bin/localtool", HIGH, "........P", BY_RULE, 1},
	{"unowned ELF", unowned_elf, false, RULE_UNOWNED_APPEARED, "/usr/bin/.sshd", HIGH, "",
	 BY_FIRST, 1},
	{"unowned ELF, captured", unowned_elf, true, RULE_UNOWNED_APPEARED, "/usr/bin/.sshd", HIGH,
	 "", BY_BASELINE, 1},
	{"unowned ELF since first sight", unowned_elf_since_first_sight, false,
	 RULE_UNOWNED_EXECUTABLE, "/usr/bin/.sshd", MEDIUM, "", BY_RULE, 1},
	{"unowned file since first sight", unowned_file_since_first_sight, false,
	 RULE_UNOWNED_PRESENT, "/usr/share/odd", LOW, "", BY_FIRST, 1},
	{"compiled Python without source", bytecode_without_source, false, RULE_UNOWNED_BYTECODE,
	 "/usr/lib/odd.pyc", MEDIUM, "", BY_RULE, 1},
	{"unowned set-uid at first sight", unowned_setid_at_first_sight, false, RULE_SETID_GAINED,
	 "/usr/share/x/sh", HIGH, "", BY_RULE, 1},
	{"unowned document", unowned_document, false, RULE_UNOWNED_APPEARED, "/usr/share/doc/notes",
	 LOW, "", BY_FIRST, 1},
	{"cron entry", cron_entry, false, RULE_UNOWNED_APPEARED, "/etc/cron.d/update", HIGH, "",
	 BY_FIRST, 1},
	{"unowned changed", unowned_changed, false, RULE_UNOWNED_CHANGED, "/etc/motd", LOW,
	 "S.5....T.", BY_FIRST, 1},
	{"unowned changed, captured", unowned_changed, true, RULE_UNOWNED_CHANGED, "/etc/motd", LOW,
	 "S.5....T.", BY_BASELINE, 1},
	{"unowned vanished", unowned_vanished, false, RULE_UNOWNED_VANISHED, "/etc/motd", LOW, "",
	 BY_FIRST, 1},
	{"unowned vanished, captured", unowned_vanished, true, RULE_UNOWNED_VANISHED, "/etc/motd",
	 LOW, "", BY_BASELINE, 1},
	{"unowned section vanished", unowned_section_vanished, false, RULE_UNOWNED_VANISHED,
	 "/usr/local/bin/notes", LOW, "", BY_FIRST, 1},
	{"conffile edited", conffile_edited, false, RULE_CONFIG_CHANGED, "/etc/default/coreutils",
	 MEDIUM, "S.5....T.", BY_MANIFEST, 1},
	{"conffile edited, captured", conffile_edited, true, RULE_CONFIG_CHANGED,
	 "/etc/default/coreutils", MEDIUM, "S.5....T.", BY_BASELINE, 1},
	{"PAM edited", pam_edited, false, RULE_CONFIG_CHANGED, "/etc/pam.d/login", HIGH,
	 "S.5....T.", BY_MANIFEST, 1},
	{"conffile without manifest", conffile_of_local, false, RULE_CONFIG_CHANGED,
	 "/etc/local.conf", MEDIUM, "S.5....T.", BY_FIRST, 1},
	{"conffile touched", conffile_touched, false, NOTHING},
	{"conffile deleted", conffile_deleted, false, RULE_FILE_MISSING, "/etc/default/coreutils",
	 LOW, "", BY_MANIFEST, 1},
	{"doctored md5sums", doctored_md5sums, false, RULE_DATABASE_DISAGREES, "/usr/bin/login",
	 CRITICAL, "", BY_MANIFEST, 2},
	{"called a conffile", called_conffile, false, RULE_DATABASE_DISAGREES, "/usr/bin/login",
	 CRITICAL, "", BY_MANIFEST, 2},
	{"called a conffile: the trojan", called_conffile, false, CHANGED, "/usr/bin/login",
	 CRITICAL, "S.5....T.", BY_MANIFEST, 2},
	{"obsolete conffile in bin", plant_obsolete_conffile_in_bin, false, RULE_CLAIM_UNPROVED,
	 "/usr/bin/evil", HIGH, "", BY_MANIFEST, 1},
	{"obsolete conffile", plant_obsolete_conffile, false, RULE_CLAIM_UNPROVED, "/etc/old.conf",
	 MEDIUM, "", BY_MANIFEST, 1},
	{"obsolete conffile, captured", plant_obsolete_conffile, true, RULE_CLAIM_UNPROVED,
	 "/etc/old.conf", MEDIUM, "", BY_MANIFEST, 1},
	{"obsolete conffile since first sight", plant_obsolete_conffile_since_first_sight, false,
	 NOTHING},
	{"obsolete conffile at first sight", plant_obsolete_conffile_at_first_sight, false,
	 NOTHING},
	{"obsolete cron entry at first sight", plant_obsolete_cron_entry_at_first_sight, false,
	 RULE_CLAIM_UNPROVED, "/etc/cron.d/evil", HIGH, "", BY_MANIFEST, 1},
	{"conffile added, no manifest", plant_conffile_added_to_local, false, RULE_CLAIM_UNPROVED,
	 "/etc/new.conf", MEDIUM, "", BY_FIRST, 1},
	{"conffile added, no manifest, captured", plant_conffile_added_to_local, true,
	 RULE_CLAIM_UNPROVED, "/etc/new.conf", MEDIUM, "", BY_BASELINE, 1},
	{"conffile of no manifest at first sight", plant_conffile_added_at_first_sight, false,
	 NOTHING},
	{"set-uid called a conffile", plant_setid_called_conffile, false, RULE_CLAIM_UNPROVED,
	 "/usr/bin/evil", HIGH, "", BY_FIRST, 1},
	{"set-uid called a conffile, captured", plant_setid_called_conffile, true,
	 RULE_CLAIM_UNPROVED, "/usr/bin/evil", HIGH, "", BY_BASELINE, 1},
	{"set-uid called a conffile at first sight", plant_setid_called_conffile_at_first_sight,
	 false, RULE_CLAIM_UNPROVED, "/usr/bin/evil", HIGH, "", BY_RULE, 1},
	{"set-uid called a conffile of a new package", plant_setid_called_conffile_of_new_package,
	 false, RULE_CLAIM_UNPROVED, "/usr/bin/evil", HIGH, "", BY_RULE, 2},
	{"residue added", plant_residue_added, false, RULE_CLAIM_UNPROVED, "/etc/residue", MEDIUM,
	 "", BY_FIRST, 1},
	{"residue added, captured", plant_residue_added, true, RULE_CLAIM_UNPROVED, "/etc/residue",
	 MEDIUM, "", BY_BASELINE, 1},
	{"residue since first sight", plant_residue_since_first_sight, false, NOTHING},
	{"residue edited", plant_residue_edited, false, RULE_CONFIG_CHANGED, "/etc/residue", MEDIUM,
	 "S.5......", BY_FIRST, 1},
	{"residue grown", plant_residue_grown, false, RULE_CLAIM_UNPROVED, "/usr/bin/evil", HIGH,
	 "", BY_FIRST, 1},
	{"residue at first sight", plant_residue_at_first_sight, false, RULE_CLAIM_UNPROVED,
	 "/etc/profile.d/evil.sh", HIGH, "", BY_RULE, 1},
	{"residue proved", plant_residue_proved, false, NOTHING},
	{"residue differs from its manifest", plant_residue_differs_from_manifest, false,
	 RULE_CONFIG_CHANGED, "/etc/residue", MEDIUM, "S.5......", BY_MANIFEST, 1},
	{"configuration without a row", plant_configuration_without_a_row, false,
	 RULE_CLAIM_UNPROVED, "/etc/residue", MEDIUM, "", BY_FIRST, 1},
	{"line appended to .list", list_line_appended, false, RULE_CLAIM_UNPROVED, "/usr/bin/evil",
	 HIGH, "", BY_MANIFEST, 1},
	{"line appended, no manifest", list_line_appended_to_local, false, RULE_CLAIM_UNPROVED,
	 "/usr/bin/evil", HIGH, "", BY_FIRST, 1},
	{"line removed from .list", list_line_removed, false, RULE_DATABASE_DISAGREES,
	 "/usr/bin/login", CRITICAL, "S.5....T.", BY_MANIFEST, 2},
	{"local diversion", local_diversion, false, RULE_EXCEPTION_UNKNOWN, "/usr/bin/login",
	 CRITICAL, "", BY_RULE, 1},
	{"known diversion", known_diversion, false, NOTHING},
	{"proved package installed", plant_proved_package, false, RULE_PACKAGE_APPEARED,
	 "fresh:amd64", SEVERITY_INFO, "", BY_MANIFEST, 0},
	{"override gone", plant_override_gone, false, RULE_OVERRIDE_LOST, "/usr/bin/su", CRITICAL,
	 "", BY_BASELINE, 1},
	{"override without its mode", plant_override_undone, false, CHANGED, "/usr/bin/su",
	 CRITICAL, ".M...U...", BY_BASELINE, 1},
	{"overrides of what is not there", plant_overrides_of_nothing, false, NOTHING},
	{"diversion of another file", plant_diversion_of_another_file, false,
	 RULE_EXCEPTION_UNKNOWN, "/usr/share/coreutils/data", MEDIUM, "", BY_RULE, 1},
	{"diversions of packages", plant_diversions_of_packages, false, NOTHING},
	{"diverted file modified", diverted_file_modified, false, CHANGED, "/usr/bin/login.real",
	 HIGH, "S.5....T.", BY_MANIFEST, 1},
	{"path-exclude", path_exclude, false, RULE_EXCEPTION_UNKNOWN, "/usr/bin/p*", HIGH, "",
	 BY_RULE, 1},
	{"path-exclude known", path_exclude_known, false, NOTHING},
	{"statoverride", statoverride, false, RULE_EXCEPTION_UNKNOWN, "/usr/bin/ls", HIGH, "",
	 BY_RULE, 2},
	{"statoverride accepted", statoverride_accepted, false, NOTHING},
	{"alternative to unowned", alternative_moved, false, RULE_EXCEPTION_UNKNOWN,
	 "/usr/bin/editor", HIGH, "", BY_RULE, 1},
	{"alternative to packaged", alternative_chosen, false, NOTHING},
	{"alternative through /bin", alternative_through_merged_bin, false, NOTHING},
	{"alternative in cron.daily", plant_alternative_in_cron, false, RULE_EXCEPTION_UNKNOWN,
	 "/etc/cron.daily/x", HIGH, "", BY_RULE, 1},
	{"alternative in a wants folder", plant_alternative_in_wants, false, RULE_EXCEPTION_UNKNOWN,
	 "/etc/systemd/system/multi-user.target.wants/x.service", HIGH, "", BY_RULE, 1},
	{"alternative in /usr/local/bin", plant_alternative_in_local_bin, false,
	 RULE_EXCEPTION_UNKNOWN, "/usr/local/bin/ps", HIGH, "", BY_RULE, 1},
	{"alternative in /root", plant_alternative_in_root, false, RULE_EXCEPTION_UNKNOWN,
	 "/root/x", MEDIUM, "", BY_RULE, 1},
	{"alternatives of packages", plant_alternatives_of_packages, false, NOTHING},
	{"alternative's link replaced", alternative_link_replaced, false, RULE_UNOWNED_CHANGED,
	 "/usr/bin/editor", MEDIUM, "....L....", BY_FIRST, 1},
	{"unknown package", unknown_package, false, RULE_PACKAGE_UNPROVED, "rootkit:amd64", MEDIUM,
	 "", BY_HOST, 1},
	{"half-installed", half_installed, false, RULE_PACKAGE_STATE, "local:all", MEDIUM, "",
	 BY_RULE, 1},
	{"half upgraded", half_upgraded, false, RULE_PACKAGE_MIXED, "coreutils:amd64", HIGH, "",
	 BY_MANIFEST, 2},
	{"changed to no known build", of_no_other_build, false, CHANGED, "/usr/bin/ls", HIGH,
	 "S.5......", BY_MANIFEST, 1},
	{"md5sums of dpkg's own", self_summed, false, RULE_PACKAGE_SELF_SUMMED, "local:all",
	 SEVERITY_INFO, "", BY_HOST, 0},
	{"package gone", package_gone, false, RULE_PACKAGE_REMOVED, "local:all", LOW, "", BY_FIRST,
	 1},
	{"executable in .ICE-unix", volatile_executable, false, RULE_VOLATILE_TELLING,
	 "/var/tmp/.ICE-unix/kswapd", HIGH, "", BY_RULE, 1},
	{"ordinary sockets", volatile_ordinary, false, NOTHING},
	{"777 web directory", web_directory, false, RULE_VOLATILE_TELLING, "/var/www/upload",
	 MEDIUM, "", BY_RULE, 1},
	{"web script", web_script, false, RULE_VOLATILE_TELLING, "/var/www/upload/x.php", MEDIUM,
	 "", BY_RULE, 1},
	{"web site", web_site, false, NOTHING},
	{"odd name", odd_name, false, RULE_VOLATILE_TELLING, "/tmp/\033]0;owned\007", MEDIUM, "",
	 BY_RULE, 1},
	{"set-uid elsewhere", setid_elsewhere, false, RULE_SETID_GAINED, "/srv/data/sh", HIGH, "",
	 BY_RULE, 1},
	{"set-uid known", setid_known, false, NOTHING},
	{"tmpfs over bin", plant_mount_over_bin, false, RULE_MOUNT_OVER, "/usr/local/bin", HIGH, "",
	 BY_RULE, 1},
	{"tmpfs over bin, captured", plant_mount_over_bin, true, RULE_MOUNT_OVER, "/usr/local/bin",
	 HIGH, "", BY_RULE, 1},
	{"tmpfs over bin at first sight", plant_mount_over_bin_at_first_sight, false,
	 RULE_MOUNT_OVER, "/usr/local/bin", HIGH, "", BY_RULE, 1},
	{"mount over a file", plant_mount_over_file, false, RULE_MOUNT_OVER, "/srv/local/file",
	 HIGH, "", BY_RULE, 1},
	{"mount over a process", plant_mount_over_process, false, RULE_MOUNT_OVER, "/proc/1234",
	 HIGH, "", BY_RULE, 1},
	{"mount over the root", plant_mount_over_root, false, RULE_MOUNT_OVER, "/", HIGH, "",
	 BY_RULE, 1},
	{"mount over the root, captured", plant_mount_over_root, true, RULE_MOUNT_OVER, "/", HIGH,
	 "", BY_RULE, 1},
	{"mount over /run", plant_mount_over_run, false, RULE_MOUNT_OVER, "/run", MEDIUM, "",
	 BY_RULE, 1},
	{"two mounts on /dev at first sight", plant_mount_over_dev_at_first_sight, false,
	 RULE_MOUNT_OVER, "/dev", MEDIUM, "", BY_RULE, 2},
	{"/dev at first sight", plant_mount_of_dev_at_first_sight, false, NOTHING},
	{"another root", plant_other_root, false, RULE_MOUNT_CHANGED, "/", MEDIUM, "", BY_RULE, 1},
	{"new mount on /sys", plant_mount_on_sys, false, RULE_MOUNT_CHANGED, "/sys", MEDIUM, "",
	 BY_RULE, 1},
	{"new data mount", plant_mount_data, false, RULE_MOUNT_CHANGED, "/srv/data", LOW, "",
	 BY_RULE, 1},
	{"container's mount", plant_mount_of_container, false, NOTHING},
	{"mount gone", plant_mount_gone, false, RULE_MOUNT_CHANGED, "/srv", LOW, "", BY_FIRST, 1},
	{"noexec dropped", plant_mount_options, false, RULE_MOUNT_CHANGED, "/srv", MEDIUM, "",
	 BY_RULE, 1},
	{"world-writable bin", world_writable_bin, false, RULE_OWNER_CHANGED, "/usr/bin", HIGH,
	 ".M.......", BY_MANIFEST, 1},
	{"closed directory", closed_dir, false, RULE_OWNER_CHANGED, "/etc/pam.d", LOW, ".M.......",
	 BY_MANIFEST, 1},
	{"check lost", check_lost, false, RULE_CHECK_LOST, "packages dpkg", MEDIUM, "", BY_RULE, 1},
	{"check not named", check_not_named, false, RULE_CHECK_LOST, "mounts", MEDIUM, "", BY_RULE,
	 1},
	{"database locked", database_locked, false, RULE_CHECK_LOST, "packages dpkg", LOW, "",
	 BY_RULE, 1},
	{"views differ", views_differ, false, RULE_VIEWS_DIFFER, "/usr/bin/ps", HIGH, "", BY_RULE,
	 1},
	{"second database", second_database, false, RULE_DATABASE_SECOND, "/var/lib/rpm/Packages",
	 HIGH, "", BY_RULE, 1},
	{"package gone, its files stay", package_hidden, false, RULE_PACKAGE_HIDDEN, "local:all",
	 HIGH, "", BY_FIRST, 3},
	{"malformed section", malformed_package, false, RULE_PROTOCOL,
	 "package dpkg coreutils 9.1-1 amd64", HIGH, "", BY_RULE, 2},
	{"tree of what is elsewhere", tree_names_what_is_elsewhere, false, RULE_PROTOCOL,
	 "tree /usr/local/bin", HIGH, "", BY_RULE, 1},
	{"changed without manifest", local_file_changed, false, CHANGED, "/usr/bin/localtool", HIGH,
	 "S.5....T.", BY_FIRST, 1},
	{"changed without manifest, captured", local_file_changed, true, CHANGED,
	 "/usr/bin/localtool", HIGH, "S.5....T.", BY_BASELINE, 1},
	{"doctored, no manifest", local_md5_doctored, false, RULE_DATABASE_DISAGREES,
	 "/usr/bin/localtool", HIGH, "", BY_FIRST, 2},
	{"trojan before first sight", local_trojan_before_first_sight, false, CHANGED,
	 "/usr/bin/localtool", HIGH, "..5......", BY_HOST, 1},
	{"missing before first sight", local_file_missing_before_first_sight, false,
	 RULE_FILE_MISSING, "/usr/bin/localtool", HIGH, "", BY_HOST, 1},
	{"tree file differs", tree_file_differs, false, RULE_CONFIG_CHANGED, "/etc/motd", MEDIUM,
	 "S.5......", BY_BASELINE, 1},
	{"tree file equal", tree_file_equal, false, NOTHING},
	{"tree file missing", tree_file_missing, false, RULE_FILE_MISSING, "/etc/issue", MEDIUM, "",
	 BY_BASELINE, 1},
	{"generated file", generated_changed, false, NOTHING},
	{"generated file, set-uid", generated_setid, false, RULE_UNOWNED_CHANGED,
	 "/etc/ld.so.cache", HIGH, "SM5......", BY_FIRST, 1},
	{"unread file", unread_file, false, NOTHING},
};

const size_t planted_count = sizeof(planted) / sizeof(planted[0]);
