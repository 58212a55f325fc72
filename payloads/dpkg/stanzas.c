// SPDX-License-Identifier: MIT
/* Which packages there are: status, the journal that is newer than it, status.d of distroless. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "payloads/dpkg/dpkg.h"
#include "payloads/dpkg/status.h"
#include "payloads/memory.h"

#define JOURNAL_FILES_MAX 1000 /* dpkg writes at most 250 before it folds them in */
#define JOURNAL_STANZAS_MAX 4000
#define FILE_NAME_ROOM 256

struct bytes dpkg_package_part(const struct dpkg_package *package, enum dpkg_part part)
{
	const size_t len[DPKG_PARTS] = {package->name_len,     package->version_len,
					package->arch_len,     package->status_len,
					package->source_len,   package->file_len,
					package->conffiles_len};
	const uint8_t *text = package->text;

	for (int i = 0; i < (int)part; i++) {
		text += len[i] + 1;
	}
	return bytes_make(text, len[part]);
}

static bool make_room(struct dpkg *dpkg)
{
	uint32_t room = dpkg->package_room ? dpkg->package_room * 2 : 512;
	struct dpkg_package *packages;

	if (dpkg->package_count < dpkg->package_room) {
		return true;
	}
	if (dpkg->package_count >= DPKG_STANZAS_MAX) {
		return false;
	}
	packages = memory_grow(dpkg->packages, room * sizeof(*packages));
	if (!packages) {
		return false;
	}
	dpkg->packages = packages;
	dpkg->package_room = room;
	return true;
}

/* Keeps a stanza's text. False at a limit. */
static bool package_make(struct dpkg *dpkg, const struct stanza *stanza, struct bytes file,
			 struct dpkg_package *package)
{
	const struct bytes none = {NULL, 0};
	const struct bytes parts[DPKG_PARTS] = {
		stanza->field[STANZA_PACKAGE],
		stanza->field[STANZA_VERSION],
		stanza->field[STANZA_ARCHITECTURE],
		file.len == 0 ? stanza->field[STANZA_STATUS] : none,
		stanza->field[STANZA_SOURCE],
		file,
		stanza->field[STANZA_CONFFILES],
	};
	size_t size = 0;
	struct bytes all;
	uint8_t text[DPKG_PARTS * (STANZA_VALUE_MAX + 1)];
	uint8_t *to = text;

	for (int i = 0; i < DPKG_CONFFILES; i++) {
		if (parts[i].len != 0) {
			memcpy(to, parts[i].data, parts[i].len);
		}
		to[parts[i].len] = '\0';
		to += parts[i].len + 1;
	}
	size = (size_t)(to - text);
	all.len = size + parts[DPKG_CONFFILES].len + 1;
	to = arena_take(&dpkg->arena, all.len);
	if (!to) {
		return false;
	}
	memcpy(to, text, size);
	if (parts[DPKG_CONFFILES].len != 0) {
		memcpy(to + size, parts[DPKG_CONFFILES].data, parts[DPKG_CONFFILES].len);
	}
	to[all.len - 1] = '\0';
	package->text = to;
	package->name_len = (uint16_t)parts[DPKG_NAME].len;
	package->version_len = (uint16_t)parts[DPKG_VERSION].len;
	package->arch_len = (uint16_t)parts[DPKG_ARCH].len;
	package->status_len = (uint16_t)parts[DPKG_STATUS].len;
	package->source_len = (uint16_t)parts[DPKG_SOURCE].len;
	package->file_len = (uint16_t)file.len;
	package->conffiles_len = (uint32_t)parts[DPKG_CONFFILES].len;
	package->word = (uint8_t)(file.len != 0 ? STATUS_INSTALLED
						: status_word_of(stanza->field[STANZA_STATUS]));
	package->is_multi_arch = bytes_equal_string(stanza->field[STANZA_MULTI_ARCH], "same");
	package->told = 0;
	package->is_status_d = file.len != 0;
	return true;
}

/*
 * The stanza that one of the journal takes the place of: of the same architecture, or the only one
 * of the name where the package is not co-installable (its architecture may have changed).
 */
static struct dpkg_package *find_older(struct dpkg *dpkg, const struct dpkg_package *newer,
				       uint32_t count)
{
	struct bytes name = dpkg_package_part(newer, DPKG_NAME);
	struct dpkg_package *of_name = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct dpkg_package *package = &dpkg->packages[i];

		if (!bytes_equal(dpkg_package_part(package, DPKG_NAME), name)) {
			continue;
		}
		if (bytes_equal(dpkg_package_part(package, DPKG_ARCH),
				dpkg_package_part(newer, DPKG_ARCH))) {
			return package;
		}
		if (!package->is_multi_arch || !newer->is_multi_arch) {
			of_name = package;
		}
	}
	return of_name;
}

static void note_faults(struct dpkg_lines *lines, uint32_t faults)
{
	if (faults & STANZA_LONG_VALUE) {
		dpkg_lines_fault(lines, "value-long");
	}
	if (faults & STANZA_MALFORMED) {
		dpkg_lines_fault(lines, "malformed");
	}
	if (faults & STANZA_CONFFILES_CUT) {
		dpkg_lines_fault(lines, "conffiles-limit");
	}
}

static void take_stanza(struct dpkg *dpkg, struct dpkg_lines *lines, const struct stanza *stanza,
			struct bytes file, bool is_journal)
{
	struct dpkg_package package;
	struct dpkg_package *older;

	note_faults(lines, stanza->faults);
	if (stanza->field[STANZA_PACKAGE].len == 0) {
		dpkg_lines_fault(lines, "no-name");
		return;
	}
	if (!make_room(dpkg) || !package_make(dpkg, stanza, file, &package)) {
		dpkg->packages_dropped++;
		return;
	}
	if (package.word == STATUS_UNKNOWN) {
		dpkg_lines_fault(lines, "status-unknown");
	}
	assert(dpkg->packages);
	older = is_journal ? find_older(dpkg, &package, dpkg->package_count) : NULL;
	if (older) {
		*older = package;
	} else {
		/* make_room made it. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		dpkg->packages[dpkg->package_count++] = package;
	}
}

/* All stanzas of one file. `file` is its name where it is of status.d, else empty. */
static void read_file(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name,
		      struct bytes file, bool is_journal)
{
	struct status_parser parser;
	struct dpkg_lines lines;
	struct bytes line;
	uint32_t stanzas = 0;
	uint8_t *text = memory_take(DPKG_STANZA_TEXT);

	if (!text) {
		dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, "no-memory", 1);
		return;
	}
	if (!dpkg_lines_open(&lines, dpkg, dir_fd, dir, name, DPKG_STATUS_MAX, true)) {
		goto out;
	}
	status_parser_init(&parser, text, DPKG_STANZA_TEXT);
	for (;;) {
		bool has_line = dpkg_lines_next(&lines, &line);
		bool has_stanza = has_line ? status_parser_line(&parser, line)
					   : status_parser_end(&parser);

		if (has_stanza && is_journal && ++stanzas > JOURNAL_STANZAS_MAX) {
			dpkg_lines_fault(&lines, "limit");
			break;
		}
		if (has_stanza) {
			take_stanza(dpkg, &lines, &parser.stanza, file, is_journal);
		}
		if (!has_line) {
			break;
		}
	}
	dpkg_lines_close(&lines);
out:
	memory_give(text);
}

/* Names of the journal: digits only (dpkg lib/dpkg/dbmodify.c). */
static bool is_journal_name(const char *name)
{
	size_t len = strspn(name, "0123456789");

	return len != 0 && len < FILE_NAME_ROOM && name[len] == '\0';
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;

	return strcmp(x, y);
}

struct name_list {
	struct dpkg *dpkg;
	bool (*wanted)(const char *name);
	const char **names;
	size_t count;
	size_t most;
	size_t dropped;
};

static bool keep_name(void *context, const char *name)
{
	struct name_list *list = context;
	struct bytes copy;

	if (!list->wanted(name)) {
		return true;
	}
	copy = arena_copy(&list->dpkg->arena, bytes_from_string(name));
	if (list->count == list->most || !list->names || !copy.data) {
		list->dropped++;
		return true;
	}
	list->names[list->count++] = (const char *)copy.data;
	return true;
}

/*
 * The names in a directory that `wanted` takes, sorted, in the arena: their count, at most `most`
 * (more are told). *names is to be given back.
 */
static size_t list_names(struct dpkg *dpkg, int dir_fd, const char *dir, size_t most,
			 bool (*wanted)(const char *name), const char ***names)
{
	struct name_list list = {dpkg, wanted, memory_take(most * sizeof(char *)), 0, most, 0};

	if (package_names_visit(dir_fd, keep_name, &list) < 0) {
		dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, package_file_reason(errno), 1);
	}
	if (list.dropped != 0) {
		dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, "limit", list.dropped);
	}
	if (list.count > 1) {
		qsort(list.names, list.count, sizeof(*list.names), compare_names);
	}
	*names = list.names;
	return list.count;
}

static void read_journal(struct dpkg *dpkg)
{
	static const char dir[] = DPKG_DIR "/updates";
	int dir_fd = package_dir_open(dpkg->host.root_fd, dir);
	const char **names = NULL;
	size_t count;

	if (dir_fd < 0) {
		if (errno != ENOENT) {
			dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, package_file_reason(errno), 1);
		}
		return;
	}
	count = list_names(dpkg, dir_fd, dir, JOURNAL_FILES_MAX, is_journal_name, &names);
	for (size_t i = 0; i < count; i++) {
		read_file(dpkg, dir_fd, dir, names[i], bytes_make(NULL, 0), true);
	}
	memory_give(names);
	(void)close(dir_fd);
}

static bool is_status_d_name(const char *name)
{
	size_t len = strlen(name);
	static const char sums[] = ".md5sums";

	return name[0] != '.' && len < STANZA_VALUE_MAX &&
	       !(len >= sizeof(sums) - 1 &&
		 memcmp(name + len - (sizeof(sums) - 1), sums, sizeof(sums) - 1) == 0);
}

static void read_status_d(struct dpkg *dpkg)
{
	static const char dir[] = DPKG_DIR "/status.d";
	const char **names = NULL;
	size_t count = list_names(dpkg, dpkg->status_d_fd, dir, DPKG_STANZAS_MAX, is_status_d_name,
				  &names);

	for (size_t i = 0; i < count; i++) {
		read_file(dpkg, dpkg->status_d_fd, dir, names[i], bytes_from_string(names[i]),
			  false);
	}
	memory_give(names);
}

void dpkg_stanzas_read(struct dpkg *dpkg)
{
	struct package_file_stamp status = package_file_stamp(dpkg->admin_fd, "status");

	if (status.inode != 0 || dpkg->status_d_fd < 0) {
		read_file(dpkg, dpkg->admin_fd, DPKG_DIR, "status", bytes_make(NULL, 0), false);
	}
	if (dpkg->status_d_fd >= 0) {
		read_status_d(dpkg);
	}
	read_journal(dpkg);
	if (dpkg->packages_dropped != 0) {
		dpkg_gap(dpkg, DPKG_DIR "/status", COVERAGE_PARTIAL, "limit",
			 dpkg->packages_dropped);
	}
}

/* The order of encoded section keys: shorter strings have smaller CBOR heads. */
static int compare_parts(const struct dpkg_package *a, const struct dpkg_package *b, int parts)
{
	for (int i = 0; i < parts; i++) {
		struct bytes x = dpkg_package_part(a, (enum dpkg_part)i);
		struct bytes y = dpkg_package_part(b, (enum dpkg_part)i);
		int order = 0;

		if (x.len != y.len) {
			return x.len < y.len ? -1 : 1;
		}
		order = bytes_compare(x, y);
		if (order != 0) {
			return order;
		}
	}
	return 0;
}

static int compare_packages(const void *a, const void *b)
{
	const struct dpkg_package *x = *(struct dpkg_package *const *)a;
	const struct dpkg_package *y = *(struct dpkg_package *const *)b;
	int order = compare_parts(x, y, DPKG_FILE);

	return order != 0 ? order : (x > y) - (x < y);
}

static bool has_files(const struct dpkg_package *package)
{
	return package->word != STATUS_NOT_INSTALLED;
}

/* Names become file names and section keys: what cannot be one is told and not opened. */
static bool is_usable(const struct dpkg_package *package)
{
	struct bytes version = dpkg_package_part(package, DPKG_VERSION);
	struct bytes arch = dpkg_package_part(package, DPKG_ARCH);

	return package_name_is_valid(dpkg_package_part(package, DPKG_NAME)) &&
	       (arch.len == 0 || package_name_is_valid(arch)) &&
	       (version.len == 0 || !memchr(version.data, '\0', version.len));
}

bool dpkg_stanzas_sort(struct dpkg *dpkg)
{
	uint64_t unusable = 0;
	uint64_t duplicates = 0;

	dpkg->sorted = memory_take((dpkg->package_count + 1U) * sizeof(struct dpkg_package *));
	dpkg->installed = memory_take((dpkg->package_count + 1U) * sizeof(struct dpkg_package *));
	if (!dpkg->sorted || !dpkg->installed) {
		return false;
	}
	for (uint32_t i = 0; i < dpkg->package_count; i++) {
		dpkg->sorted[i] = &dpkg->packages[i];
	}
	qsort(dpkg->sorted, dpkg->package_count, sizeof(struct dpkg_package *), compare_packages);
	for (uint32_t i = 0; i < dpkg->package_count; i++) {
		struct dpkg_package *package = dpkg->sorted[i];
		struct dpkg_package **last = dpkg->installed + dpkg->installed_count;

		if (!has_files(package)) {
			continue;
		}
		if (!is_usable(package)) {
			unusable++;
			continue;
		}
		if (dpkg->installed_count != 0 &&
		    compare_parts(last[-1], package, DPKG_STATUS) == 0) {
			/* As dpkg reads it: the later stanza counts. */
			duplicates++;
			last[-1] = package > last[-1] ? package : last[-1];
			continue;
		}
		*last = package;
		dpkg->installed_count++;
	}
	if (unusable != 0) {
		dpkg_gap(dpkg, DPKG_DIR "/status", COVERAGE_PARTIAL, "bad-name", unusable);
	}
	if (duplicates != 0) {
		dpkg_gap(dpkg, DPKG_DIR "/status", COVERAGE_PARTIAL, "duplicate", duplicates);
	}
	return true;
}
