// SPDX-License-Identifier: MIT
#include "controller/cmd/show_packages.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/judge/rpm_host.h"
#include "controller/report/print.h"
#include "schema/escape.h"
#include "schema/record.h"

#define SHOWN 100

/* Objects of the store, one at a time. */
struct stored {
	struct store *store;
	uint8_t *data;
};

static int stored_load(void *context, const struct digest *digest, struct bytes *content,
		       struct error *err)
{
	struct stored *stored = context;
	size_t len;

	free(stored->data);
	stored->data = NULL;
	if (store_object_load(stored->store, digest, &stored->data, &len, err) < 0) {
		return -1;
	}
	*content = bytes_make(stored->data, len);
	return 0;
}

static int no_observation(const char *host, struct error *err)
{
	char shown[SHOWN];

	return error_set(err, ERROR_CONFIG, 0, "\"%s\": no host of that name was looked at",
			 escape_text(bytes_from_string(host), shown, sizeof(shown)));
}

static int print_line(void *context, struct bytes text)
{
	FILE *out = context;

	(void)print_bytes(out, text);
	(void)fputc('\n', out);
	return 0;
}

int show_rpm(struct call *call, struct store *store, const char *host, struct error *err)
{
	struct stored stored = {.store = store};
	const struct object_source objects = {.load = stored_load, .context = &stored};
	struct observation *seen = NULL;
	struct rpm_host *packages = NULL;
	int code = -1;

	if (store_observation_load(store, host, STORE_LATEST, &seen, err) < 0 ||
	    (!seen && no_observation(host, err) < 0) ||
	    rpm_host_new(seen, &objects, &packages, err) < 0) {
		goto out;
	}
	if (rpm_host_count(packages) == 0) {
		error_set(err, ERROR_CONFIG, 0, "%s has no rpm packages", host);
		goto out;
	}
	if (rpm_host_unread(packages) > 0) {
		(void)fprintf(call->log, "muster: %zu headers could not be read: left out\n",
			      rpm_host_unread(packages));
	}
	if (rpm_host_verify(packages, print_line, call->out, err) == 0) {
		code = EXIT_CLEAN;
	}
out:
	rpm_host_free(packages);
	store_observation_free(seen);
	free(stored.data);
	return code;
}

/* One line of the list. */
struct row {
	int64_t install_s;
	char *text; /* name-version-release.arch, escaped */
};

struct rows {
	struct row *item;
	size_t count;
	size_t room;
	struct error *err;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a list of packages");
}

static int add_row(struct rows *rows, int64_t install_s, const struct bytes *part,
		   const char *before, size_t count)
{
	char text[4 * 1024] = "", shown[1200];
	size_t len = 0;

	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 1024;
		struct row *item = reallocarray(rows->item, room, sizeof(*item));

		if (!item) {
			return no_memory(rows->err);
		}
		rows->item = item;
		rows->room = room;
	}
	for (size_t i = 0; i < count && len < sizeof(text); i++) {
		if (part[i].len > 0) {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%.1s%s",
						before + i,
						escape_text(part[i], shown, sizeof(shown)));
		}
	}
	/* The first part has nothing before it. */
	rows->item[rows->count].text = strdup(text + 1);
	rows->item[rows->count].install_s = install_s;
	return rows->item[rows->count].text ? (rows->count++, 0) : no_memory(rows->err);
}

static int on_package(void *context, const struct rpm_host_package *package)
{
	const struct bytes part[] = {package->name, package->version, package->release,
				     package->arch};

	return add_row(context, package->install_s, part, " --.", 4);
}

/* `sort -r -n` over time and name, as rpm's own alias does it. */
static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->install_s != b->install_s) {
		return a->install_s < b->install_s ? 1 : -1;
	}
	/* As rpm does; what has no time stands by name. */
	return a->install_s > 0 ? strcmp(b->text, a->text) : strcmp(a->text, b->text);
}

/* What dpkg's database names as installed: it keeps no time. */
static int add_dpkg(struct rows *rows, const struct observation *seen, struct stored *stored)
{
	const struct bytes none = {NULL, 0};
	struct section_key key =
		section_key_make(SECTION_PACKAGES, BYTES_LITERAL("dpkg"), none, none, none);
	const struct observed_section *section;
	uint8_t room[SECTION_KEY_MAX];
	struct bytes content;
	struct cbor_reader r;
	struct cbor_writer w;
	struct record record;

	cbor_writer_init(&w, room, sizeof(room));
	section_key_encode(&w, &key);
	section = observation_find(seen, bytes_make(room, w.len));
	if (!section) {
		return 0;
	}
	if (stored_load(stored, &section->content, &content, rows->err) < 0) {
		return -1;
	}
	cbor_reader_init(&r, content);
	while (cbor_reader_has_more(&r) && record_decode(&r, &record)) {
		const struct bytes part[] = {record.field[PACKAGES_NAME],
					     record.field[PACKAGES_VERSION],
					     record.field[PACKAGES_ARCH]};

		if (record.count == PACKAGES_FIELDS &&
		    bytes_equal_string(record.field[PACKAGES_STATE], "install ok installed") &&
		    add_row(rows, 0, part, " __", 3) < 0) {
			return -1;
		}
	}
	return 0;
}

static void print_rows(FILE *out, const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->item[i];
		char when[64] = "(not told)";
		time_t time = (time_t)row->install_s;
		struct tm tm;

		if (row->install_s > 0 && localtime_r(&time, &tm)) {
			(void)strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
		}
		(void)fprintf(out, "%-45s %s\n", row->text, when);
	}
}

int show_installed(struct call *call, struct store *store, const char *host, struct error *err)
{
	struct stored stored = {.store = store};
	const struct object_source objects = {.load = stored_load, .context = &stored};
	struct rows rows = {.err = err};
	struct observation *seen = NULL;
	struct rpm_host *packages = NULL;
	int code = -1;

	if (store_observation_load(store, host, STORE_LATEST, &seen, err) < 0 ||
	    (!seen && no_observation(host, err) < 0) ||
	    rpm_host_new(seen, &objects, &packages, err) < 0 ||
	    rpm_host_packages(packages, on_package, &rows, err) < 0 ||
	    add_dpkg(&rows, seen, &stored) < 0) {
		goto out;
	}
	if (rows.count > 1) {
		qsort(rows.item, rows.count, sizeof(*rows.item), compare_rows);
	}
	print_rows(call->out, &rows);
	code = EXIT_CLEAN;
out:
	for (size_t i = 0; i < rows.count; i++) {
		free(rows.item[i].text);
	}
	free(rows.item);
	rpm_host_free(packages);
	store_observation_free(seen);
	free(stored.data);
	return code;
}
