// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include "baselines/rpm/manifest.h"

/*
 * No .deb has capabilities, so that a file which lost its own is just what its manifest says. Where the
 * overrides beside the manifests say that scripts set one, its loss is told. The policy's patterns do not
 * count here: they say what may be, on some host.
 */

void judge_ask_capabilities(struct judge *j)
{
	const struct record_list *overrides = j->in->overrides;
	struct bytes before = {NULL, 0};

	for (size_t i = 0; overrides && i < overrides->count; i++) {
		struct bytes line = overrides->line[i];
		struct question *question;
		struct record record;
		const char *kind;
		uint8_t *scratch;
		struct error err;

		if (!bytes_has_prefix(line, BYTES_LITERAL("capability "))) {
			continue;
		}
		scratch = judge_alloc(j, line.len + 1, 1);
		if (!scratch || records_read_line(line, scratch, &kind, &record, &err) < 0 ||
		    record.count < 2 || record.field[1].len == 0) {
			continue;
		}
		/* Any of several lines of one path will do. */
		if (bytes_equal(before, record.field[0])) {
			continue;
		}
		before = record.field[0];
		question = judge_ask(j, ASK_CAPABILITY, record.field[0]);
		if (question) {
			question->line = judge_keep(j, record.field[1]);
		}
	}
}

int judge_tell_capability(struct judge *j, const struct question *question, struct error *err)
{
	struct entry was = question->now;
	uint8_t caps[ENTRY_CAPS_MAX];
	struct change change = {
		.rule = RULE_FILE_CHANGED,
		.witness = WITNESS_MANIFEST,
		.path = question->path,
		.package = question->owner,
		.now = &question->now,
		.was_entry = &was,
		.differences = DIFFERS_CAPS,
		.detail = "The overrides beside the package's manifest say that its scripts set a "
			  "capability: it is gone.",
	};
	long len = rpm_caps_from_text(question->line, caps);

	if (!question->found || !question->in_package || question->now.type != ENTRY_FILE ||
	    question->now.caps.len > 0 || known_content(j, &question->now) ||
	    judge_is_told(j, question->path)) {
		return 0;
	}
	was.caps = bytes_make(caps, len > 0 ? (size_t)len : 0);
	return judge_emit(j, &change, err);
}
