// SPDX-License-Identifier: MIT
#include "controller/cmd/learning.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/manifest.h"
#include "baselines/overrides.h"
#include "baselines/records.h"
#include "controller/judge/capability.h"
#include "schema/record.h"

#define LINE_ROOM 65536

struct learning {
	struct proposal *item;
	size_t count;
	size_t room;
	struct arena memory;
	char line[LINE_ROOM];
	uint8_t scratch[LINE_ROOM];
	bool sorted;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for proposals");
}

int learning_new(struct learning **learning, struct error *err)
{
	*learning = calloc(1, sizeof(**learning));
	return *learning ? 0 : no_memory(err);
}

void learning_free(struct learning *learning)
{
	if (learning) {
		arena_clear(&learning->memory);
		free(learning->item);
		free(learning);
	}
}

/* Columns of rpm -V: what a package's scripts may have set, and what only a change of content sets. */
enum {
	COLUMN_SIZE,
	COLUMN_MODE,
	COLUMN_DIGEST,
	COLUMN_DEVICE,
	COLUMN_LINK,
	COLUMN_USER,
	COLUMN_GROUP,
	COLUMN_TIME,
	COLUMN_CAPS
};

static bool is_set(const struct finding *f, int column)
{
	return f->letters[column] != '\0' && f->letters[column] != '.';
}

static bool has_letters(const struct finding *f)
{
	return strlen(f->letters) == 9;
}

static bool differs_in_content(const struct finding *f)
{
	return is_set(f, COLUMN_SIZE) || is_set(f, COLUMN_DIGEST) || is_set(f, COLUMN_DEVICE) ||
	       is_set(f, COLUMN_LINK);
}

static bool differs_in_ownership(const struct finding *f)
{
	return is_set(f, COLUMN_MODE) || is_set(f, COLUMN_USER) || is_set(f, COLUMN_GROUP);
}

/* A record of a kind that may be an override. */
static bool is_exception(const struct finding *f)
{
	const uint8_t *blank =
		f->new_value.len > 0 ? memchr(f->new_value.data, ' ', f->new_value.len) : NULL;
	char kind[64] = "";
	size_t len = blank ? (size_t)(blank - f->new_value.data) : 0;

	if (f->rule != RULE_EXCEPTION_UNKNOWN || len >= sizeof(kind)) {
		return false;
	}
	if (len > 0) {
		memcpy(kind, f->new_value.data, len);
	}
	return overrides_allow(kind);
}

/* Owner, mode or capability of an object that a package's proof has otherwise. */
static bool is_of_attributes(const struct finding *f)
{
	return (f->rule == RULE_FILE_CHANGED || f->rule == RULE_SETID_GAINED ||
		f->rule == RULE_CAPABILITY_GAINED || f->rule == RULE_OWNER_CHANGED) &&
	       (f->witness == WITNESS_SIGNATURE || f->witness == WITNESS_MANIFEST) &&
	       has_letters(f) && !differs_in_content(f) &&
	       (differs_in_ownership(f) || is_set(f, COLUMN_CAPS));
}

enum learned learning_judge(const struct finding *f)
{
	if (is_exception(f) || is_of_attributes(f)) {
		return LEARNED_LINE;
	}
	/* A build that no manifest has yet is no sign of a changed host. */
	return f->severity >= SEVERITY_MEDIUM && f->rule != RULE_PACKAGE_UNPROVED &&
			       f->rule != RULE_FIRST_SIGHT
		       ? LEARNED_UNCLEAN
		       : LEARNED_NOTHING;
}

static struct proposal *find(struct learning *l, struct bytes line)
{
	for (size_t i = 0; i < l->count; i++) {
		if (bytes_equal(l->item[i].line, line)) {
			return &l->item[i];
		}
	}
	return NULL;
}

static int count_line(struct learning *l, struct bytes line, struct bytes package, size_t host,
		      struct error *err)
{
	struct proposal *p = find(l, line);
	bool ok = true;

	if (!p) {
		if (l->count == l->room) {
			size_t room = l->room ? 2 * l->room : 64;
			struct proposal *grown = realloc(l->item, room * sizeof(*grown));

			if (!grown) {
				return no_memory(err);
			}
			l->item = grown;
			l->room = room;
		}
		p = &l->item[l->count++];
		*p = (struct proposal){.line = arena_copy(&l->memory, line, &ok),
				       .package = arena_copy(&l->memory, package, &ok)};
	}
	if (p->last_host != host) {
		p->last_host = host;
		p->hosts++;
	}
	return ok ? 0 : no_memory(err);
}

static int count_record(struct learning *l, const char *kind, const struct record *record,
			const struct finding *f, size_t host, struct error *err)
{
	size_t len = records_line(kind, record, 0, l->line, LINE_ROOM);

	return count_line(l, bytes_make(l->line, len), f->package, host, err);
}

int learning_take(struct learning *l, const struct finding *f, size_t host, struct error *err)
{
	struct record record = {.count = 4, .field = {f->subject}};
	struct manifest_entry now;
	char text[CAPABILITY_TEXT_MAX];

	if (learning_judge(f) != LEARNED_LINE) {
		return 0;
	}
	if (is_exception(f)) {
		return count_line(l, f->new_value, f->package, host, err);
	}
	/* Words that were cut, or that are no entry, say nothing that could be learned. */
	if (f->new_value.len > LINE_ROOM ||
	    manifest_entry_parse(f->subject, f->new_value, l->scratch, &now, err) < 0) {
		return 0;
	}
	/* An ACL says more than owner and mode: it is left as a finding. */
	if (differs_in_ownership(f) && now.entry.acl.len == 0 && now.entry.default_acl.len == 0) {
		record.field[1] = now.entry.owner;
		record.field[2] = now.entry.group;
		record.field[3] = bytes_make(
			text, (size_t)snprintf(text, sizeof(text), "%o", now.entry.mode));
		if (count_record(l, EXCEPTION_OVERRIDE, &record, f, host, err) < 0) {
			return -1;
		}
	}
	if (is_set(f, COLUMN_CAPS) && now.entry.caps.len > 0) {
		record.count = 2;
		record.field[1] =
			bytes_make(text, capability_text(now.entry.caps, text, sizeof(text)));
		return count_record(l, "capability", &record, f, host, err);
	}
	return 0;
}

static int compare_proposals(const void *a, const void *b)
{
	return bytes_compare(((const struct proposal *)a)->line,
			     ((const struct proposal *)b)->line);
}

/* Several of dpkg's filters may name one pattern, each in a file of its own. */
static bool is_filter(struct bytes line)
{
	return bytes_has_prefix(line, BYTES_LITERAL(EXCEPTION_EXCLUDE " ")) ||
	       bytes_has_prefix(line, BYTES_LITERAL(EXCEPTION_INCLUDE " "));
}

/* "kind PATH ": of an alternative or a diversion too the object that the rest is said of. */
static size_t object_len(struct bytes line)
{
	size_t blanks = 0, i = 0;

	while (i < line.len && blanks < 2) {
		blanks += line.data[i++] == ' ';
	}
	return i;
}

const struct proposal *learning_proposals(struct learning *l, size_t *count)
{
	if (l->count > 1) {
		qsort(l->item, l->count, sizeof(*l->item), compare_proposals);
	}
	for (size_t i = 1; i < l->count; i++) {
		struct proposal *a = &l->item[i - 1], *b = &l->item[i];
		size_t len = object_len(a->line);

		if (!is_filter(a->line) && len <= b->line.len &&
		    memcmp(a->line.data, b->line.data, len) == 0) {
			a->disputed = b->disputed = true;
		}
	}
	*count = l->count;
	return l->item;
}
