// SPDX-License-Identifier: MIT
/*
 * A host's accepted state, whole: packages that no manifest covers by their digest, everything no
 * package owns, configuration as it is, mounts and exceptions; then what the judge still objects to.
 */
#include <stdlib.h>
#include <string.h>

#include "baselines/baseline.h"
#include "baselines/edit.h"
#include "baselines/records.h"
#include "controller/cmd/accepting.h"
#include "controller/cmd/open.h"
#include "controller/report/print.h"
#include "schema/cbor.h"
#include "schema/entry.h"
#include "schema/record.h"
#include "schema/section.h"

#define LINE_ROOM 65536

struct capture {
	struct call *call;
	struct store *store;
	struct baseline *baseline;
	const char *host;
	struct manifest_entry *entries;
	size_t entry_count, entry_room;
	struct bytes *lines;
	size_t line_count, line_room;
	void **memory; /* objects and lines that the lists borrow from */
	size_t memory_count, memory_room;
	struct edit_change *changes; /* what findings add */
	size_t change_count, change_room;
	size_t disagrees; /* files that contradict the host's own package database */
	size_t left;      /* findings that cannot be accepted */
	struct error *err;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

/* Room for one more item in a list. */
static int grow(void *list, size_t count, size_t *room, size_t size, struct error *err)
{
	void *grown;

	if (count < *room) {
		return 0;
	}
	grown = reallocarray(*(void **)list, *room ? *room * 2 : 64, size);
	if (!grown) {
		return out_of_memory(err);
	}
	*(void **)list = grown;
	*room = *room ? *room * 2 : 64;
	return 0;
}

static void capture_clear(struct capture *capture)
{
	for (size_t i = 0; i < capture->memory_count; i++) {
		free(capture->memory[i]);
	}
	free(capture->memory);
	free(capture->entries);
	free(capture->lines);
	free(capture->changes);
}

/* Takes the memory over, also where it fails. */
static int keep(struct capture *capture, void *memory)
{
	if (grow(&capture->memory, capture->memory_count, &capture->memory_room, sizeof(void *),
		 capture->err) < 0) {
		free(memory);
		return -1;
	}
	capture->memory[capture->memory_count++] = memory;
	return 0;
}

static int keep_copy(struct capture *capture, struct bytes from, struct bytes *copy)
{
	uint8_t *made = malloc(from.len ? from.len : 1);

	if (!made) {
		return out_of_memory(capture->err);
	}
	if (from.len > 0) {
		memcpy(made, from.data, from.len);
	}
	*copy = bytes_make(made, from.len);
	return keep(capture, made);
}

static int add_line(struct capture *capture, const char *kind, const struct record *record,
		    size_t from)
{
	struct bytes line;
	char *text = malloc(LINE_ROOM);
	int status = -1;

	if (!text) {
		return out_of_memory(capture->err);
	}
	line = bytes_make(text, records_line(kind, record, from, text, LINE_ROOM));
	if (grow(&capture->lines, capture->line_count, &capture->line_room, sizeof(line),
		 capture->err) == 0 &&
	    keep_copy(capture, line, &capture->lines[capture->line_count]) == 0) {
		capture->line_count++;
		status = 0;
	}
	free(text);
	return status;
}

/* "package MANAGER NAME VERSION ARCH DIGEST": the build as it lies there, all of it. */
static int add_package(struct capture *capture, const struct section_key *key,
		       const struct digest *digest)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * DIGEST_SIZE];
	struct record record = {.count = 5};

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[digest->bytes[i] >> 4];
		hex[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	memcpy(record.field, key->part + 1, sizeof(struct bytes) * 4);
	record.field[4] = bytes_make(hex, sizeof(hex));
	return add_line(capture, "package", &record, 0);
}

static int has_manifest(struct capture *capture, const struct section_key *key, bool *has)
{
	const struct manifest *const *list;
	size_t count = 0;

	if (baseline_manifests(capture->baseline, key->part[1], key->part[2], key->part[3],
			       key->part[4], &list, &count, capture->err) < 0) {
		return -1;
	}
	*has = count > 0;
	return 0;
}

static int add_entries(struct capture *capture, struct bytes content)
{
	struct cbor_reader reader;
	struct entry entry;

	cbor_reader_init(&reader, content);
	while (cbor_reader_has_more(&reader)) {
		if (!entry_decode(&reader, &entry)) {
			return error_set(capture->err, ERROR_STORE, 0,
					 "an object of the database is no list of entries");
		}
		if (grow(&capture->entries, capture->entry_count, &capture->entry_room,
			 sizeof(*capture->entries), capture->err) < 0) {
			return -1;
		}
		capture->entries[capture->entry_count++] =
			(struct manifest_entry){.entry = entry, .tags = MANIFEST_CAPS};
	}
	return 0;
}

static int add_record(struct capture *capture, enum section_kind kind, const struct record *record)
{
	struct record plain = *record;
	char word[64];

	switch (kind) {
	case SECTION_EXCEPTIONS:
		if (record->field[0].len >= sizeof(word)) {
			return 0;
		}
		memcpy(word, record->field[0].data, record->field[0].len);
		word[record->field[0].len] = '\0';
		return add_line(capture, word, record, 1);
	case SECTION_MOUNTS:
		/* All but whether the probe entered it. */
		plain.count = record->count < MOUNT_STATE ? record->count : MOUNT_STATE;
		return add_line(capture, "mount", &plain, 0);
	case SECTION_FLAGS:
		return add_line(capture, "flags", record, 0);
	default:
		return 0;
	}
}

static int add_records(struct capture *capture, enum section_kind kind, struct bytes content)
{
	struct cbor_reader reader;
	struct record record;

	cbor_reader_init(&reader, content);
	while (cbor_reader_has_more(&reader)) {
		if (!record_decode(&reader, &record)) {
			return error_set(capture->err, ERROR_STORE, 0,
					 "an object of the database is no list of records");
		}
		if (add_record(capture, kind, &record) < 0) {
			return -1;
		}
	}
	return 0;
}

static bool is_wanted(enum section_kind kind)
{
	return kind == SECTION_TREE || kind == SECTION_VOLATILE || kind == SECTION_SETID ||
	       kind == SECTION_CONFIG || kind == SECTION_EXCEPTIONS || kind == SECTION_MOUNTS ||
	       kind == SECTION_FLAGS;
}

static int add_section(struct capture *capture, const struct observed_section *section)
{
	struct section_key key;
	uint8_t *data = NULL;
	size_t len = 0;
	bool has;

	if (!section_key_decode(section->key, &key)) {
		return 0;
	}
	if (key.kind == SECTION_PACKAGE) {
		if (has_manifest(capture, &key, &has) < 0) {
			return -1;
		}
		return has ? 0 : add_package(capture, &key, &section->content);
	}
	if (!is_wanted(key.kind)) {
		return 0;
	}
	if (store_object_load(capture->store, &section->content, &data, &len, capture->err) < 0 ||
	    keep(capture, data) < 0) {
		return -1;
	}
	return section_kind_has_entries(key.kind)
		       ? add_entries(capture, bytes_make(data, len))
		       : add_records(capture, key.kind, bytes_make(data, len));
}

static int compare_entries(const void *x, const void *y)
{
	const struct manifest_entry *a = x, *b = y;

	return bytes_path_compare(a->entry.path, b->entry.path);
}

/* Whether the path is captured: entries are in order by then. */
static bool has_entry(const struct capture *capture, struct bytes path)
{
	const struct manifest_entry wanted = {.entry = {.path = path}};

	return capture->entry_count > 0 && bsearch(&wanted, capture->entries, capture->entry_count,
						   sizeof(wanted), compare_entries) != NULL;
}

static bool has_line(const struct capture *capture, struct bytes line)
{
	for (size_t i = 0; i < capture->line_count; i++) {
		if (bytes_equal(capture->lines[i], line)) {
			return true;
		}
	}
	return false;
}

static int on_finding(void *context, const struct store_finding_row *row)
{
	struct capture *capture = context;
	const struct finding *finding = row->finding;
	struct edit_change change;

	if (finding->state > FINDING_OPEN) {
		return 0;
	}
	capture->disagrees += finding->witness == WITNESS_HOST &&
			      (finding->rule == RULE_FILE_CHANGED ||
			       finding->rule == RULE_FILE_MISSING ||
			       finding->rule == RULE_FILE_TYPE);
	/* What only the host's word or its past stands against is what a capture decides. */
	if (finding->witness != WITNESS_HOST && finding->witness != WITNESS_FIRST_SIGHT) {
		capture->left += has_entry(capture, finding->subject) ||
						 has_line(capture, finding->new_value)
					 ? 0
					 : 1;
		return 0;
	}
	if (accepting_change(finding, capture->host, &change, NULL) < 0) {
		capture->left += finding->severity > SEVERITY_INFO;
		return 0;
	}
	if (grow(&capture->changes, capture->change_count, &capture->change_room, sizeof(change),
		 capture->err) < 0 ||
	    keep_copy(capture, change.path, &change.path) < 0 ||
	    keep_copy(capture, change.value, &change.value) < 0) {
		return -1;
	}
	capture->changes[capture->change_count++] = change;
	return 0;
}

/* A path that two sections have (a set-uid file in a tree) stands once. */
static void drop_twins(struct capture *capture)
{
	size_t kept = 0;

	if (capture->entry_count > 0) {
		qsort(capture->entries, capture->entry_count, sizeof(*capture->entries),
		      compare_entries);
	}
	for (size_t i = 0; i < capture->entry_count; i++) {
		if (kept == 0 || !bytes_equal(capture->entries[kept - 1].entry.path,
					      capture->entries[i].entry.path)) {
			capture->entries[kept++] = capture->entries[i];
		}
	}
	capture->entry_count = kept;
}

static int read_host(struct capture *capture, const struct observation *seen)
{
	const struct store_finding_query query = {.host = capture->host};

	for (size_t i = 0; i < seen->section_count; i++) {
		if (add_section(capture, &seen->sections[i]) < 0) {
			return -1;
		}
	}
	drop_twins(capture);
	return store_findings(capture->store, &query, on_finding, capture, capture->err);
}

static void tell_host(const struct capture *capture)
{
	char entries[PRINT_NUMBER_ROOM], lines[PRINT_NUMBER_ROOM];
	FILE *out = capture->call->out;

	if (capture->disagrees > 0) {
		(void)fprintf(
			out,
			"%s: %zu files disagree with the host's own package database. They are "
			"now accepted as they are: review them (muster show %s).\n",
			capture->host, capture->disagrees, capture->host);
	} else {
		(void)fprintf(out, "%s: no file disagrees with the host's own package database.\n",
			      capture->host);
	}
	(void)fprintf(out, "%s: captured %s entries and %s records", capture->host,
		      print_count(capture->entry_count, entries),
		      print_count(capture->line_count, lines));
	if (capture->left > 0) {
		(void)fprintf(out,
			      "; %zu findings stay open, which a manifest, a tree or a rule "
			      "holds against it",
			      capture->left);
	}
	(void)fputs(".\n", out);
}

static int capture_host(struct call *call, struct store *store, struct baseline *baseline,
			struct edit *edit, const char *host, struct error *err)
{
	struct capture capture = {
		.call = call, .store = store, .baseline = baseline, .host = host, .err = err};
	struct observation *seen = NULL;
	char again[AGAIN_ROOM];
	int status = -1;

	if (store_observation_load(store, host, STORE_LAST_COMPLETE, &seen, err) < 0) {
		goto out;
	}
	if (!seen) {
		call_advise(call, "muster check %s%s", host, again_to_check(call, true, again));
		(void)error_set(err, ERROR_CONFIG, 0, "%s: never looked at whole", host);
		goto out;
	}
	if (read_host(&capture, seen) < 0) {
		goto out;
	}
	tell_host(&capture);
	if (edit_capture(edit, host, capture.entries, capture.entry_count, capture.lines,
			 capture.line_count, err) < 0 ||
	    (capture.change_count > 0 &&
	     edit_accept(edit, capture.changes, capture.change_count, err) < 0)) {
		goto out;
	}
	status = 0;
out:
	store_observation_free(seen);
	capture_clear(&capture);
	return status;
}

static int commit(struct call *call, struct edit *edit, size_t count, const char *first,
		  struct error *err)
{
	const char *message = call_value(call, OPTION_MESSAGE);
	char hash[EDIT_COMMIT_SIZE], text[160];

	(void)snprintf(text, sizeof(text), "hosts: capture %.80s%s", first,
		       count > 1 ? " and others" : "");
	if (edit_commit(edit, message ? message : text, hash, err) < 0) {
		return -1;
	}
	if (*hash) {
		(void)fprintf(call->out, "Commit %.12s. The next run judges by it.\n", hash);
	} else {
		(void)fputs("Nothing to do: the baseline says so already.\n", call->out);
	}
	return EXIT_CLEAN;
}

int verb_baseline_capture(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct baseline *baseline = NULL;
	struct nodeset *hosts = NULL;
	struct store *store = NULL;
	struct edit *edit = NULL;
	const char *path;
	int code = -1;

	if (open_baseline_path(call, &path, err) < 0 || open_baseline(call, &baseline, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0 ||
	    open_store(call, STORE_READ, &store, err) < 0 ||
	    edit_open(path, NULL, &edit, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		if (capture_host(call, store, baseline, edit, nodeset_name(hosts, i), err) < 0) {
			(void)error_prefix(err, "nothing is committed");
			goto out;
		}
	}
	code = nodeset_count(hosts) == 0
		       ? error_set(err, ERROR_CONFIG, 0, "muster baseline capture: no hosts")
		       : commit(call, edit, nodeset_count(hosts), nodeset_name(hosts, 0), err);
out:
	edit_free(edit);
	store_close(store);
	nodeset_free(hosts);
	inventory_free(inventory);
	baseline_close(baseline);
	return code;
}
