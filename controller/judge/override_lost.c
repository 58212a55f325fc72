// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdio.h>

#include "controller/judge/path_class.h"

/*
 * An override that was accepted, or that packages' scripts make, and that is gone: then the file is just
 * what its package ships, and nothing else tells that it was to be something else (a program that only
 * one group may run is everybody's again). The policy's patterns do not count here: they say what may
 * be, on some host.
 */

#define MODE_SETID 06000U

struct override {
	const char *line; /* as accepted; NULL: none of this host, but of the packages */
	size_t line_len;
	struct entry want; /* path, owner, group, mode */
};

static bool read_mode(struct bytes text, uint32_t *mode)
{
	*mode = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '7' || *mode > 07777) {
			return false;
		}
		*mode = *mode * 8 + (uint32_t)(text.data[i] - '0');
	}
	return text.len > 0 && *mode <= 07777;
}

/* The next line of another path than the one before, read. */
static struct override *read_line(struct judge *j, struct bytes line, struct bytes *before)
{
	struct override *override = judge_alloc(j, 1, sizeof(*override));
	uint8_t *scratch = judge_alloc(j, line.len + 1, 1);
	struct record record;
	struct error ignored;
	const char *kind;
	uint32_t mode;

	if (!override || !scratch ||
	    records_read_line(line, scratch, &kind, &record, &ignored) < 0 || record.count != 4 ||
	    bytes_equal(*before, record.field[0]) || !read_mode(record.field[3], &mode)) {
		return NULL;
	}
	*before = record.field[0];
	*override = (struct override){.want = {.path = record.field[0],
					       .owner = record.field[1],
					       .group = record.field[2],
					       .mode = mode}};
	return override;
}

static void ask_list(struct judge *j, const struct record_list *list, bool of_host)
{
	const struct bytes prefix = BYTES_LITERAL(EXCEPTION_OVERRIDE " ");
	struct bytes before = {NULL, 0};

	for (size_t i = 0; list && i < list->count; i++) {
		struct bytes line = list->line[i];
		struct override *override =
			bytes_has_prefix(line, prefix) ? read_line(j, line, &before) : NULL;
		struct question *question;

		if (!override) {
			continue;
		}
		if (of_host) {
			override->line = (const char *)line.data;
			override->line_len = line.len;
		}
		question = judge_ask(j, ASK_OVERRIDE, dirs_canonical(j, override->want.path));
		if (question) {
			question->override = override;
		}
	}
}

void judge_ask_overrides(struct judge *j)
{
	ask_list(j, j->in->accepted_records, true);
	ask_list(j, j->in->overrides, false);
}

/* Whether the file has what any accepted line of it says. An id has no name to be compared. */
static bool has_it(struct judge *j, const struct question *question)
{
	const struct entry *now = &question->now, *want = &question->override->want;
	char mode[16];
	struct record record = {
		.count = 4,
		.field = {want->path, now->owner, now->group, bytes_make(mode, 0)},
	};

	record.field[3].len = (size_t)snprintf(mode, sizeof(mode), "%o", now->mode);
	return known_accepted_record(j, EXCEPTION_OVERRIDE, &record, 0) ||
	       (now->mode == want->mode &&
		(bytes_has_prefix(want->owner, BYTES_LITERAL("#")) ||
		 bytes_equal(want->owner, now->owner)) &&
		(bytes_has_prefix(want->group, BYTES_LITERAL("#")) ||
		 bytes_equal(want->group, now->group)));
}

static int tell_gone(struct judge *j, const struct question *question, bool has, struct error *err)
{
	const uint32_t system = PATH_BIN | PATH_LIB | PATH_TELLING;
	const struct override *override = question->override;
	bool grave = (path_class(question->path) & system) ||
		     ((question->now.mode | override->want.mode) & MODE_SETID &&
		      question->now.type == ENTRY_FILE);
	const struct change change = {
		.rule = RULE_OVERRIDE_LOST,
		.witness = WITNESS_BASELINE,
		.has_severity = true,
		.severity = has     ? SEVERITY_LOW
			    : grave ? SEVERITY_HIGH
				    : SEVERITY_MEDIUM,
		.path = question->path,
		.package = question->owner,
		.old_line = bytes_make(override->line, override->line_len),
		.detail = has ? "The host's dpkg has it no longer: the next upgrade will undo it."
			      : "The host's dpkg has it no longer, nor has the file this owner and "
				"mode.",
	};

	return judge_emit(j, &change, err);
}

int judge_tell_override(struct judge *j, const struct question *question, struct error *err)
{
	const struct override *override = question->override;
	const struct entry *now = &question->now;
	struct entry was = *now;
	struct change change = {
		.rule = now->type == ENTRY_DIR ? RULE_OWNER_CHANGED : RULE_FILE_CHANGED,
		.witness = override->line ? WITNESS_BASELINE : WITNESS_MANIFEST,
		.path = question->path,
		.package = question->owner,
		.now = now,
		.was_entry = &was,
		.detail = override->line ? "It has not the owner and mode of the accepted override."
					 : "The overrides beside the package's manifest say that "
					   "its scripts set another owner and mode.",
	};
	bool has;

	if (!question->found || !question->in_package || now->type == ENTRY_LINK) {
		return 0;
	}
	has = has_it(j, question);
	if (override->line && j->exceptions.is_read && !exceptions_override(j, question->path)) {
		/* If dpkg has another one of the file, that was told. */
		return tell_gone(j, question, has, err);
	}
	if (has || known_content(j, now) || judge_is_told(j, question->path)) {
		return 0;
	}
	was.mode = override->want.mode;
	was.owner = override->want.owner;
	was.group = override->want.group;
	change.differences = compare_entries(now, &was);
	return judge_emit(j, &change, err);
}
