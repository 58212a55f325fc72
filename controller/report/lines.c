// SPDX-License-Identifier: MIT
#include "controller/report/lines.h"

#include <string.h>
#include <time.h>

#include "controller/report/jsonl.h"
#include "controller/report/values.h"
#include "schema/escape.h"
#include "schema/outcome.h"

static void begin(struct jsonl *json, FILE *out, const char *type)
{
	jsonl_init(json, out);
	jsonl_object(json, NULL);
	jsonl_number(json, "v", 1);
	jsonl_string(json, "type", type);
	jsonl_null(json, "run");
}

void lines_start(FILE *out, const char *kind, const char *version)
{
	struct jsonl json;

	begin(&json, out, "run_start");
	jsonl_string(&json, "kind", kind);
	jsonl_string(&json, "sweep", "");
	jsonl_time(&json, "started", (int64_t)time(NULL));
	jsonl_string(&json, "version", version);
	jsonl_null(&json, "baseline");
	jsonl_number(&json, "hosts", 0);
	jsonl_close(&json, '}');
}

void lines_end(FILE *out)
{
	struct jsonl json;

	begin(&json, out, "run_end");
	jsonl_time(&json, "finished", (int64_t)time(NULL));
	jsonl_string(&json, "verdict", "clean");
	jsonl_object(&json, "hosts");
	jsonl_close(&json, '}');
	jsonl_object(&json, "open");
	jsonl_close(&json, '}');
	jsonl_number(&json, "new", 0);
	jsonl_number(&json, "acknowledged", 0);
	jsonl_number(&json, "explained", 0);
	jsonl_number(&json, "resolved", 0);
	jsonl_null(&json, "files");
	jsonl_close(&json, '}');
}

static void write_path(struct jsonl *json, struct bytes path)
{
	jsonl_bytes(json, "path", path);
	if (jsonl_is_exact(path)) {
		jsonl_null(json, "path_b64");
	} else {
		jsonl_base64(json, "path_b64", path);
	}
}

void lines_event(FILE *out, const char *host, const struct timeline_item *item)
{
	struct jsonl json;
	char mode[16];

	begin(&json, out, "event");
	jsonl_string(&json, "host", host);
	jsonl_string(&json, "kind", item->kind == TIMELINE_INSTALL ? "install" : "object");
	write_path(&json, item->path);
	(void)snprintf(mode, sizeof(mode), "%o", item->mode);
	jsonl_string(&json, "mode", mode);
	jsonl_unsigned(&json, "uid", item->uid);
	jsonl_unsigned(&json, "gid", item->gid);
	jsonl_unsigned(&json, "size", item->size);
	jsonl_number(&json, "ctime_ns", item->ctime_ns);
	jsonl_number(&json, "mtime_ns", item->mtime_ns);
	if (item->btime_ns) {
		jsonl_number(&json, "btime_ns", item->btime_ns);
	} else {
		jsonl_null(&json, "btime_ns");
	}
	jsonl_close(&json, '}');
}

const char *lines_section(const struct section_key *key, char *to, size_t room)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < key->count && used + 2 < room; i++) {
		if (i > 0) {
			to[used++] = ' ';
		}
		used += escape_bytes(ESCAPE_TEXT, key->part[i], to + used, room - used);
	}
	return to;
}

const char *lines_change_name(enum store_change change)
{
	switch (change) {
	case STORE_ADDED:
		return "appeared";
	case STORE_REMOVED:
		return "vanished";
	case STORE_CHANGED:
		break;
	}
	return "modified";
}

void lines_difference(FILE *out, const struct store_diff_row *row)
{
	struct jsonl json;
	char section[1024];

	begin(&json, out, "difference");
	jsonl_string(&json, "host", row->host);
	jsonl_string(&json, "section", lines_section(row->key, section, sizeof(section)));
	jsonl_string(&json, "change", lines_change_name(row->change));
	write_path(&json, row->subject);
	values_write(&json, "old", row->old_value);
	values_write(&json, "new", row->new_value);
	jsonl_close(&json, '}');
}
