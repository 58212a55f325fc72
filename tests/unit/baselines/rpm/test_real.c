// SPDX-License-Identifier: MIT
/*
 * Headers of real packages, as the probe's reader hands them out, held against rpm's own reading
 * of the same database. The databases are looked for in ../shared/data/rpmdb; the test skips, and
 * says so, where they are absent or no rpm is here that reads them.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "baselines/rpm/manifest.h"
#include "baselines/rpm/section.h"
#include "tests/rpm/sections.h"

#define DATA "../shared/data/rpmdb/"
#define TEXT_ROOM ((size_t)4 << 20)
#define BYTES(b) (int)(b).len, (const char *)(b).data

static const struct format {
	const char *file;
	const char *name; /* in the database directory */
	const char
		*backend; /* rpm's word for it; NULL: its headers are put into an sqlite database */
	size_t packages;
	size_t files;
} formats[] = {
	{"bdb-Packages", "Packages", "bdb_ro", 3, 155},
	{"ndb-Packages.db", "Packages.db", NULL, 3, 2459},
	{"rpmdb.sqlite", "rpmdb.sqlite", "sqlite", 9, 347},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* What rpm knows of each file, in the order of print_file. */
static const char query[] =
	"[%{=NAME} %{=EPOCHNUM}:%{=VERSION}-%{=RELEASE} %{=ARCH} %{FILENAMES} "
	"%{FILEMODES:octal} %{FILEUSERNAME} %{FILEGROUPNAME} %{LONGFILESIZES} %{FILEMTIMES} "
	"%{FILERDEVS} %{FILEFLAGS:hex} %{FILEVERIFYFLAGS:hex} %{FILECOLORS} %{FILEINODES} "
	"%{FILECAPS} %{FILEDIGESTS} %{FILELINKTOS}\n]";

static char root[64];

static bool make_root(const struct format *format)
{
	char from[128], command[512];

	(void)snprintf(from, sizeof(from), DATA "%s", format->file);
	if (access(from, R_OK) != 0) {
		print_message("SKIP: no " DATA "%s\n", format->file);
		return false;
	}
	(void)snprintf(root, sizeof(root), "/tmp/muster-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	(void)snprintf(command, sizeof(command),
		       "mkdir -p %s/var/lib/rpm && cp %s %s/var/lib/rpm/%s", root, from, root,
		       format->name);
	assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a fixed command
	return true;
}

static void remove_root(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a fixed command
}

static const char *number_or_none(char *to, size_t room, bool is_there, uint32_t number)
{
	(void)snprintf(to, room, "%" PRIu32, number);
	return is_there ? to : "(none)";
}

static size_t print_file(char *to, size_t room, const struct rpm_header *h,
			 const struct rpm_file *f)
{
	char digest[2 * RPM_DIGEST_MAX + 1] = "", color[16], inode[16];
	int len;

	for (size_t i = 0; i < f->digest.len; i++) {
		(void)snprintf(digest + 2 * i, 3, "%02x", f->digest.data[i]);
	}
	len = snprintf(
		to, room,
		"%.*s %.*s %.*s %.*s %o %.*s %.*s %" PRIu64 " %u %u %x %x %s %s %.*s %s %.*s\n",
		BYTES(h->name), BYTES(h->evr), BYTES(h->arch), BYTES(f->path), f->mode,
		BYTES(f->user), BYTES(f->group), f->size, f->mtime_s, f->rdev, f->flags, f->verify,
		number_or_none(color, sizeof(color), h->columns & RPM_HAS_COLORS, f->color),
		number_or_none(inode, sizeof(inode), h->columns & RPM_HAS_INODES, f->inode),
		BYTES(h->columns & RPM_HAS_CAPS ? f->caps : BYTES_LITERAL("(none)")), digest,
		BYTES(f->link));
	assert_true(len > 0 && (size_t)len < room);
	return (size_t)len;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines of a text. */
static char *sorted(char *lines)
{
	size_t room = strlen(lines) + 1, count = 0, len = 0;
	char **line = calloc(room, sizeof(char *)), *made = calloc(room + 1, 1), *save = NULL;

	assert_true(line && made);
	for (char *next = strtok_r(lines, "\n", &save); next; next = strtok_r(NULL, "\n", &save)) {
		line[count++] = next;
	}
	qsort(line, count, sizeof(char *), compare_lines);
	for (size_t i = 0; i < count; i++) {
		len += (size_t)snprintf(made + len, room + 1 - len, "%s\n", line[i]);
	}
	free(line);
	return made;
}

static bool ask_rpm(const struct format *format, char *answer)
{
	const char *backend = format->backend ? format->backend : "sqlite";
	const char *folder = format->backend ? "var/lib/rpm" : "converted";
	char command[1024];
	size_t len;
	FILE *rpm;

	if (!format->backend) {
		(void)snprintf(command, sizeof(command),
			       "mkdir %s/converted && rpm --define '_db_backend sqlite' --dbpath "
			       "%s/converted --initdb && tests/rpm/ndb_to_sqlite.py "
			       "%s/var/lib/rpm/%s %s/converted/rpmdb.sqlite",
			       root, root, root, format->name, root);
		if (system(command) != 0) { // NOLINT(cert-env33-c): a fixed command
			return false;
		}
	}
	(void)snprintf(command, sizeof(command),
		       "rpm --define '_db_backend %s' --dbpath %s/%s -qa --qf '%s' 2>/dev/null",
		       backend, root, folder, query);
	rpm = popen(command, "r"); // NOLINT(cert-env33-c): rpm is the oracle
	assert_non_null(rpm);
	len = fread(answer, 1, TEXT_ROOM - 1, rpm);
	answer[len] = '\0';
	return pclose(rpm) == 0 && len > 0;
}

/* Of one [header] section: its files as lines. */
static size_t read_header(const struct rpm_section_of *section, char *text, size_t room)
{
	struct rpm_section items;
	const struct rpm_item *region;
	struct rpm_header *header = NULL;
	struct manifest *manifest = NULL;
	struct error err = {0};
	size_t len = 0;

	assert_int_equal(rpm_section_read(section->content, &items, &err), 0);
	region = rpm_section_find(&items, RPM_ITEM_REGION, 63);
	assert_non_null(region);
	assert_int_equal(rpm_header_parse(region->value, &header, &err), 0);
	assert_true(bytes_equal(header->name, section->key.part[2]));
	assert_true(bytes_equal(header->evr, section->key.part[3]));
	assert_true(bytes_equal(header->arch, section->key.part[4]));
	assert_int_equal(rpm_manifest_make(header, "test", "", &manifest, &err), 0);
	assert_int_equal(manifest->count, header->file_count);
	for (size_t i = 0; i < header->file_count; i++) {
		len += print_file(text + len, room - len, header, &header->files[i]);
	}
	manifest_free(manifest);
	rpm_header_free(header);
	rpm_section_clear(&items);
	return len;
}

static void files_are_what_rpm_says(void **state)
{
	char *text = malloc(TEXT_ROOM), *answer = malloc(TEXT_ROOM);

	(void)state;
	assert_true(text && answer);
	for (size_t i = 0; i < FORMATS; i++) {
		struct rpm_sections sections;
		size_t len = 0, packages = 0, files = 0;

		if (!make_root(&formats[i])) {
			free(text);
			free(answer);
			skip();
		}
		text[0] = '\0';
		assert_int_equal(rpm_sections_read(root, &sections), 0);
		for (size_t j = 0; j < sections.count; j++) {
			if (sections.section[j].key.kind == SECTION_HEADER) {
				len += read_header(&sections.section[j], text + len,
						   TEXT_ROOM - len);
				packages++;
			}
		}
		for (size_t at = 0; at < len; at++) {
			files += text[at] == '\n';
		}
		assert_int_equal(packages, formats[i].packages);
		assert_int_equal(files, formats[i].files);
		if (ask_rpm(&formats[i], answer)) {
			char *ours = sorted(text), *theirs = sorted(answer);

			assert_string_equal(ours, theirs);
			print_message("%s: %zu files as rpm has them\n", formats[i].name, files);
			free(ours);
			free(theirs);
		} else {
			print_message("SKIP: no rpm here that reads %s\n", formats[i].name);
		}
		rpm_sections_free(&sections);
		remove_root();
	}
	free(text);
	free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_what_rpm_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
