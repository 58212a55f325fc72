// SPDX-License-Identifier: MIT
#include "controller/judge/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/judge/context.h"
#include "controller/judge/fleet_claims.h"
#include "controller/judge/walk.h"
#include "schema/escape.h"

#define COUNT_ROOM 32
#define DETAIL_ROOM 768

/* What findings of one side have in common. */
struct telling {
	struct judge *j;
	const struct fleet_group *group;
	const struct fleet_side *side;
	bool brief;
	struct bytes text; /* name:arch version */
	const char *detail;
};

enum fleet_word fleet_word(const struct fleet_group *group)
{
	if (group->hosts < FLEET_HOSTS_MIN) {
		return FLEET_FEW;
	}
	if (group->count == 1) {
		return FLEET_AGREES;
	}
	return group->side[0].hosts > group->hosts / 2 ? FLEET_MAJORITY : FLEET_DIVIDED;
}

/* 4312 as 4,312. */
static const char *count_text(size_t count, char to[COUNT_ROOM])
{
	char digits[COUNT_ROOM];
	int len = snprintf(digits, sizeof(digits), "%zu", count);
	size_t used = 0;

	for (int i = 0; i < len && used + 2 < COUNT_ROOM; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			to[used++] = ',';
		}
		to[used++] = digits[i];
	}
	to[used] = '\0';
	return to;
}

static struct bytes joined(struct judge *j, struct bytes a, const char *between, struct bytes b)
{
	size_t len = strlen(between);
	uint8_t *to = judge_alloc(j, a.len + len + b.len + 1, 1);

	if (!to) {
		return a;
	}
	if (a.len > 0) {
		memcpy(to, a.data, a.len);
	}
	memcpy(to + a.len, between, len);
	if (b.len > 0) {
		memcpy(to + a.len + len, b.data, b.len);
	}
	return bytes_make(to, a.len + len + b.len);
}

static struct change begin(const struct telling *t, enum rule rule, struct bytes path)
{
	return (struct change){
		.rule = rule,
		.witness = WITNESS_FLEET,
		.path = path,
		.package = t->text,
		.detail = t->detail,
	};
}

/* "package M N V A digest": what accepting the build with this content writes. */
static struct bytes package_words(const struct telling *t, const struct fleet_side *side,
				  unsigned slot)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct record record = {.count = 5};

	memcpy(record.field, t->group->key.part + 1, sizeof(struct bytes) * 4);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		(void)snprintf(hex + 2 * i, 3, "%02x", side->content.bytes[i]);
	}
	record.field[4] = bytes_make(hex, sizeof(hex) - 1);
	return bytes_make(t->j->words[slot],
			  records_line("package", &record, 0, t->j->words[slot], WORDS_ROOM));
}

/* "claims digest": what tells one word from another. Nobody accepts a database's word. */
static struct bytes claims_words(struct judge *j, const struct digest *content)
{
	char *to = j->words[1];
	size_t len = (size_t)snprintf(to, WORDS_ROOM, "claims ");

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		len += (size_t)snprintf(to + len, WORDS_ROOM - len, "%02x", content->bytes[i]);
	}
	return bytes_make(to, len);
}

/* About the build as a whole. */
static int tell_build(const struct telling *t, enum rule rule, const struct fleet_side *was,
		      struct error *err)
{
	const struct section_key *key = &t->group->key;
	struct change change = begin(t, rule, joined(t->j, key->part[2], ":", key->part[4]));

	change.new_line = package_words(t, t->side, 1);
	if (was) {
		change.old_line = package_words(t, was, 0);
	}
	return judge_emit(t->j, &change, err);
}

static int tell_path(const struct telling *t, const struct walk *walk, struct error *err)
{
	struct change change = begin(t, RULE_FLEET_DIFFERS, walk->path);

	change.now = walk->now;
	change.was_entry = walk->was;
	if (walk->now && walk->was) {
		change.differences = compare_entries(walk->now, walk->was);
		if ((change.differences & ~(uint32_t)DIFFERS_UNREAD) == 0) {
			return 0;
		}
	}
	return judge_emit(t->j, &change, err);
}

static int load_side(struct judge *j, const struct fleet_side *side, struct buffer *buffer,
		     struct entry_list *list, bool *whole, struct error *err)
{
	bool found = false;

	if (judge_load_digest(j, &side->content, buffer, &found, err) < 0) {
		/* Too much of it to be read: that it differs is known without. */
		*whole = false;
		return err->kind == ERROR_LIMIT ? 0 : -1;
	}
	*whole = *whole && found && entries_decode(buffer_bytes(buffer), list) == DECODED;
	return 0;
}

/* Path by path against what most hosts have. */
static int tell_odd(const struct telling *t, struct error *err)
{
	const struct fleet_side *most = &t->group->side[0];
	struct entry_list now = {0}, was = {0};
	size_t told = t->j->findings->count;
	bool whole = !t->brief;
	int result = 0;

	if (whole && (load_side(t->j, t->side, &t->j->buffer[0], &now, &whole, err) < 0 ||
		      load_side(t->j, most, &t->j->buffer[1], &was, &whole, err) < 0)) {
		result = -1;
	} else if (whole) {
		struct walk walk = walk_begin(&now, &was);

		while (result == 0 && t->j->findings->count - told <= FLEET_PATHS_MAX &&
		       walk_next(&walk)) {
			result = tell_path(t, &walk, err);
		}
		if (t->j->findings->count - told > FLEET_PATHS_MAX) {
			t->j->findings->count = told;
		}
	}
	/* Digests that differ differ in something, even where it cannot be shown. */
	if (result == 0 && t->j->findings->count == told) {
		result = tell_build(t, RULE_FLEET_DIFFERS, most, err);
	}
	entries_clear(&now);
	entries_clear(&was);
	return result;
}

/* A vendor's signature or a manifest has this build: the fleet is the weaker witness. */
static bool is_decided(const struct fleet_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->side[i].witness <= WITNESS_MANIFEST) {
			return true;
		}
	}
	return false;
}

/* Whom nobody agrees with about the database's own word. Without a majority nobody is accused. */
static int tell_claims(struct telling *t, size_t side, char *detail, struct error *err)
{
	const struct fleet_group *group = t->group;
	const struct section_key *key = &group->key;
	struct change change =
		begin(t, RULE_FLEET_CLAIMS, joined(t->j, key->part[2], ":", key->part[4]));
	char mine[COUNT_ROOM], all[COUNT_ROOM], most[COUNT_ROOM];
	struct claims_difference difference;

	if (side == 0 || fleet_word(group) != FLEET_MAJORITY) {
		return 0;
	}
	if (fleet_claims_compare(t->j, key->part[1], &t->side->content, &group->side[0].content,
				 &difference, err) < 0) {
		return -1;
	}
	if (difference.count == 0) {
		return 0;
	}
	(void)snprintf(detail, DETAIL_ROOM,
		       "The database of %s of %s hosts of %.*s with this build %s: %s%s. %s agree.",
		       count_text(t->side->hosts, mine), count_text(group->hosts, all),
		       (int)group->release.len, (const char *)group->release.data,
		       t->side->hosts == 1 ? "says otherwise" : "say otherwise", difference.words,
		       difference.count > CLAIMS_SHOWN_MAX ? " ..." : "",
		       count_text(group->side[0].hosts, most));
	change.new_line = claims_words(t->j, &t->side->content);
	return judge_emit(t->j, &change, err);
}

static int tell_side(struct telling *t, size_t side, char *detail, struct error *err)
{
	const struct fleet_group *group = t->group;
	char mine[COUNT_ROOM], all[COUNT_ROOM], most[COUNT_ROOM];
	enum fleet_word word = fleet_word(group);
	bool agreed = word == FLEET_AGREES || word == FLEET_MAJORITY;

	(void)count_text(t->side->hosts, mine);
	(void)count_text(group->hosts, all);
	(void)count_text(group->side[0].hosts, most);
	if (is_decided(group)) {
		if (!agreed || side != 0 || !t->side->differs) {
			return 0;
		}
		(void)snprintf(detail, DETAIL_ROOM,
			       "%s of %s hosts of %.*s with this build agree on this content; the "
			       "%s says otherwise.",
			       mine, all, (int)group->release.len,
			       (const char *)group->release.data, witness_name(t->side->witness));
		return tell_build(t, RULE_FLEET_DISAGREES, NULL, err);
	}
	if (agreed) {
		if (side == 0) {
			return 0;
		}
		(void)snprintf(detail, DETAIL_ROOM,
			       "%s of %s hosts of %.*s with this build %s this; %s agree on "
			       "another content.",
			       mine, all, (int)group->release.len,
			       (const char *)group->release.data,
			       t->side->hosts == 1 ? "has" : "have", most);
		return tell_odd(t, err);
	}
	if (group->count == 1) {
		return 0;
	}
	(void)snprintf(detail, DETAIL_ROOM,
		       "%s of %s hosts of %.*s with this build %s this content: %s, so that nobody "
		       "is accused.",
		       mine, all, (int)group->release.len, (const char *)group->release.data,
		       t->side->hosts == 1 ? "has" : "have",
		       word == FLEET_FEW ? "too few to compare" : "there is no majority");
	return tell_build(t, RULE_FLEET_DIVIDED, NULL, err);
}

static int tell(struct telling *t, size_t side, struct error *err)
{
	char detail[DETAIL_ROOM];
	int result;

	t->detail = detail;
	result = t->group->key.kind == SECTION_CLAIMS ? tell_claims(t, side, detail, err)
						      : tell_side(t, side, detail, err);
	t->detail = NULL;
	return result;
}

bool fleet_is_accepted(const struct finding *finding, const struct manifest *accepted,
		       const struct record_list *records)
{
	const struct manifest_entry *entry = accepted ? manifest_find(accepted, finding->subject)
						      : NULL;
	char *words = malloc(WORDS_ROOM);
	struct bytes now = finding->new_value;
	struct record record = {.count = 1, .field = {finding->subject}};
	bool known = false;

	if (!words) {
		return false; /* told once more at worst */
	}
	if (now.len == 0) {
		now = bytes_make(words, records_line("absent", &record, 0, words, WORDS_ROOM));
		known = records && records_has(records, now);
	} else if (bytes_has_prefix(now, BYTES_LITERAL("type="))) {
		known = entry &&
			bytes_equal(bytes_make(words, manifest_words(entry, words, WORDS_ROOM)),
				    now);
	} else {
		known = records && records_has(records, now);
	}
	free(words);
	return known;
}

int fleet_judge(const struct fleet_input *input, const struct fleet_group *group, size_t side,
		struct findings *findings, struct error *err)
{
	const struct judge_input in = {.policy = input->policy, .objects = input->objects};
	struct judge *j = calloc(1, sizeof(*j));
	struct telling t = {
		.j = j, .group = group, .side = &group->side[side], .brief = input->brief};
	int result = -1;

	if (!j) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	j->in = &in;
	j->findings = findings;
	j->arena.most = JUDGE_MEMORY_MAX;
	j->words[0] = judge_alloc(j, WORDS_ROOM, 1);
	j->words[1] = judge_alloc(j, WORDS_ROOM, 1);
	t.text = joined(j, joined(j, group->key.part[2], ":", group->key.part[4]), " ",
			group->key.part[3]);
	if (!j->lost_memory) {
		result = tell(&t, side, err);
	}
	if (j->lost_memory) {
		result = error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	free(j->buffer[0].data);
	free(j->buffer[1].data);
	arena_clear(&j->arena);
	free(j);
	return result;
}
