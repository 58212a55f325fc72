// SPDX-License-Identifier: MIT
#include "baselines/import/deb_control.h"

#include <strings.h>

#include "baselines/arena.h"
#include "baselines/usrmerge.h"

/* The next line of *rest without its newline. False at the end. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
	const uint8_t *newline;

	if (rest->len == 0) {
		return false;
	}
	newline = memchr(rest->data, '\n', rest->len);
	*line = bytes_make(rest->data, newline ? (size_t)(newline - rest->data) : rest->len);
	rest->data += line->len + (newline ? 1 : 0);
	rest->len -= line->len + (newline ? 1 : 0);
	return true;
}

static struct bytes trim(struct bytes text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && strchr(" \t\r", text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* The value of a field, empty where it is absent. Continued lines belong to no field asked for. */
static struct bytes field(struct bytes control, const char *name)
{
	size_t len = strlen(name);
	struct bytes line;

	while (next_line(&control, &line)) {
		if (line.len > len && line.data[len] == ':' &&
		    strncasecmp((const char *)line.data, name, len) == 0) {
			return trim(bytes_make(line.data + len + 1, line.len - len - 1));
		}
	}
	return bytes_make(NULL, 0);
}

static bool is_word(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= 0x20 || text.data[i] > 0x7e) {
			return false;
		}
	}
	return text.len > 0 && text.len <= 240;
}

static int keep(struct deb *deb, const char *name, struct bytes text, char **to, struct error *err)
{
	bool ok = true;

	if (!is_word(text)) {
		return error_set(err, ERROR_CONFIG, 0, "the field %s of control is missing or odd",
				 name);
	}
	/* arena_copy puts a NUL behind. */
	*to = (char *)(uintptr_t)arena_copy(deb->memory, text, &ok).data;
	return ok ? 0 : error_set(err, ERROR_NOMEM, 0, "no memory for a package");
}

int deb_control_fields(struct deb *deb, struct bytes control, struct error *err)
{
	struct bytes source = field(control, "Source"), version = {NULL, 0};
	const uint8_t *open;

	if (keep(deb, "Package", field(control, "Package"), &deb->package, err) < 0 ||
	    keep(deb, "Version", field(control, "Version"), &deb->version, err) < 0 ||
	    keep(deb, "Architecture", field(control, "Architecture"), &deb->arch, err) < 0) {
		return -1;
	}
	deb->source = deb->package;
	deb->source_version = deb->version;
	if (source.len == 0) {
		return 0;
	}
	/* "openssh" or "openssh (1:9.2p1-2)" */
	open = memchr(source.data, '(', source.len);
	if (open && source.data[source.len - 1] == ')') {
		version = bytes_make(open + 1, (size_t)(source.data + source.len - open) - 2);
		source = trim(bytes_make(source.data, (size_t)(open - source.data)));
		if (keep(deb, "Source", version, &deb->source_version, err) < 0) {
			return -1;
		}
	}
	return keep(deb, "Source", source, &deb->source, err);
}

/* The entry of a path as the package spells it, with or without its first slash. */
static struct manifest_entry *find(struct deb *deb, struct bytes path)
{
	uint8_t canonical[ENTRY_PATH_MAX];
	const struct manifest_entry *found;
	struct bytes whole;
	size_t len = 0;

	if (path.len == 0 || path.len + strlen("/usr/") > sizeof(canonical)) {
		return NULL;
	}
	if (path.data[0] != '/') {
		canonical[len++] = '/';
	}
	memcpy(canonical + len, path.data, path.len);
	whole = bytes_make(canonical, len + path.len);
	if (usrmerge_moves(whole, false)) {
		memmove(canonical + strlen("/usr"), canonical, whole.len);
		memcpy(canonical, "/usr", strlen("/usr"));
		whole.len += strlen("/usr");
	}
	found = manifest_find(deb->manifest, whole);
	return found ? &deb->manifest->entries[found - deb->manifest->entries] : NULL;
}

void deb_control_conffiles(struct deb *deb, struct bytes conffiles)
{
	struct bytes line;

	while (next_line(&conffiles, &line)) {
		struct manifest_entry *entry;
		const uint8_t *blank;

		line = trim(line);
		/* "remove-on-upgrade /etc/x" names what is no longer shipped. */
		blank = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
		if (blank && bytes_has_prefix(line, BYTES_LITERAL("remove-on-upgrade "))) {
			continue;
		}
		entry = find(deb, line);
		if (entry) {
			entry->tags |= MANIFEST_CONFIG;
		}
	}
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_md5(struct bytes line, uint8_t md5[MD5_SIZE])
{
	if (line.len < 2 * MD5_SIZE + 3 || line.data[2 * MD5_SIZE] != ' ') {
		return false;
	}
	for (size_t i = 0; i < MD5_SIZE; i++) {
		int high = digit(line.data[2 * i]), low = digit(line.data[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		md5[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void deb_control_md5sums(struct deb *deb, struct bytes md5sums)
{
	struct bytes line;

	while (next_line(&md5sums, &line)) {
		const struct manifest_entry *entry;
		uint8_t md5[MD5_SIZE];

		if (!read_md5(line, md5)) {
			continue;
		}
		/* Two blanks, or a blank and the star of a binary file. */
		entry = find(deb,
			     bytes_make(line.data + 2 * MD5_SIZE + 2, line.len - 2 * MD5_SIZE - 2));
		if (entry && entry->has_md5 && memcmp(entry->md5, md5, MD5_SIZE) != 0) {
			deb->md5_first = deb->md5_first ? deb->md5_first : entry;
			deb->md5_wrong++;
		}
	}
}
