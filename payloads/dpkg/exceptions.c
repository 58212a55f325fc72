// SPDX-License-Identifier: MIT
#include "payloads/dpkg/exceptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "payloads/dpkg/dpkg.h"
#include "payloads/memory.h"

#define VALUE_MAX 4096

int record_compare(const struct record *a, const struct record *b)
{
	if (a->count != b->count) {
		return a->count < b->count ? -1 : 1;
	}
	for (size_t i = 0; i < a->count; i++) {
		int order = 0;

		if (a->field[i].len != b->field[i].len) {
			return a->field[i].len < b->field[i].len ? -1 : 1;
		}
		order = bytes_compare(a->field[i], b->field[i]);
		if (order != 0) {
			return order;
		}
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return record_compare(a, b);
}

/* Keeps copies of the fields. What does not fit any more is counted, and told at the end. */
static void keep(struct dpkg *dpkg, const struct record *record)
{
	struct exceptions *list = &dpkg->exceptions;
	struct record *to;

	if (list->count == EXCEPTIONS_MAX) {
		list->dropped++;
		return;
	}
	if (list->count == list->room) {
		uint32_t room = list->room ? list->room * 2 : 64;
		struct record *table = memory_grow(list->table, room * sizeof(*table));

		if (!table) {
			list->dropped++;
			return;
		}
		list->table = table;
		list->room = room;
	}
	to = &list->table[list->count];
	memset(to, 0, sizeof(*to));
	to->count = record->count;
	for (size_t i = 0; i < record->count; i++) {
		to->field[i] = arena_copy(&dpkg->arena, record->field[i]);
		if (!to->field[i].data) {
			list->dropped++;
			return;
		}
	}
	list->count++;
}

/* Canonical where it is a path as it should be, else as it stands: it is evidence either way. */
static struct bytes shown_path(const struct dpkg *dpkg, struct bytes raw, uint8_t path[PATH_ROOM])
{
	size_t len;

	if (path_clean(raw, true, path, &len) != PATH_FINE ||
	    !path_map(&dpkg->aliases, path, &len, NULL)) {
		return bytes_make(raw.data, raw.len < VALUE_MAX ? raw.len : VALUE_MAX);
	}
	return bytes_make(path, len);
}

static void keep_diversions(struct dpkg *dpkg)
{
	for (uint32_t i = 0; i < dpkg->diversions.count; i++) {
		const struct diversion *diversion = &dpkg->diversions.table[i];
		struct record record = {.count = DIVERSION_FIELDS};

		record.field[EXCEPTION_KIND] = bytes_from_string(EXCEPTION_DIVERSION);
		record.field[DIVERSION_FROM] = diversion->shown;
		record.field[DIVERSION_TO] = diversion->to;
		record.field[DIVERSION_BY] = diversion->by;
		keep(dpkg, &record);
	}
}

/* Takes the word before the next blank off the front. */
static struct bytes word(struct bytes *line)
{
	const uint8_t *blank = line->len != 0 ? memchr(line->data, ' ', line->len) : NULL;
	struct bytes found = *line;

	if (!blank) {
		*line = bytes_make(NULL, 0);
		return found;
	}
	found.len = (size_t)(blank - line->data);
	line->data += found.len + 1;
	line->len -= found.len + 1;
	return found;
}

/* "user group mode path", the path to the end of the line (dpkg-statoverride(1)). */
void exceptions_read_overrides(struct dpkg *dpkg)
{
	struct dpkg_lines lines;
	struct bytes line;
	uint8_t path[PATH_ROOM];

	if (!dpkg_lines_open(&lines, dpkg, dpkg->admin_fd, DPKG_DIR, "statoverride", DPKG_SMALL_MAX,
			     false)) {
		return;
	}
	while (dpkg_lines_next(&lines, &line)) {
		struct record record = {.count = OVERRIDE_FIELDS};

		if (line.len == 0) {
			continue;
		}
		record.field[EXCEPTION_KIND] = bytes_from_string(EXCEPTION_OVERRIDE);
		record.field[OVERRIDE_USER] = word(&line);
		record.field[OVERRIDE_GROUP] = word(&line);
		record.field[OVERRIDE_MODE] = word(&line);
		record.field[OVERRIDE_PATH] = shown_path(dpkg, line, path);
		if (line.len == 0 || record.field[OVERRIDE_USER].len > VALUE_MAX ||
		    record.field[OVERRIDE_GROUP].len > VALUE_MAX ||
		    record.field[OVERRIDE_MODE].len > VALUE_MAX) {
			dpkg_lines_fault(&lines, "malformed");
			continue;
		}
		keep(dpkg, &record);
	}
	dpkg_lines_close(&lines);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes text)
{
	while (text.len != 0 && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len != 0 && is_space(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* "name value", "name=value", quotes around the value taken off (dpkg(1), lib/dpkg/options.c). */
static void option_split(struct bytes line, struct bytes *name, struct bytes *value)
{
	size_t len = 0;

	while (line.len >= 1 && line.data[0] == '-') {
		line.data++;
		line.len--;
	}
	while (len < line.len && !is_space(line.data[len]) && line.data[len] != '=') {
		len++;
	}
	*name = bytes_make(line.data, len);
	*value = trim(bytes_make(line.data + len, line.len - len));
	if (value->len != 0 && value->data[0] == '=') {
		*value = trim(bytes_make(value->data + 1, value->len - 1));
	}
	if (value->len >= 2 && (value->data[0] == '"' || value->data[0] == '\'') &&
	    value->data[value->len - 1] == value->data[0]) {
		*value = bytes_make(value->data + 1, value->len - 2);
	}
}

void exceptions_read_config(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name)
{
	struct dpkg_lines lines;
	struct bytes line;

	if (!dpkg_lines_open(&lines, dpkg, dir_fd, dir, name, DPKG_SMALL_MAX, false)) {
		return;
	}
	while (dpkg_lines_next(&lines, &line)) {
		struct record record = {.count = FILTER_FIELDS};
		struct bytes option;
		struct bytes value;

		line = trim(line);
		if (line.len == 0 || line.data[0] == '#') {
			continue;
		}
		option_split(line, &option, &value);
		if (bytes_equal_string(option, "path-exclude")) {
			record.field[EXCEPTION_KIND] = bytes_from_string(EXCEPTION_EXCLUDE);
		} else if (bytes_equal_string(option, "path-include")) {
			record.field[EXCEPTION_KIND] = bytes_from_string(EXCEPTION_INCLUDE);
		} else if (bytes_equal_string(option, "admindir") ||
			   bytes_equal_string(option, "instdir") ||
			   bytes_equal_string(option, "root")) {
			dpkg_lines_fault(&lines, "redirected");
			continue;
		} else {
			continue;
		}
		if (value.len > VALUE_MAX) {
			dpkg_lines_fault(&lines, "line-long");
			value.len = VALUE_MAX;
		}
		record.field[FILTER_PATTERN] = value;
		record.field[FILTER_FILE] = bytes_from_string(lines.subject);
		keep(dpkg, &record);
	}
	dpkg_lines_close(&lines);
}

/* dpkg itself passes over files of dpkg.cfg.d with other names (valid_config_filename). */
static bool is_config_name(const char *name)
{
	for (size_t i = 0; name[i] != '\0'; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-')) {
			return false;
		}
	}
	return name[0] != '\0';
}

typedef void (*file_visitor)(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name);

struct file_visit {
	struct dpkg *dpkg;
	int dir_fd;
	const char *dir;
	file_visitor visit;
};

static bool visit_name(void *context, const char *name)
{
	const struct file_visit *files = context;

	if (name[0] != '.') {
		files->visit(files->dpkg, files->dir_fd, files->dir, name);
	}
	return true;
}

/* Files of a directory below the root, without dot files. A missing directory is none. */
static void visit_files(struct dpkg *dpkg, const char *dir, file_visitor visit)
{
	struct file_visit files = {dpkg, package_dir_open(dpkg->host.root_fd, dir), dir, visit};

	if (files.dir_fd < 0) {
		if (errno != ENOENT) {
			dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, package_file_reason(errno), 1);
		}
		return;
	}
	if (package_names_visit(files.dir_fd, visit_name, &files) < 0) {
		dpkg_gap(dpkg, dir, COVERAGE_PARTIAL, package_file_reason(errno), 1);
	}
	(void)close(files.dir_fd);
}

static void visit_config(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name)
{
	if (is_config_name(name)) {
		exceptions_read_config(dpkg, dir_fd, dir, name);
	}
}

static void read_configs(struct dpkg *dpkg)
{
	int etc_fd = package_dir_open(dpkg->host.root_fd, "/etc/dpkg");
	int home_fd = package_dir_open(dpkg->host.root_fd, "/root");

	if (etc_fd >= 0) {
		exceptions_read_config(dpkg, etc_fd, "/etc/dpkg", "dpkg.cfg");
		(void)close(etc_fd);
	}
	if (home_fd >= 0) {
		exceptions_read_config(dpkg, home_fd, "/root", ".dpkg.cfg");
		(void)close(home_fd);
	}
	visit_files(dpkg, "/etc/dpkg/dpkg.cfg.d", visit_config);
}

/* Where /etc/alternatives/NAME leads; empty where it is no link. */
static struct bytes alternative_target(const struct dpkg *dpkg, struct bytes name,
				       char target[PATH_ROOM])
{
	char file[256];
	int dir_fd;
	ssize_t got = -1;

	if (name.len == 0 || name.len >= sizeof(file) || memchr(name.data, '/', name.len) ||
	    memchr(name.data, '\0', name.len)) {
		return bytes_make(NULL, 0);
	}
	memcpy(file, name.data, name.len);
	file[name.len] = '\0';
	dir_fd = package_dir_open(dpkg->host.root_fd, "/etc/alternatives");
	if (dir_fd >= 0) {
		got = package_link_read(dir_fd, file, target, PATH_ROOM);
		(void)close(dir_fd);
	}
	return bytes_make(target, got > 0 ? (size_t)got : 0);
}

static void keep_alternative(struct dpkg *dpkg, const char *kind, struct bytes name,
			     struct bytes link, const char *status)
{
	struct record record = {.count = ALTERNATIVE_FIELDS};
	uint8_t path[PATH_ROOM];
	char target[PATH_ROOM];

	if (name.len > VALUE_MAX) {
		name.len = VALUE_MAX;
	}
	record.field[EXCEPTION_KIND] = bytes_from_string(kind);
	record.field[ALTERNATIVE_NAME] = name;
	record.field[ALTERNATIVE_LINK] = shown_path(dpkg, link, path);
	record.field[ALTERNATIVE_STATUS] = bytes_from_string(status);
	record.field[ALTERNATIVE_TARGET] = alternative_target(dpkg, name, target);
	keep(dpkg, &record);
}

/*
 * update-alternatives(1): status, link, then pairs of slave name and slave link up to an empty line;
 * the choices behind it say nothing about what is in force.
 */
void exceptions_read_alternative(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name)
{
	struct dpkg_lines lines;
	struct bytes line;
	const char *status = "";

	if (!dpkg_lines_open(&lines, dpkg, dir_fd, dir, name, DPKG_SMALL_MAX, true)) {
		return;
	}
	if (dpkg_lines_next(&lines, &line)) {
		status = bytes_equal_string(line, "auto")     ? "auto"
			 : bytes_equal_string(line, "manual") ? "manual"
							      : "";
	}
	if (status[0] == '\0' || !dpkg_lines_next(&lines, &line)) {
		dpkg_lines_fault(&lines, "malformed");
		goto out;
	}
	keep_alternative(dpkg, EXCEPTION_ALTERNATIVE, bytes_from_string(name), line, status);
	while (dpkg_lines_next(&lines, &line) && line.len != 0) {
		uint8_t slave[256];
		size_t len = line.len;

		if (len > sizeof(slave)) {
			dpkg_lines_fault(&lines, "line-long");
			goto out;
		}
		memcpy(slave, line.data, len); /* the line is gone at the next one */
		if (!dpkg_lines_next(&lines, &line)) {
			dpkg_lines_fault(&lines, "malformed");
			goto out;
		}
		keep_alternative(dpkg, EXCEPTION_SLAVE, bytes_make(slave, len), line, status);
	}
out:
	dpkg_lines_close(&lines);
}

void exceptions_read(struct dpkg *dpkg)
{
	struct exceptions *list = &dpkg->exceptions;

	keep_diversions(dpkg);
	exceptions_read_overrides(dpkg);
	read_configs(dpkg);
	visit_files(dpkg, DPKG_DIR "/alternatives", exceptions_read_alternative);
	if (list->dropped != 0) {
		dpkg_gap(dpkg, DPKG_DIR, COVERAGE_PARTIAL, "limit", list->dropped);
	}
	if (list->count > 1) {
		qsort(list->table, list->count, sizeof(*list->table), compare);
	}
}

void exceptions_clear(struct exceptions *exceptions)
{
	memory_give(exceptions->table);
	memset(exceptions, 0, sizeof(*exceptions));
}

bool exceptions_visit(const struct exceptions *exceptions, record_visitor visit, void *context)
{
	for (uint32_t i = 0; i < exceptions->count; i++) {
		if (i > 0 &&
		    record_compare(&exceptions->table[i - 1], &exceptions->table[i]) == 0) {
			continue;
		}
		if (!visit(context, &exceptions->table[i])) {
			return false;
		}
	}
	return true;
}
