// SPDX-License-Identifier: MIT
#include <string.h>
#include <time.h>

#include "controller/cmd/open.h"
#include "controller/cmd/version.h"
#include "controller/cmd/when.h"
#include "controller/report/jsonl.h"
#include "controller/report/lines.h"
#include "controller/report/print.h"
#include "schema/escape.h"

struct telling {
	struct call *call;
	const char *host;
	uint64_t count;
	bool is_known;
};

static int on_text(void *context, const struct timeline_item *item)
{
	struct telling *telling = context;
	char changed[PRINT_TIME_ROOM], mode[PRINT_MODE_ROOM];
	FILE *out = telling->call->out;

	telling->count++;
	(void)fprintf(out, "%s  ", print_time_ns(item->ctime_ns, changed));
	if (item->kind == TIMELINE_INSTALL) {
		(void)fputs("installed   ", out);
	} else {
		(void)fprintf(out, "%s  %5u %5u %10llu  ", print_mode(item->mode, mode), item->uid,
			      item->gid, (unsigned long long)item->size);
	}
	(void)print_bytes(out, item->path);
	if (item->kind == TIMELINE_OBJECT &&
	    item->mtime_ns / 1000000000 != item->ctime_ns / 1000000000) {
		/* An old modification time on a new change is what a forger leaves behind. */
		(void)fprintf(out, "  (modified %s)",
			      print_time(item->mtime_ns / 1000000000, changed));
	}
	(void)fputc('\n', out);
	return 0;
}

static int on_ndjson(void *context, const struct timeline_item *item)
{
	struct telling *telling = context;

	telling->count++;
	lines_event(telling->call->out, telling->host, item);
	return 0;
}

static int on_host(void *context, const struct store_host_row *row)
{
	struct telling *telling = context;

	telling->is_known = strcmp(row->name, telling->host) == 0;
	return telling->is_known ? 1 : 0;
}

/* An empty answer about a host that nobody knows would look like quiet. */
static int want_host(struct telling *telling, struct store *store, struct error *err)
{
	char shown[200];

	if (store_hosts(store, 0, on_host, telling, err) < 0) {
		return -1;
	}
	if (telling->is_known) {
		return 0;
	}
	call_advise(telling->call, "muster status, for the hosts that are known");
	return error_set(err, ERROR_CONFIG, 0, "%s: never looked at",
			 escape_text(bytes_from_string(telling->host), shown, sizeof(shown)));
}

static int read_when(struct call *call, enum option_id id, int64_t *ns, struct error *err)
{
	const char *text = call_value(call, id);
	int64_t seconds = 0;

	*ns = 0;
	if (!text) {
		return 0;
	}
	if (!when_parse(text, (int64_t)time(NULL), WHEN_AGO, &seconds)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--%s: expected 2026-11-20, 2026-11-20T14:00Z, or 2d for two days "
				 "ago",
				 option_spec(id)->name);
	}
	*ns = seconds * 1000000000;
	return 0;
}

int verb_timeline(struct call *call, struct error *err)
{
	struct telling telling = {.call = call, .host = call->words[0]};
	bool ndjson = open_is_ndjson(call);
	struct store *store = NULL;
	int64_t since_ns, until_ns;
	int code = -1;

	if (read_when(call, OPTION_SINCE, &since_ns, err) < 0 ||
	    read_when(call, OPTION_UNTIL, &until_ns, err) < 0 ||
	    open_store(call, STORE_READ, &store, err) < 0 || want_host(&telling, store, err) < 0) {
		goto out;
	}
	if (ndjson) {
		lines_start(call->out, "timeline", version_text);
	}
	if (store_timeline(store, telling.host, since_ns, until_ns, ndjson ? on_ndjson : on_text,
			   &telling, err) < 0) {
		goto out;
	}
	if (ndjson) {
		lines_end(call->out);
	} else if (telling.count == 0 && !call->quiet) {
		(void)fprintf(call->log,
			      "muster: nothing in that time; muster show %s says what "
			      "was looked at\n",
			      nodeset_name_is_valid(telling.host) ? telling.host : "HOST");
	}
	code = EXIT_CLEAN;
out:
	store_close(store);
	return code;
}
