// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdio.h>

#include "controller/judge/capability.h"
#include "controller/judge/unit.h"
#include "schema/glob.h"

#define MODE_RUNS 06111U /* set-id, execute */
#define MODE_SETID 06000U
#define MODE_OTHERS_WRITE 022U

static const struct manifest_entry *find_accepted(struct judge *j, struct bytes path)
{
	const struct manifest *accepted = j->in->accepted;
	size_t low = 0, high = accepted ? accepted->count : 0, at = j->accepted_at;

	/* Sections ask in order of paths: gallop on from the last answer where that can be. */
	if (at < high && bytes_path_compare(accepted->entries[at].entry.path, path) <= 0) {
		low = at;
		for (size_t step = 1; low + step < high; step *= 2) {
			if (bytes_path_compare(accepted->entries[low + step].entry.path, path) >
			    0) {
				high = low + step;
				break;
			}
			low += step;
		}
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct manifest_entry *entry = &accepted->entries[middle];
		int order = bytes_path_compare(entry->entry.path, path);

		if (order == 0) {
			j->accepted_at = middle;
			j->accepted_seen[middle] = true;
			return entry;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	j->accepted_at = low > 0 ? low - 1 : 0;
	return NULL;
}

const struct manifest_entry *known_accepted(struct judge *j, struct bytes path)
{
	const struct manifest_entry *entry = j->in->accepted ? find_accepted(j, path) : NULL;

	/* Whether there is an accepted state at all is an input of every unit. */
	if (j->is_traced && j->in->accepted) {
		struct asked asked = {.kind = ASKED_ACCEPTED, .found = entry != NULL, .what = path};

		if (entry) {
			asked.entry = entry;
		}
		trace_add(j, &asked);
	}
	return entry;
}

static const struct manifest_entry *find_in_trees(struct judge *j, struct bytes path, size_t *tree)
{
	for (size_t i = 0; i < j->in->tree_count; i++) {
		const struct manifest *one = j->in->trees[i];
		const struct manifest_entry *entry = manifest_find(one, path);

		if (entry) {
			if (j->tree_seen && j->tree_seen[i]) {
				j->tree_seen[i][entry - one->entries] = true;
			}
			*tree = i;
			return entry;
		}
	}
	return NULL;
}

const struct manifest_entry *known_tree(struct judge *j, struct bytes path, size_t *tree)
{
	const struct manifest_entry *entry = find_in_trees(j, path, tree);

	if (j->is_traced && j->in->tree_count > 0) {
		struct asked asked = {.kind = ASKED_TREE, .found = entry != NULL, .what = path};

		if (entry) {
			asked.entry = entry;
			asked.number = *tree;
		}
		trace_add(j, &asked);
	}
	return entry;
}

/* What the next reference says beyond content; the first sight proves no set-id bits. */
static void take_owner(struct entry *to, const struct entry *from, uint32_t modes)
{
	to->mode = from->mode & modes;
	to->owner = from->owner;
	to->group = from->group;
	to->acl = from->acl;
	to->default_acl = from->default_acl;
}

bool known_by_tree(struct judge *j, const struct entry *now, const struct manifest_entry *want,
		   const struct entry *was, struct manifest_entry *exact)
{
	const struct bytes none = {NULL, 0};
	size_t tree;
	const struct manifest_entry *entry = known_tree(j, now->path, &tree);
	struct entry *to = &exact->entry;

	if (!entry) {
		return false;
	}
	*exact = *entry;
	exact->tags &= ~(uint32_t)MANIFEST_NOMODE;
	if (want && want->entry.type == to->type && !(want->tags & MANIFEST_NOMODE)) {
		take_owner(to, &want->entry, 07777);
		to->caps = want->entry.caps;
		exact->tags |= want->tags & MANIFEST_CAPS;
	} else if (was && was->type == to->type) {
		take_owner(to, was, 01777);
	} else {
		/* Nobody says: then it is root's, and nobody else may write it. */
		take_owner(to, now, 07777U & ~(MODE_SETID | MODE_OTHERS_WRITE));
		to->owner = BYTES_LITERAL("root");
		to->acl = to->default_acl = none;
	}
	return true;
}

bool known_as(struct judge *j, const struct entry *now, const struct manifest_entry *want,
	      const struct entry *was)
{
	const struct manifest_entry *entry = known_accepted(j, now->path);
	struct manifest_entry exact;

	if (entry) {
		exact = *entry;
		exact.tags |= MANIFEST_CAPS;
		return compare_to_manifest(now, &exact) == 0;
	}
	return known_by_tree(j, now, want, was, &exact) && compare_to_manifest(now, &exact) == 0;
}

bool known_content(struct judge *j, const struct entry *now)
{
	return known_as(j, now, NULL, NULL);
}

size_t known_lines_from(const struct judge *j, struct bytes line)
{
	const struct record_list *list = j->in->accepted_records;
	size_t low = 0, high = list ? list->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(list->line[middle], line) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool known_line(struct judge *j, struct bytes line)
{
	const struct record_list *accepted = j->in->accepted_records;
	bool known = (accepted && records_has(accepted, line)) ||
		     (j->in->overrides && records_has(j->in->overrides, line));

	/* Overrides are the same for every host. */
	if (j->is_traced && accepted) {
		trace_add(j, &(struct asked){.kind = ASKED_LINE, .found = known, .what = line});
	}
	return known;
}

bool known_ordinary(const struct judge *j, const char *kind, struct bytes text)
{
	const struct policy *policy = j->in->policy;

	for (size_t i = 0; policy && i < policy->known_count; i++) {
		if (strcmp(policy->known[i].kind, kind) == 0 &&
		    glob_match(bytes_from_string(policy->known[i].pattern), text)) {
			return true;
		}
	}
	return false;
}

bool known_path(const struct judge *j, const char *kind, struct bytes path)
{
	const struct policy *policy = j->in->policy;

	for (size_t i = 0; policy && i < policy->known_count; i++) {
		if (policy->known[i].kind[0] == kind[0] &&
		    glob_may_match(policy->known[i].pattern, path) &&
		    strcmp(policy->known[i].kind, kind) == 0 &&
		    glob_match_path(bytes_from_string(policy->known[i].pattern), path)) {
			return true;
		}
	}
	return false;
}

bool known_accepted_record(struct judge *j, const char *kind, const struct record *record,
			   size_t from)
{
	return known_line(
		j, bytes_make(j->line, records_line(kind, record, from, j->line, LINE_ROOM)));
}

bool known_record(struct judge *j, const char *kind, const struct record *record, size_t from)
{
	size_t skip = strlen(kind) + 1;
	char *line = j->line;
	size_t len = records_line(kind, record, from, line, LINE_ROOM);

	return known_line(j, bytes_make(line, len)) ||
	       (len > skip && known_ordinary(j, kind, bytes_make(line + skip, len - skip)));
}

static bool known_words(struct judge *j, const char *kind, size_t count, const struct bytes *word)
{
	struct record record = {.count = count};

	for (size_t i = 0; i < count; i++) {
		record.field[i] = word[i];
	}
	return known_record(j, kind, &record, 0);
}

bool known_absent(struct judge *j, struct bytes path)
{
	return j->in->accepted_records && known_words(j, "absent", 1, &path);
}

uint32_t known_explains(struct judge *j, const struct entry *now, uint32_t differences)
{
	char text[CAPABILITY_TEXT_MAX];
	struct bytes word[4] = {now->path};

	if ((differences & DIFFERS_OWNERSHIP) && now->acl.len == 0 && now->default_acl.len == 0) {
		int len = snprintf(text, sizeof(text), "%o", now->mode);

		word[1] = now->owner;
		word[2] = now->group;
		word[3] = bytes_make(text, (size_t)len);
		if (known_words(j, EXCEPTION_OVERRIDE, 4, word)) {
			differences &= ~DIFFERS_OWNERSHIP;
		}
	}
	if ((differences & DIFFERS_TYPE) && now->type == ENTRY_LINK) {
		word[1] = now->link;
		if (known_words(j, "link", 2, word)) {
			/* Another type differs in everything else as well. */
			differences &= DIFFERS_FLAGS | DIFFERS_UNREAD;
		}
	}
	if ((differences & DIFFERS_CAPS) && now->caps.len > 0) {
		word[1] = bytes_make(text, capability_text(now->caps, text, sizeof(text)));
		if (known_words(j, "capability", 2, word)) {
			differences &= ~(uint32_t)DIFFERS_CAPS;
		}
	}
	return differences;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct bytes text, struct digest *digest)
{
	if (text.len != (size_t)2 * DIGEST_SIZE) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		digest->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static enum package_line find_package(struct judge *j, const struct section_key *key,
				      const struct digest *now, struct digest *accepted)
{
	const struct record_list *list = j->in->accepted_records;
	struct record record = {.count = 4};
	enum package_line found = PACKAGE_UNKNOWN;
	struct bytes line;
	size_t len;

	if (!list || list->count == 0) {
		return PACKAGE_UNKNOWN;
	}
	memcpy(record.field, key->part + 1, sizeof(struct bytes) * 4);
	len = records_line("package", &record, 0, j->line, LINE_ROOM - 1);
	j->line[len++] = ' ';
	line = bytes_make(j->line, len);
	for (size_t i = known_lines_from(j, line);
	     i < list->count && bytes_has_prefix(list->line[i], line); i++) {
		struct digest one;

		if (!read_digest(bytes_make(list->line[i].data + len, list->line[i].len - len),
				 &one)) {
			continue;
		}
		*accepted = one;
		if (now && digest_equal(&one, now)) {
			return PACKAGE_ACCEPTED;
		}
		found = PACKAGE_OTHER;
	}
	return found;
}

enum package_line known_package(struct judge *j, const struct section_key *key,
				const struct digest *now, struct digest *accepted)
{
	enum package_line line = find_package(j, key, now, accepted);
	uint8_t room[SECTION_KEY_MAX];

	if (j->is_traced && j->in->accepted_records && now) {
		struct asked asked = {
			.kind = ASKED_PACKAGE,
			.what = judge_key(key, room),
			.more = bytes_make(now->bytes, DIGEST_SIZE),
			.number = (size_t)line,
		};

		if (line != PACKAGE_UNKNOWN) {
			asked.digest = *accepted;
		}
		trace_add(j, &asked);
	}
	return line;
}

bool known_generated(const struct judge *j, const struct entry *entry)
{
	const struct policy *policy = j->in->policy;
	const struct bytes path = entry->path;

	/* Triggers write caches. A program in the place of one is nobody's cache. */
	if (entry->caps.len > 0 ||
	    (entry->type == ENTRY_FILE &&
	     (entry->magic != ENTRY_MAGIC_NONE || (entry->mode & MODE_RUNS)))) {
		return false;
	}
	for (size_t i = 0; policy && i < policy->generated.count; i++) {
		if (glob_may_match(policy->generated.item[i], path) &&
		    glob_match_path(bytes_from_string(policy->generated.item[i]), path)) {
			return true;
		}
	}
	return false;
}

bool known_excluded(const struct judge *j, struct bytes path)
{
	const struct exceptions *known = &j->exceptions;
	bool excluded = false;

	for (size_t i = 0; i < known->exclude_count && !excluded; i++) {
		excluded = glob_match(known->excludes[i], path);
	}
	for (size_t i = 0; i < known->include_count && excluded; i++) {
		excluded = !glob_match(known->includes[i], path);
	}
	return excluded;
}
