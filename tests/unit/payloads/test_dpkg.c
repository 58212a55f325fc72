// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "payloads/package_db.h"
#include "tests/unit/payloads/tree.h"

#define INFO "/var/lib/dpkg/info/"
#define STATUS "/var/lib/dpkg/status"
#define A32 "0123456789abcdef0123456789abcdef"
#define B32 "ffffffffffffffffffffffffffffffff"

static struct tree tree;
static char text[65536];

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_write(&tree, INFO "format", "1\n");
	text[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static struct package_db *open_db(void)
{
	struct package_db *db;

	assert_int_equal(package_db_open(&package_db_dpkg, &tree.host, &db), PACKAGE_DB_FOUND);
	return db;
}

#define BYTES(b) (int)(b).len, (const char *)(b).data

static bool add_record(void *context, const struct record *record)
{
	(void)context;
	for (size_t i = 0; i < record->count; i++) {
		text_add(text, sizeof(text), "%s%.*s", i ? "|" : "", BYTES(record->field[i]));
	}
	text_add(text, sizeof(text), "\n");
	return true;
}

static bool add_claim(void *context, const struct claim *claim)
{
	char letters[CLAIM_LETTERS_SIZE];

	(void)context;
	claim_letters(claim->flags, letters);
	text_add(text, sizeof(text), "%.*s %s", BYTES(claim->path), letters);
	if (claim->flags & CLAIM_DIVERTED) {
		text_add(text, sizeof(text), " at %.*s", BYTES(claim->place));
	}
	if (claim->md5) {
		text_add(text, sizeof(text), " %02x%02x", claim->md5[0], claim->md5[15]);
	}
	text_add(text, sizeof(text), "%s%s\n", claim->flags & CLAIM_ALIAS ? " alias" : "",
		 claim->flags & CLAIM_REPEAT ? " repeat" : "");
	return true;
}

/* Every package with its claims, as text. */
static void describe(struct package_db *db)
{
	static const char *const states[] = {"installed", "partial", "config-files"};

	for (uint32_t i = 0; i < package_db_count(db); i++) {
		struct package package;

		package_db_package(db, i, &package);
		text_add(text, sizeof(text), "%.*s %.*s %.*s %s\n", BYTES(package.name),
			 BYTES(package.version), BYTES(package.arch), states[package.state]);
		assert_true(package_db_claims(db, i, true, add_claim, NULL));
	}
}

#define INSTALLED "Status: install ok installed\nArchitecture: amd64\nVersion: 1\n"

/* One package p whose .list is given, and what its claims must be. */
static void check_claims(const char *list, const char *sums, const char *conffiles,
			 const char *claims, const char *gaps)
{
	char status[8192];
	struct package_db *db;

	(void)snprintf(status, sizeof(status), "Package: p\n" INSTALLED "%s%s",
		       conffiles ? "Conffiles:\n" : "", conffiles ? conffiles : "");
	tree_write(&tree, STATUS, status);
	tree_write(&tree, INFO "p.list", list);
	if (sums) {
		tree_write(&tree, INFO "p.md5sums", sums);
	}
	db = open_db();
	text[0] = tree.gaps[0] = '\0';
	assert_true(package_db_claims(db, 0, true, add_claim, NULL));
	assert_string_equal(text, claims);
	assert_string_equal(tree.gaps, gaps);
	package_db_close(db);
}

static void no_database_is_none(void **state)
{
	struct package_db *db;
	struct tree empty;

	(void)state;
	tree_make(&empty);
	assert_int_equal(package_db_open(&package_db_dpkg, &empty.host, &db), PACKAGE_DB_NONE);
	assert_null(db);
	tree_dir(&empty, "/var");
	tree_dir(&empty, "/var/lib");
	tree_dir(&empty, "/var/lib/dpkg");
	assert_int_equal(package_db_open(&package_db_dpkg, &empty.host, &db), PACKAGE_DB_NONE);
	assert_string_equal(empty.gaps, "");
	tree_remove(&empty);
}

static void database_without_status_is_told(void **state)
{
	struct package_db *db;

	(void)state;
	assert_int_equal(package_db_open(&package_db_dpkg, &tree.host, &db), PACKAGE_DB_FAILED);
	assert_string_equal(tree.gaps, "/var/lib/dpkg/status absent 1\n/var/lib/dpkg empty 1\n");
}

static void status_word_decides_what_is_there(void **state)
{
	static const struct {
		const char *status;
		const char *expected; /* NULL: not among the packages */
	} table[] = {
		{"install ok installed", "installed"},
		{"hold ok installed", "installed"},
		{"deinstall ok config-files", "config-files"},
		{"purge ok not-installed", NULL},
		{"install ok unpacked", "partial"},
		{"install reinstreq half-installed", "partial"},
		{"install ok half-configured", "partial"},
		{"install ok triggers-awaited", "partial"},
		{"install ok triggers-pending", "partial"},
		/* Nothing escapes by a word that nobody knows. */
		{"install ok hidden", "partial"},
		{"installed", "partial"},
		{"install ok installed really", "partial"},
		{"not-installed", "partial"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char status[512];
		char expected[64] = "";
		struct package_db *db;

		(void)snprintf(status, sizeof(status),
			       "Package: p\nStatus: %s\nVersion: 1\nArchitecture: all\n",
			       table[i].status);
		tree_write(&tree, STATUS, status);
		tree_write(&tree, INFO "p.list", "/.\n");
		if (table[i].expected) {
			(void)snprintf(expected, sizeof(expected), "p 1 all %s\n/ l\n",
				       table[i].expected);
		}
		text[0] = '\0';
		db = open_db();
		describe(db);
		assert_string_equal(text, expected);
		text[0] = '\0';
		assert_true(package_db_records(db, SECTION_PACKAGES, 0, add_record, NULL));
		(void)snprintf(expected, sizeof(expected), "p|1|all|%s|\n", table[i].status);
		assert_string_equal(text, expected);
		package_db_close(db);
	}
}

static void journal_is_newer_than_status(void **state)
{
	struct package_db *db;

	(void)state;
	tree_write(&tree, STATUS,
		   "Package: a\n" INSTALLED "\nPackage: b\n" INSTALLED
		   "\nPackage: m\nMulti-Arch: same\n" INSTALLED "\n");
	tree_write(&tree, "/var/lib/dpkg/updates/0001",
		   "Package: a\nStatus: install ok unpacked\nVersion: 2\nArchitecture: amd64\n");
	tree_write(&tree, "/var/lib/dpkg/updates/0002",
		   "Package: a\nStatus: install ok installed\nVersion: 3\nArchitecture: all\n");
	tree_write(&tree, "/var/lib/dpkg/updates/0003",
		   "Package: m\nMulti-Arch: same\nStatus: install ok installed\nVersion: 1\n"
		   "Architecture: i386\n");
	tree_write(&tree, "/var/lib/dpkg/updates/0004",
		   "Package: b\nStatus: purge ok not-installed\nArchitecture: amd64\n");
	tree_write(&tree, "/var/lib/dpkg/updates/tmp.i", "Package: half-written\n");
	db = open_db();
	assert_true(package_db_records(db, SECTION_PACKAGES, 0, add_record, NULL));
	assert_string_equal(text, "a|3|all|install ok installed|\n"
				  "b||amd64|purge ok not-installed|\n"
				  "m|1|i386|install ok installed|\n"
				  "m|1|amd64|install ok installed|\n");
	assert_int_equal(package_db_count(db), 3);
	assert_string_equal(tree.gaps, "");
	package_db_close(db);
}

static void multi_arch_same_names_its_files_with_the_architecture(void **state)
{
	struct package_db *db;

	(void)state;
	tree_write(&tree, STATUS,
		   "Package: lib\nMulti-Arch: same\n" INSTALLED
		   "\nPackage: tool\nMulti-Arch: foreign\n" INSTALLED);
	tree_write(&tree, INFO "lib:amd64.list", "/usr/lib/lib.so\n");
	tree_write(&tree, INFO "lib.list", "/wrong\n");
	tree_write(&tree, INFO "tool.list", "/usr/bin/tool\n");
	db = open_db();
	describe(db);
	assert_string_equal(text, "lib 1 amd64 installed\n/usr/lib/lib.so l\n"
				  "tool 1 amd64 installed\n/usr/bin/tool l\n");
	package_db_close(db);
	/* Before format 1 no name had one. */
	tree_write(&tree, INFO "format", "0\n");
	text[0] = '\0';
	db = open_db();
	describe(db);
	assert_non_null(strstr(text, "/wrong l\n"));
	package_db_close(db);
	tree_write(&tree, INFO "format", "7\n");
	db = open_db();
	assert_string_equal(tree.gaps, "/var/lib/dpkg/info/format format-unknown 1\n");
	package_db_close(db);
}

static void distroless_packages_are_read_from_status_d(void **state)
{
	struct package_db *db;
	struct tree image;

	(void)state;
	tree_make(&image);
	tree_write(&image, "/var/lib/dpkg/status.d/base",
		   "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n");
	tree_write(&image, "/var/lib/dpkg/status.d/base.md5sums",
		   A32 "  ./etc/debian_version\n" A32 "  usr/lib/os-release\n");
	assert_int_equal(package_db_open(&package_db_dpkg, &image.host, &db), PACKAGE_DB_FOUND);
	describe(db);
	assert_string_equal(text, "base-files 12.4 amd64 installed\n"
				  "/etc/debian_version lm 01ef\n/usr/lib/os-release lm 01ef\n");
	assert_string_equal(image.gaps, "");
	package_db_close(db);
	tree_remove(&image);
}

static void stanza_traps(void **state)
{
	static const struct {
		const char *status;
		const char *packages;
		const char *gaps;
	} table[] = {
		{"Package: p\r\nStatus: install ok installed\r\nVersion: 1\r\n\r\n"
		 "package: q\nSTATUS:install ok installed\nversion:\t 2 \n",
		 "p 1  installed\nq 2  installed\n", ""},
		{"\n\n\nPackage: p\n" INSTALLED "\n\n\n", "p 1 amd64 installed\n", ""},
		{"Package: p\n" INSTALLED "\nPackage: p\n" INSTALLED, "p 1 amd64 installed\n",
		 STATUS " duplicate 1\n"},
		{"Package: p\nPackage: q\n" INSTALLED, "p 1 amd64 installed\n",
		 STATUS " malformed 1\n"},
		{"Package: ../../etc/shadow\n" INSTALLED "\nPackage: .hidden\n" INSTALLED
		 "\nPackage: a b\n" INSTALLED "\nPackage: p\n" INSTALLED,
		 "p 1 amd64 installed\n", STATUS " bad-name 3\n"},
		{"Package: p\nStatus: install ok installed\nVersion: 1\nArchitecture: ../x\n"
		 "\nPackage: q\n" INSTALLED,
		 "q 1 amd64 installed\n", STATUS " bad-name 1\n"},
		{"Status: install ok installed\n\nPackage: p\n" INSTALLED, "p 1 amd64 installed\n",
		 STATUS " no-name 1\n"},
		{"Package: p\nno colon here\n" INSTALLED
		 "Description: x\n Package: not\n\tVersion: 9\n",
		 "p 1 amd64 installed\n", STATUS " malformed 1\n"},
		{"Package: p\nVersion: 1\nArchitecture: all", "p 1 all partial\n",
		 STATUS " status-unknown 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct package_db *db;
		char list[256];

		tree_write(&tree, STATUS, table[i].status);
		text[0] = tree.gaps[0] = '\0';
		db = open_db();
		for (uint32_t j = 0; j < package_db_count(db); j++) {
			struct package package;

			package_db_package(db, j, &package);
			(void)snprintf(list, sizeof(list), INFO "%.*s.list", BYTES(package.name));
			tree_write(&tree, list, "");
		}
		describe(db);
		assert_string_equal(text, table[i].packages);
		assert_string_equal(tree.gaps, table[i].gaps);
		package_db_close(db);
	}
}

static void long_lines_and_nul_bytes_are_told(void **state)
{
	static char status[200000];
	struct package_db *db;
	size_t len;

	(void)state;
	len = (size_t)snprintf(status, sizeof(status), "Package: p\n" INSTALLED "Description: ");
	memset(status + len, 'x', 150000);
	len += 150000;
	len += (size_t)snprintf(status + len, sizeof(status) - len,
				"\nSource: s\n\nPackage: q\n" INSTALLED "Source: ");
	memset(status + len, 'y', 1000);
	len += 1000;
	len += (size_t)snprintf(status + len, sizeof(status) - len, "\n\nPackage: n");
	status[len++] = '\0';
	len += (size_t)snprintf(status + len, sizeof(status) - len, "ul\n" INSTALLED);
	tree_write_bytes(&tree, STATUS, status, len);
	db = open_db();
	assert_int_equal(package_db_count(db), 2);
	assert_string_equal(tree.gaps, STATUS " line-long 1\n" STATUS " value-long 1\n" STATUS
					      " bad-name 1\n");
	package_db_close(db);
}

static void list_traps(void **state)
{
	(void)state;
	check_claims("/.\n/usr\n/usr/share\n/usr/share/z\n/usr/share-x\n/usr/share/a\n", NULL, NULL,
		     "/ l\n/usr l\n/usr/share l\n/usr/share/a l\n/usr/share/z l\n/usr/share-x l\n",
		     "");
	/* As dpkg cleans paths; twice is once. */
	check_claims("/usr/\n//usr//a\n/usr/./a\n/usr/a/.\n/b/", NULL, NULL,
		     "/b l\n/usr l\n/usr/a l\n", "");
	check_claims("usr/bin/x\n/usr/bin/../bin/y\n/..\n\n/ok\n/...\n", NULL, NULL,
		     "/... l\n/ok l\n",
		     INFO "p.list path-relative 1\n" INFO "p.list path-dotdot 2\n" INFO
			  "p.list path-empty 1\n");
	/* Carriage returns and blanks belong to names. */
	check_claims("/a b\n/c\r\n/ d \n", NULL, NULL, "/ d  l\n/a b l\n/c\r l\n", "");
}

static void sums_traps(void **state)
{
	(void)state;
	check_claims("/a\n/b\n/c\n/d\n", A32 "  a\n" A32 " *b\n" A32 "  ./c\n" A32 "  /d\n", NULL,
		     "/a lm 01ef\n/b lm 01ef\n/c lm 01ef\n/d lm 01ef\n", "");
	check_claims("/a\n", "", NULL, "/a l\n", "");
	check_claims("/a\n", A32 "  only-here\n", NULL, "/a l\n/only-here m 01ef\n", "");
	check_claims("/a\n",
		     "0123  a\n" A32 "a  a\nx" A32 "  a\n" A32 "\n" A32 "  \n" A32 "  ../a\n", NULL,
		     "/a l\n", INFO "p.md5sums malformed 5\n" INFO "p.md5sums path-dotdot 1\n");
	/* Two digests for one path: both are told. */
	check_claims("/a\n", B32 "  a\n" A32 "  a\n" B32 "  a\n", NULL,
		     "/a lm 01ef\n/a lm ffff repeat\n", "");
	check_claims("/a\n",
		     "00000000000000000000000000000001  a\n00000000000000000000000000000002  a\n"
		     "00000000000000000000000000000003  a\n00000000000000000000000000000004  a\n"
		     "00000000000000000000000000000005  a\n",
		     NULL, "/a lm 0001\n/a lm 0002 repeat\n/a lm 0003 repeat\n/a lm 0004 repeat\n",
		     "/var/lib/dpkg/info repeats 1\n");
}

static void conffile_traps(void **state)
{
	(void)state;
	check_claims("/etc/a\n/etc/b c\n/etc/n\n/etc/o\n/etc/r\n", NULL,
		     " /etc/a " A32 "\n /etc/b c " A32 "\n /etc/n newconffile\n"
		     " /etc/o " A32 " obsolete\n /etc/r " A32 " remove-on-upgrade\n"
		     " /etc/or " A32 " obsolete remove-on-upgrade\n /etc/obsolete " A32
		     "\n /etc/none -\n",
		     "/etc/a lc 01ef\n/etc/b c lc 01ef\n/etc/n lcn\n/etc/none c\n/etc/o lco 01ef\n"
		     "/etc/obsolete c 01ef\n/etc/or cor 01ef\n/etc/r lcr 01ef\n",
		     "");
	/* Listed in .md5sums too, agreeing and not. */
	check_claims("/etc/a\n", A32 "  etc/a\n", " /etc/a " A32 "\n", "/etc/a lmc 01ef\n", "");
	check_claims("/etc/a\n", A32 "  etc/a\n", " /etc/a newconffile\n", "/etc/a lmcn 01ef\n",
		     "");
	check_claims("/etc/a\n", A32 "  etc/a\n", " /etc/a " B32 "\n",
		     "/etc/a lmc 01ef\n/etc/a lmc ffff repeat\n", "");
	check_claims("/etc/a\n", "", " /etc/a\n " A32 "\n /etc/a 123\n etc/x " A32 "\n",
		     "/etc/a l\n",
		     STATUS " conffile-malformed 1\n" STATUS " conffile-malformed 1\n" STATUS
			    " conffile-malformed 1\n" STATUS " path-relative 1\n");
}

static void diverted_file_lives_elsewhere(void **state)
{
	(void)state;
	tree_write(&tree, "/var/lib/dpkg/diversions",
		   "/usr/bin/x\n/usr/bin/x.other\nother\n/usr/bin/y\n/usr/bin/y.p\np\n"
		   "/usr/bin/z\n/usr/bin/z.distrib\n:\n");
	check_claims("/usr/bin/x\n/usr/bin/y\n/usr/bin/z\n", A32 "  usr/bin/x\n", NULL,
		     "/usr/bin/x lm at /usr/bin/x.other 01ef\n/usr/bin/y l\n"
		     "/usr/bin/z l at /usr/bin/z.distrib\n",
		     "");
}

static bool add_path(void *context, struct bytes path)
{
	(void)context;
	text_add(text, sizeof(text), "%.*s\n", BYTES(path));
	return true;
}

static void owned_is_the_place_and_never_what_only_sums_name(void **state)
{
	struct package_db *db;

	(void)state;
	tree_write(&tree, "/var/lib/dpkg/diversions", "/usr/bin/x\n/usr/bin/x.other\nother\n");
	tree_write(&tree, STATUS, "Package: p\n" INSTALLED "Conffiles:\n /etc/left " A32 "\n");
	tree_write(&tree, INFO "p.list", "/usr/bin/x\nrelative\n/..\n");
	tree_write(&tree, INFO "p.md5sums", A32 "  usr/bin/evil\n");
	db = open_db();
	assert_true(package_db_owned(db, add_path, NULL));
	assert_string_equal(text, "/usr/bin/x.other\n/etc/left\n");
	assert_string_equal(tree.gaps, "");
	package_db_close(db);
}

static void usrmerge_aliases_are_mapped_only_where_exact(void **state)
{
	(void)state;
	tree_link(&tree, "/bin", "usr/bin");
	tree_link(&tree, "/sbin", "/usr/sbin");
	tree_link(&tree, "/lib", "usr/lib64");
	tree_link(&tree, "/lib64", "usr/lib64/");
	tree_link(&tree, "/lib32", "../usr/lib32");
	check_claims("/bin\n/bin/cat\n/usr/bin/cat\n/sbin/init\n/lib/x\n/lib64/x\n/lib32/x\n"
		     "/libx32/x\n/binary/x\n",
		     A32 "  bin/cat\n", " /bin/conf " A32 "\n",
		     "/bin l alias\n/binary/x l\n/lib/x l\n/lib32/x l\n/lib64/x l\n/libx32/x l\n"
		     "/usr/bin/cat lm 01ef\n/usr/bin/conf c 01ef\n/usr/sbin/init l\n",
		     "");
}

static void what_is_no_regular_file_is_told_and_never_waited_for(void **state)
{
	struct package_db *db;

	(void)state;
	tree_write(&tree, STATUS,
		   "Package: a\n" INSTALLED "\nPackage: b\n" INSTALLED "\nPackage: c\n" INSTALLED
		   "\nPackage: d\n" INSTALLED);
	assert_int_equal(mkfifo(tree_path(&tree, INFO "a.list"), 0644), 0);
	tree_write(&tree, "/etc/elsewhere", "/usr/bin/evil\n");
	tree_link(&tree, INFO "b.list", "/etc/elsewhere");
	tree_dir(&tree, INFO "c.list");
	tree_link(&tree, "/var/lib/dpkg/diversions", "/etc/elsewhere");
	db = open_db();
	describe(db);
	assert_null(strstr(text, "evil"));
	assert_string_equal(tree.gaps, "/var/lib/dpkg/diversions symlink 1\n" INFO
				       "a.list not-regular 1\n" INFO "b.list symlink 1\n" INFO
				       "c.list not-regular 1\n" INFO "d.list absent 1\n");
	/* Told once. */
	describe(db);
	assert_int_equal(strlen(tree.gaps),
			 strlen("/var/lib/dpkg/diversions symlink 1\n" INFO
				"a.list not-regular 1\n" INFO "b.list symlink 1\n" INFO
				"c.list not-regular 1\n" INFO "d.list absent 1\n"));
	package_db_close(db);
}

static void exceptions_are_records(void **state)
{
	struct package_db *db;

	(void)state;
	tree_link(&tree, "/bin", "usr/bin");
	tree_write(&tree, STATUS, "Package: p\n" INSTALLED);
	tree_write(&tree, "/var/lib/dpkg/diversions",
		   "/bin/sh\n/bin/sh.distrib\ndash\n/a\n/b\n:\n/half\n");
	tree_write(&tree, "/var/lib/dpkg/statoverride",
		   "root #42 4755 /bin/a b\nroot root 755\n\nnobody adm 640 /x\n");
	tree_write(&tree, "/etc/dpkg/dpkg.cfg",
		   "# path-exclude /no\nno-debsig\n  path-exclude = "
		   "\"/usr/share/doc/*\"\nadmindir=/x\n");
	tree_write(&tree, "/etc/dpkg/dpkg.cfg.d/docker", "--path-include /usr/share/doc/*/copy\n");
	tree_write(&tree, "/etc/dpkg/dpkg.cfg.d/ignored.conf", "path-exclude=/never\n");
	tree_write(&tree, "/root/.dpkg.cfg", "path-exclude=/home\n");
	tree_link(&tree, "/etc/alternatives/editor", "/bin/nano");
	tree_link(&tree, "/etc/alternatives/editor.1.gz", "/usr/share/man/man1/nano.1.gz");
	tree_write(&tree, "/etc/alternatives/broken", "no link");
	tree_write(&tree, "/var/lib/dpkg/alternatives/editor",
		   "auto\n/bin/editor\neditor.1.gz\n/usr/share/man/man1/editor.1.gz\n\n/bin/"
		   "nano\n40\n");
	tree_write(&tree, "/var/lib/dpkg/alternatives/broken", "manual\n/usr/bin/broken\n\n");
	tree_write(&tree, "/var/lib/dpkg/alternatives/worse", "sometimes\n/usr/bin/worse\n\n");
	db = open_db();
	assert_true(package_db_records(db, SECTION_EXCEPTIONS, 0, add_record, NULL));
	assert_string_equal(text,
			    "path-exclude|/home|/root/.dpkg.cfg\n"
			    "path-exclude|/usr/share/doc/*|/etc/dpkg/dpkg.cfg\n"
			    "path-include|/usr/share/doc/*/copy|/etc/dpkg/dpkg.cfg.d/docker\n"
			    "diversion|/a|/b|:\n"
			    "diversion|/usr/bin/sh|/usr/bin/sh.distrib|dash\n"
			    "alternative|broken|/usr/bin/broken|manual|\n"
			    "alternative|editor|/usr/bin/editor|auto|/bin/nano\n"
			    "statoverride|/x|nobody|adm|640\n"
			    "statoverride|/usr/bin/a b|root|#42|4755\n"
			    "alternative-slave|editor.1.gz|/usr/share/man/man1/editor.1.gz|auto|"
			    "/usr/share/man/man1/nano.1.gz\n");
	assert_non_null(strstr(tree.gaps, "/var/lib/dpkg/diversions malformed 1\n"));
	assert_non_null(strstr(tree.gaps, "/var/lib/dpkg/statoverride malformed 1\n"));
	assert_non_null(strstr(tree.gaps, "/var/lib/dpkg/alternatives/worse malformed 1\n"));
	assert_non_null(strstr(tree.gaps, "/etc/dpkg/dpkg.cfg redirected 1\n"));
	package_db_close(db);
}

static void change_under_the_reader_is_seen(void **state)
{
	static const char *const files[] = {
		STATUS,
		"/var/lib/dpkg/diversions",
		"/var/lib/dpkg/statoverride",
		"/var/lib/dpkg/info/new.list",
		"/var/lib/dpkg/updates/0001",
		"/etc/dpkg/dpkg.cfg",
	};

	(void)state;
	tree_dir(&tree, "/var/lib/dpkg/updates");
	tree_write(&tree, STATUS, "Package: p\n" INSTALLED);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct package_db *db = open_db();

		assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
		tree_write(&tree, files[i], "Package: p\n\n" INSTALLED);
		assert_int_equal(package_db_check(db), PACKAGE_DB_CHANGED);
		package_db_close(db);
	}
}

static void lock_of_another_process_is_seen(void **state)
{
	static const char *const names[] = {"/var/lib/dpkg/lock", "/var/lib/dpkg/lock-frontend"};
	struct package_db *db;

	(void)state;
	tree_write(&tree, STATUS, "Package: p\n" INSTALLED);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int ready[2];
		int hold[2];
		char byte;
		pid_t child;

		tree_write(&tree, names[i], "");
		db = open_db();
		assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
		assert_int_equal(pipe(ready), 0);
		assert_int_equal(pipe(hold), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
			int fd = open(tree_path(&tree, names[i]), O_RDWR);

			(void)close(hold[1]);
			if (fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1) {
				_exit(1);
			}
			(void)read(hold[0], &byte, 1);
			_exit(0);
		}
		(void)close(hold[0]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		assert_int_equal(package_db_check(db), PACKAGE_DB_LOCKED);
		(void)close(hold[1]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
		(void)close(ready[0]);
		(void)close(ready[1]);
		package_db_close(db);
	}
}

static void lock_that_cannot_be_asked_about_is_told_once(void **state)
{
	struct package_db *db;

	(void)state;
	tree_write(&tree, STATUS, "Package: p\n" INSTALLED);
	tree_dir(&tree, "/var/lib/dpkg/lock");
	db = open_db();
	assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
	assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
	assert_string_equal(tree.gaps, "/var/lib/dpkg/lock lock-unknown 1\n");
	package_db_close(db);
}

static void stamp_follows_what_is_said_of_one_package(void **state)
{
	struct package_db *db;
	uint64_t a;
	uint64_t b;

	(void)state;
	tree_write(&tree, STATUS, "Package: a\n" INSTALLED "\nPackage: b\n" INSTALLED);
	tree_write(&tree, INFO "a.list", "/a\n");
	tree_write(&tree, INFO "b.list", "/b\n");
	db = open_db();
	a = package_db_stamp(db, 0);
	b = package_db_stamp(db, 1);
	assert_true(a != 0 && a != b);
	tree_write(&tree, INFO "a.list", "/a\n/evil\n");
	assert_true(package_db_stamp(db, 0) != a);
	assert_true(package_db_stamp(db, 1) == b);
	package_db_close(db);
}

static void directories_are_resolved_below_the_root(void **state)
{
	static const struct {
		const char *path;
		const char *target;
	} links[] = {
		{"/abs", "/data/dpkg"},
		{"/rel", "data/dpkg"},
		{"/data/up", "../../data"},
		{"/chain", "rel/../up/dpkg/."},
	};
	static const struct {
		const char *path;
		bool is_there;
	} table[] = {
		{"/abs", true},       {"/rel", true},
		{"/chain", true},     {"//abs//", true},
		{"/abs/../", true},   {"/loop", false},
		{"/file", false},     {"/missing", false},
		{"/dangling", false}, {"/../../data/dpkg", true},
	};

	(void)state;
	tree_write(&tree, "/data/dpkg/mark", "x");
	tree_write(&tree, "/data/mark", "x");
	tree_write(&tree, "/file", "x");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		tree_link(&tree, links[i].path, links[i].target);
	}
	tree_link(&tree, "/loop", "loop2");
	tree_link(&tree, "/loop2", "loop");
	tree_link(&tree, "/dangling", "nowhere/at/all");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int fd = package_dir_open(tree.root_fd, table[i].path);

		assert_true((fd >= 0) == table[i].is_there);
		if (fd >= 0) {
			assert_int_equal(faccessat(fd, "mark", F_OK, 0), 0);
			(void)close(fd);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_database_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(database_without_status_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(status_word_decides_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_is_newer_than_status, setup, teardown),
		cmocka_unit_test_setup_teardown(
			multi_arch_same_names_its_files_with_the_architecture, setup, teardown),
		cmocka_unit_test_setup_teardown(distroless_packages_are_read_from_status_d, setup,
						teardown),
		cmocka_unit_test_setup_teardown(stanza_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lines_and_nul_bytes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(list_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(sums_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(conffile_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(diverted_file_lives_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(owned_is_the_place_and_never_what_only_sums_name,
						setup, teardown),
		cmocka_unit_test_setup_teardown(usrmerge_aliases_are_mapped_only_where_exact, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_regular_file_is_told_and_never_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(exceptions_are_records, setup, teardown),
		cmocka_unit_test_setup_teardown(change_under_the_reader_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_of_another_process_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_that_cannot_be_asked_about_is_told_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(stamp_follows_what_is_said_of_one_package, setup,
						teardown),
		cmocka_unit_test_setup_teardown(directories_are_resolved_below_the_root, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
