// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include "controller/judge/path_class.h"
#include "controller/judge/walk.h"
#include "schema/glob.h"

#define MODE_SETID 06000U
#define MODE_EXEC 0111U

/* What honest programs leave in /tmp on every host, and only this type of it. */
static const struct {
	const char *pattern;
	enum entry_type type;
	uint32_t mode; /* exactly; 0: any without set-id */
} ordinary[] = {
	{"/tmp/.ICE-unix", ENTRY_DIR, 01777},  {"/tmp/.ICE-unix/*", ENTRY_SOCKET, 0},
	{"/tmp/.Test-unix", ENTRY_DIR, 01777}, {"/tmp/.X*-lock", ENTRY_FILE, 0444},
	{"/tmp/.X11-unix", ENTRY_DIR, 01777},  {"/tmp/.X11-unix/X*", ENTRY_SOCKET, 0},
	{"/tmp/.XIM-unix", ENTRY_DIR, 01777},  {"/tmp/.font-unix", ENTRY_DIR, 01777},
	{"/tmp/dbus-*", ENTRY_SOCKET, 0},      {"/tmp/ssh-*/agent.*", ENTRY_SOCKET, 0},
	{"/tmp/tmux-*/*", ENTRY_SOCKET, 0},
};

static bool is_ordinary(const struct entry *entry)
{
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
		if (ordinary[i].type == entry->type &&
		    (ordinary[i].mode == 0 || ordinary[i].mode == entry->mode) &&
		    (entry->mode & MODE_SETID) == 0 &&
		    glob_match_path(bytes_from_string(ordinary[i].pattern), entry->path)) {
			return true;
		}
	}
	return false;
}

static bool in_web_root(const struct judge *j, struct bytes path)
{
	const struct policy *policy = j->in->policy;

	for (size_t i = 0; policy && i < policy->web_roots.count; i++) {
		struct bytes root = bytes_from_string(policy->web_roots.item[i]);

		if (path_is_below(path, root) || glob_match_path(root, path)) {
			return true;
		}
	}
	return false;
}

/* Programs are what a web root is for: only a new or changed one tells. */
static bool is_site(const struct judge *j, const struct entry *now, const struct entry *was)
{
	return was && now->type == ENTRY_FILE && (now->mode & MODE_SETID) == 0 &&
	       now->caps.len == 0 && !path_name_is_odd(now->path) &&
	       (compare_entries(now, was) & DIFFERS_MORE_THAN_TIME) == 0 &&
	       in_web_root(j, now->path);
}

static int judge_volatile(struct judge *j, const struct entry *now, const struct entry *was,
			  struct error *err)
{
	struct change change = {
		.rule = RULE_VOLATILE_TELLING,
		.witness = WITNESS_RULE,
		.path = now->path,
		.now = now,
		.was_entry = was,
	};
	const struct manifest_entry *accepted;
	struct manifest_entry exact;

	if (is_ordinary(now) || known_as(j, now, NULL, was) || is_site(j, now, was)) {
		return 0;
	}
	accepted = known_accepted(j, now->path);
	if (accepted) {
		exact = *accepted;
		exact.tags |= MANIFEST_CAPS;
		change.was = &exact;
		change.witness = WITNESS_BASELINE;
	}
	if (now->type == ENTRY_DIR && in_web_root(j, now->path)) {
		change.detail = "Everybody may write into this web directory.";
	}
	if (now->flags != 0) {
		struct change flag = change;

		flag.rule = RULE_FLAG_IMMUTABLE;
		if (judge_emit(j, &flag, err) < 0) {
			return -1;
		}
	}
	return judge_emit(j, &change, err);
}

static int judge_setid(struct judge *j, const struct entry *now, const struct entry *was,
		       struct error *err)
{
	bool setid = (now->mode & MODE_SETID) != 0;
	struct change change = {
		.rule = setid ? RULE_SETID_GAINED : RULE_CAPABILITY_GAINED,
		.witness = WITNESS_RULE,
		.path = now->path,
		.now = now,
		.was_entry = was,
	};

	if (known_content(j, now)) {
		return 0;
	}
	if ((!setid || known_explains(j, now, DIFFERS_MODE) == 0) &&
	    (now->caps.len == 0 || known_explains(j, now, DIFFERS_CAPS) == 0)) {
		return 0;
	}
	return judge_emit(j, &change, err);
}

typedef int judge_entry(struct judge *j, const struct entry *now, const struct entry *was,
			struct error *err);

static int judge_each(struct judge *j, enum section_kind kind, judge_entry *each, struct error *err)
{
	const struct observation *now = j->in->now;
	const struct section_range range = observation_range(now, kind, (struct bytes){NULL, 0});
	struct entry_list list = {0}, first = {0};
	int result = 0;

	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		struct section_key key;
		struct walk walk;
		bool found;

		if (!section_key_decode(now->sections[i].key, &key)) {
			continue;
		}
		if (judge_entries(j, now, &key, &j->buffer[0], &list, &found, err) < 0 ||
		    judge_entries(j, judge_first(j), &key, &j->buffer[1], &first, &found, err) <
			    0) {
			result = -1;
			break;
		}
		walk = walk_begin(&list, &first);
		while (result == 0 && walk_next(&walk)) {
			result = walk.now ? each(j, walk.now, walk.was, err) : 0;
		}
	}
	entries_clear(&list);
	entries_clear(&first);
	return result;
}

int judge_volatiles(struct judge *j, struct error *err)
{
	return judge_each(j, SECTION_VOLATILE, judge_volatile, err);
}

int judge_setids(struct judge *j, struct error *err)
{
	return judge_each(j, SECTION_SETID, judge_setid, err);
}

/* Inode flags of what no other section carries. */
int judge_flags(struct judge *j, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_FLAGS, none, none, none, none);
	struct row_list rows = {0};
	bool found = false;
	int result = judge_records(j, j->in->now, &key, FLAGS_FIELDS, ROWS_BY_PATH, &j->buffer[0],
				   &rows, &found, err);

	for (size_t i = 0; result == 0 && i < rows.count; i++) {
		struct bytes letters = rows.item[i].field[FLAGS_LETTERS];
		struct change change = {
			.rule = RULE_FLAG_IMMUTABLE,
			.witness = WITNESS_RULE,
			.path = rows.item[i].field[FLAGS_PATH],
		};

		if (letters.len == 0 ||
		    (!memchr(letters.data, 'i', letters.len) &&
		     !memchr(letters.data, 'a', letters.len)) ||
		    known_record(j, "flags", &rows.item[i], 0)) {
			continue;
		}
		change.new_line = bytes_make(j->words[1], records_line("flags", &rows.item[i], 0,
								       j->words[1], WORDS_ROOM));
		result = judge_emit(j, &change, err);
	}
	rows_clear(&rows);
	return result;
}
