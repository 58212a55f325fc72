// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "baselines/mtree.h"

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MD5_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct manifest *parse(const char *text)
{
	struct manifest *manifest = NULL;
	struct error err = {0};

	if (mtree_parse("t.mtree", bytes_from_string(text), &manifest, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return manifest;
}

static void refuse(const char *text, const char *message)
{
	struct manifest *manifest = NULL;
	struct error err = {0};

	assert_int_equal(mtree_parse("t.mtree", bytes_from_string(text), &manifest, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_null(manifest);
	if (!strstr(err.msg, message)) {
		fail_msg("%s, not %s", err.msg, message);
	}
}

static char *write_text(const struct manifest *manifest)
{
	struct error err = {0};
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(mtree_write(manifest->entries, manifest->count, NULL, &text, &len, &err),
			 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void assert_bytes(struct bytes bytes, const char *text)
{
	assert_int_equal(bytes.len, strlen(text));
	assert_memory_equal(bytes.data, text, bytes.len);
}

/* One line of each kind, normal: what is read is written again byte for byte. */
static const char normal[] =
	"#mtree\n"
	". type=dir mode=0755 uname=root gname=root\n"
	"./dev/null type=char mode=0666 uname=root gname=root device=linux,1,3\n"
	"./etc/foo.conf type=file mode=0644 uname=root gname=#107 size=3 time=1700000000.0"
	" sha256=" DIGEST_A " optional tags=,config,noreplace,\n"
	"./etc/tree type=file size=4 sha256=" DIGEST_A "\n"
	"./run/x type=fifo mode=0600 uname=root gname=root\n"
	"./run/y type=socket mode=0600 uname=root gname=root\n"
	"./usr/bin/ping type=file mode=4755 uname=root gname=root size=90568 time=-5.0"
	" sha256=" DIGEST_A " md5=" MD5_B
	" tags=,hardlink,caps:0100000200200000,acl:0200,flags:ia,magic:elf,\n"
	"./usr/bin/sp\\040ace type=link mode=0777 uname=root gname=root time=1.0 link=a\\040b\n"
	"./usr/bin-x type=block mode=0660 uname=root gname=disk device=linux,8,1\n"
	"./var/d type=dir mode=2755 uname=a\\040b gname=root optional tags=,dacl:00,\n"
	"./var/ghost type=file mode=0644 uname=root gname=root size=0 time=1.0 sha256=" DIGEST_A
	" tags=,nocontent,nomode,notime,caps:,\n";

static void normal_text_is_written_as_it_was_read(void **state)
{
	char expected[sizeof(normal)], source[sizeof(normal) + 16], *text, *hash;
	struct manifest *manifest;

	(void)state;
	/* A group that begins with # is escaped. */
	memcpy(expected, normal, sizeof(normal));
	hash = strstr(expected, "gname=#107");
	assert_non_null(hash);
	(void)snprintf(source, sizeof(source), "%.*sgname=\\043107%s", (int)(hash - expected),
		       expected, hash + strlen("gname=#107"));
	manifest = parse(source);
	text = write_text(manifest);
	assert_string_equal(text, source);
	free(text);
	manifest_free(manifest);
}

static void fields_mean_what_they_say(void **state)
{
	struct manifest *manifest = parse(normal);
	const struct manifest_entry *entry;

	(void)state;
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/bin/ping"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.type, ENTRY_FILE);
	assert_int_equal(entry->entry.mode, 04755);
	assert_true(entry->entry.has_size && entry->entry.size == 90568);
	assert_true(entry->entry.has_mtime && entry->entry.mtime_s == -5);
	assert_true(entry->entry.has_sha256 && entry->entry.sha256.bytes[31] == 0xaa);
	assert_true(entry->has_md5 && entry->md5[15] == 0xbb);
	assert_int_equal(entry->entry.caps.len, 8);
	assert_int_equal(entry->entry.acl.len, 2);
	assert_int_equal(entry->entry.flags, ENTRY_IMMUTABLE | ENTRY_APPEND);
	assert_int_equal(entry->tags, MANIFEST_HARDLINK | MANIFEST_CAPS);
	entry = manifest_find(manifest, BYTES_LITERAL("/etc/foo.conf"));
	assert_non_null(entry);
	assert_int_equal(entry->tags, MANIFEST_CONFIG | MANIFEST_NOREPLACE | MANIFEST_OPTIONAL);
	assert_bytes(entry->entry.group, "#107");
	entry = manifest_find(manifest, BYTES_LITERAL("/etc/tree"));
	assert_non_null(entry);
	assert_int_equal(entry->tags, MANIFEST_NOMODE | MANIFEST_NOTIME);
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/bin/sp ace"));
	assert_non_null(entry);
	assert_bytes(entry->entry.link, "a b");
	entry = manifest_find(manifest, BYTES_LITERAL("/"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.type, ENTRY_DIR);
	assert_null(manifest_find(manifest, BYTES_LITERAL("/usr")));
	assert_null(manifest_find(manifest, BYTES_LITERAL("/zzz")));
	assert_int_equal(manifest->trust, MANIFEST_UNSIGNED);
	manifest_free(manifest);
}

static void entries_are_sorted_by_component(void **state)
{
	struct manifest *manifest = parse("./usr/bin-x type=dir\n./usr/bin/a type=dir\n"
					  "./usr/bin type=dir\n./a type=dir\n");

	(void)state;
	assert_int_equal(manifest->count, 4);
	assert_bytes(manifest->entries[0].entry.path, "/a");
	assert_bytes(manifest->entries[1].entry.path, "/usr/bin");
	assert_bytes(manifest->entries[2].entry.path, "/usr/bin/a");
	assert_bytes(manifest->entries[3].entry.path, "/usr/bin-x");
	manifest_free(manifest);
}

static void foreign_mtree_is_read(void **state)
{
	struct manifest *manifest = parse("#mtree\n"
					  "# comment\n"
					  "/set type=file uid=0 gid=12 mode=0644 nlink=1\n"
					  ".               type=dir mode=0755\n"
					  "    usr         type=dir mode=0755\n"
					  "        a.txt   size=3 \\\n"
					  "                sha256digest=" DIGEST_A
					  " time=1.123456789\n"
					  "        ..\n"
					  "    b           type=link link=usr/a.txt\n"
					  "/unset gid nlink\n"
					  "usr/share/c\\sd size=1 sha1=00 flags=uarch\n"
					  "..\n");
	const struct manifest_entry *entry;

	(void)state;
	assert_int_equal(manifest->count, 5);
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/a.txt"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.mode, 0644);
	assert_bytes(entry->entry.owner, "root");
	assert_bytes(entry->entry.group, "#12");
	assert_true(entry->entry.has_sha256);
	assert_int_equal(entry->entry.mtime_s, 1);
	assert_non_null(manifest_find(manifest, BYTES_LITERAL("/b")));
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/share/c d"));
	assert_non_null(entry);
	assert_int_equal(entry->tags, MANIFEST_NOMODE | MANIFEST_NOTIME | MANIFEST_NOCONTENT);
	manifest_free(manifest);
}

static void faults_name_file_and_line(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} faults[] = {
		{"#mtree\n\n./a type=file moed=0644\n",
		 "t.mtree:3: unknown keyword moed (did you mean mode?)"},
		{"./a type=file \\\n\\\n tags=,confg,\n",
		 "t.mtree:1: unknown tag confg (did you mean"},
		{"./a type=dir\n./b\n", "t.mtree:2: type= is missing"},
		{"./a type=dir\n./b type=dir\n./a type=dir\n",
		 "t.mtree:3: /a stands twice, first in line 1"},
		{"./a type=fil\n", "bad value of type"},
		{"./a type=file mode=0999\n", "bad value of mode"},
		{"./a type=file mode=10000\n", "bad value of mode"},
		{"./a type=file size=\n", "bad value of size"},
		{"./a type=file size=18446744073709551616\n", "bad value of size"},
		{"./a type=file size\n", "a value is missing after size"},
		{"./a type=file optional=1\n", "no value may follow optional"},
		{"./a type=file size=1 size=2\n", "given twice: size"},
		{"./a type=file sha256=00\n", "bad value of sha256"},
		{"./a type=file md5=" DIGEST_A "\n", "bad value of md5"},
		{"./a type=file time=1.x\n", "bad value of time"},
		{"./a type=file link=b\n", "link= belongs to type=link only"},
		{"./a type=link\n", "link= is missing"},
		{"./a type=link link=a\\000b\n", "bad value of link"},
		{"./a type=dir sha256=" DIGEST_A "\n", "a digest belongs to type=file only"},
		{"./a type=char\n", "device= is missing"},
		{"./a type=char device=linux,1\n", "bad value of device"},
		{"./a type=file device=linux,1,2\n", "device= belongs to"},
		{"./a type=file tags=,caps:0,\n", "bad value in tag caps"},
		{"./a type=file tags=,flags:x,\n", "bad value in tag flags"},
		{"./a type=file tags=,config:1,\n", "unknown tag"},
		{"./a type=file tags=,caps,\n", "unknown tag"},
		{"/etc/a type=file\n", "a path begins with"},
		{"/set moed=1\n", "t.mtree:1: unknown keyword"},
		{"/unset moed\n", "t.mtree:1: unknown keyword"},
		{"./a/../b type=dir\n", "dotted component"},
		{"./a//b type=dir\n", "dotted component"},
		{"./a/ type=dir\n", "dotted component"},
		{"./. type=dir\n", "dotted component"},
		{"./a\\057..\\057b type=dir\n", "dotted component"},
		{"./a\\000 type=dir\n", "dotted component"},
		{"./a\\9 type=dir\n", "not escaped"},
		{"./a\\M-b type=dir\n", "not escaped"},
		{"./a type=dir\r\n", "t.mtree:1: a control byte"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		refuse(faults[i].text, faults[i].message);
	}
}

static void long_lines_and_paths_are_refused(void **state)
{
	char *text = malloc(MTREE_LINE_MAX + 64);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', MTREE_LINE_MAX + 32);
	text[0] = '.';
	text[1] = '/';
	(void)snprintf(text + MTREE_LINE_MAX + 16, 16, " type=dir\n");
	refuse(text, "t.mtree:1: the line is too long");
	(void)snprintf(text + ENTRY_PATH_MAX + 2, 16, " type=dir\n");
	refuse(text, "t.mtree:1: the path is too long");
	text[0] = 'd';
	refuse(text, "t.mtree:1: the path is too long");
	text[1] = 'a';
	refuse(text, "t.mtree:1: the path is too long");
	free(text);
}

static void truncation_never_harms(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(normal); len++) {
		uint8_t *cut = malloc(len ? len : 1);
		struct manifest *manifest = NULL;
		struct error err = {0};

		assert_non_null(cut);
		memcpy(cut, normal, len);
		if (mtree_parse("t", bytes_make(cut, len), &manifest, &err) == 0) {
			manifest_free(manifest);
		} else {
			assert_int_equal(err.kind, ERROR_CONFIG);
		}
		free(cut);
	}
}

static void trust_and_capture_are_read_only_above_the_entries(void **state)
{
	struct manifest *manifest = parse("#mtree\n# trust signed\n./a type=dir\n");

	(void)state;
	assert_int_equal(manifest->trust, MANIFEST_SIGNED);
	manifest_free(manifest);
	manifest = parse("#mtree\n./a type=dir\n# trust signed\n");
	assert_int_equal(manifest->trust, MANIFEST_UNSIGNED);
	manifest_free(manifest);
	manifest = parse("#mtree\n# captured\n./a type=dir\n");
	assert_true(manifest->captured);
	manifest_free(manifest);
	manifest = parse("#mtree\n./a type=dir\n# captured\n");
	assert_false(manifest->captured);
	manifest_free(manifest);
	manifest = parse("#mtree\n# trust signed by nobody\n./a type=dir\n");
	assert_int_equal(manifest->trust, MANIFEST_UNSIGNED);
	manifest_free(manifest);
}

/* A name of every byte but NUL and the slash, which libarchive must read as it was. */
static void libarchive_reads_what_is_written(void **state)
{
	uint8_t name[256];
	struct manifest_entry entries[3] = {0};
	struct manifest *manifest = NULL;
	struct archive *archive = archive_read_new();
	struct archive_entry *found;
	struct error err = {0};
	size_t len = 0;
	char *text;

	(void)state;
	name[len++] = '/';
	for (unsigned c = 1; c < 256; c++) {
		if (c != '/') {
			name[len++] = (uint8_t)c;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		entries[i].entry.type = i == 0 ? ENTRY_DIR : i == 1 ? ENTRY_FILE : ENTRY_LINK;
		entries[i].entry.mode = 0755;
		entries[i].entry.owner = BYTES_LITERAL("root");
		entries[i].entry.group = BYTES_LITERAL("ro-ot");
	}
	entries[0].entry.path = BYTES_LITERAL("/");
	entries[1].entry.path = bytes_make(name, len);
	entries[1].entry.has_size = true;
	entries[1].entry.size = 5;
	entries[1].entry.has_mtime = true;
	entries[1].entry.mtime_s = 1700000000;
	entries[2].entry.path = BYTES_LITERAL("/x");
	entries[2].entry.link = bytes_make(name, len);
	assert_int_equal(manifest_make(entries, 3, "s", "o", &manifest, &err), 0);
	text = write_text(manifest);

	assert_non_null(archive);
	assert_int_equal(archive_read_support_format_mtree(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, text, strlen(text)), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(archive, &found), ARCHIVE_OK);
	assert_int_equal(archive_entry_filetype(found), AE_IFDIR);
	assert_int_equal(archive_read_next_header(archive, &found), ARCHIVE_OK);
	assert_int_equal(strlen(archive_entry_pathname(found)), len + 1);
	assert_memory_equal(archive_entry_pathname(found) + 1, name, len);
	assert_int_equal(archive_entry_size(found), 5);
	assert_int_equal(archive_entry_mtime(found), 1700000000);
	assert_int_equal(archive_entry_perm(found), 0755);
	assert_string_equal(archive_entry_gname(found), "ro-ot");
	assert_int_equal(archive_read_next_header(archive, &found), ARCHIVE_OK);
	assert_memory_equal(archive_entry_symlink(found), name, len);
	assert_int_equal(archive_read_next_header(archive, &found), ARCHIVE_EOF);
	archive_read_free(archive);
	manifest_free(manifest);

	manifest = parse(text);
	assert_int_equal(manifest->count, 3);
	assert_true(bytes_equal(manifest->entries[1].entry.path, bytes_make(name, len)));
	manifest_free(manifest);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_text_is_written_as_it_was_read),
		cmocka_unit_test(fields_mean_what_they_say),
		cmocka_unit_test(entries_are_sorted_by_component),
		cmocka_unit_test(foreign_mtree_is_read),
		cmocka_unit_test(faults_name_file_and_line),
		cmocka_unit_test(long_lines_and_paths_are_refused),
		cmocka_unit_test(truncation_never_harms),
		cmocka_unit_test(trust_and_capture_are_read_only_above_the_entries),
		cmocka_unit_test(libarchive_reads_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
