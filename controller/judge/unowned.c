// SPDX-License-Identifier: MIT
#include "controller/judge/unowned.h"

#include "controller/judge/bytecode.h"
#include "controller/judge/path_class.h"
#include "controller/judge/pile.h"

#define LINKS_MAX 3U
#define ASKED_MAX 100000U /* sources that a host can make the judge look for elsewhere */
#define CODE (DIFFERS_SIZE | DIFFERS_DIGEST)

/* /bin, a link to usr/bin: the alias that makes one path of two. */
static bool is_alias(const struct entry *now)
{
	struct bytes link = now->link;

	if (now->type != ENTRY_LINK || !path_is_alias(now->path) || link.len == 0) {
		return false;
	}
	if (link.data[0] == '/') {
		link = bytes_make(link.data + 1, link.len - 1);
	}
	return bytes_has_prefix(link, BYTES_LITERAL("usr/")) && link.len == 3 + now->path.len &&
	       memcmp(link.data + 3, now->path.data, now->path.len) == 0;
}

/* A link's target from the root on, "." and ".." taken out; none where it leads above. */
static struct bytes target_of(struct judge *j, struct bytes path, struct bytes link)
{
	struct bytes folder = path_parent(path);
	uint8_t *to = judge_alloc(j, folder.len + link.len + 2, 1);
	size_t len = 0, at = 0;

	if (!to || link.len == 0) {
		return (struct bytes){NULL, 0};
	}
	if (link.data[0] != '/' && folder.len > 1) {
		memcpy(to, folder.data, folder.len);
		len = folder.len;
	}
	while (at < link.len) {
		const uint8_t *slash = memchr(link.data + at, '/', link.len - at);
		size_t end = slash ? (size_t)(slash - link.data) : link.len;
		struct bytes name = bytes_make(link.data + at, end - at);

		if (bytes_equal_string(name, "..")) {
			while (len > 0 && to[--len] != '/') {
			}
		} else if (name.len > 0 && !bytes_equal_string(name, ".")) {
			to[len++] = '/';
			memcpy(to + len, name.data, name.len);
			len += name.len;
		}
		at = end + 1;
	}
	return len > 0 ? dirs_canonical(j, bytes_make(to, len)) : (struct bytes){NULL, 0};
}

/*
 * Whether the policy lets such a link stand: where its target is a package's (owned-link), or where it leads
 * to what lies beside it and is judged by itself (link).
 */
static bool may_link(struct judge *j, const struct entry *now, const char *kind)
{
	struct record record = {.count = 2, .field = {now->path, now->link}};
	size_t len = records_line(kind, &record, 0, j->line, LINE_ROOM), skip = strlen(kind) + 1;

	return len > skip && known_ordinary(j, kind, bytes_make(j->line + skip, len - skip));
}

bool unowned_is_cache(const struct entry *entry)
{
	return bytecode_is(entry) ||
	       (entry->type == ENTRY_DIR && (entry->mode & 022) == 0 && entry->acl.len == 0 &&
		bytes_equal_string(path_basename(entry->path), "__pycache__"));
}

int unowned_present(struct judge *j, const struct entry *now, struct error *err)
{
	/* A folder is there for what is in it. */
	if (now->type == ENTRY_DIR || is_alias(now) || known_generated(j, now) ||
	    known_path(j, "unowned", now->path)) {
		return 0;
	}
	if (now->type == ENTRY_LINK && now->link.len > 0 &&
	    !memchr(now->link.data, '/', now->link.len) && may_link(j, now, "link")) {
		return 0;
	}
	if (now->type == ENTRY_LINK && may_link(j, now, "owned-link")) {
		struct bytes target = target_of(j, now->path, now->link);
		struct question *question = target.len > 0 ? judge_ask(j, ASK_LINK, target) : NULL;
		struct entry *kept = judge_alloc(j, 1, sizeof(*kept));

		if (question && kept) {
			*kept = judge_keep_entry(j, now);
			question->object = kept;
			return 0;
		}
	}
	return pile_present(j, now, RULE_UNOWNED_PRESENT, err);
}

int unowned_tell_link(struct judge *j, const struct question *question, struct error *err)
{
	if (question->found && question->in_package) {
		return 0;
	}
	return pile_present(j, question->object, RULE_UNOWNED_PRESENT, err);
}

static int tell_fits(struct judge *j, const struct bytecode_case *one, struct error *err)
{
	const struct entry *before = one->want ? &one->want->entry : one->was;
	struct change change = {
		.rule = RULE_UNOWNED_CHANGED,
		.witness = one->witness,
		.path = one->now.path,
		.now = &one->now,
		.was = one->want,
		.was_entry = one->was,
		/* Python writes it when it likes. */
		.differences = one->differences & ~(uint32_t)(DIFFERS_TIME | DIFFERS_UNREAD),
	};

	if (!before) {
		return 0;
	}
	if ((change.differences & CODE) && before->head.len > 0 &&
	    !bytes_equal(before->head, one->now.head)) {
		/* Made anew from a source that changed, which is told of itself. */
		change.differences &= ~(uint32_t)CODE;
	} else if (change.differences & CODE) {
		/* A state of before heads were kept says nothing of the head. */
		change.detail = before->head.len > 0
					? "Its head is what it was and fits its source; its code "
					  "is another."
					: "Its head fits its source; its code is another than "
					  "before.";
		change.has_severity = true;
		change.severity = path_class(one->now.path) & (PATH_BIN | PATH_LIB)
					  ? SEVERITY_HIGH
					  : SEVERITY_MEDIUM;
	}
	change.differences &= ~(uint32_t)DIFFERS_FLAGS;
	return change.differences == 0 ? 0 : pile_change(j, &change, err);
}

static int tell_bytecode(struct judge *j, const struct bytecode_case *one,
			 const struct entry *source, struct error *err)
{
	enum bytecode state = bytecode_judge(&one->now, source);
	struct change change = {
		.rule = RULE_UNOWNED_BYTECODE,
		.witness = WITNESS_RULE,
		.path = one->now.path,
		.now = &one->now,
		.was = one->want,
		.was_entry = one->was,
		.has_severity = true,
		.severity = SEVERITY_MEDIUM,
		.detail = bytecode_text(state),
	};

	switch (state) {
	case BYTECODE_FITS:
		return tell_fits(j, one, err);
	case BYTECODE_HASHED:
	case BYTECODE_UNKNOWN:
		change.severity = SEVERITY_LOW;
		break;
	case BYTECODE_UNCHECKED:
		if (path_class(one->now.path) & (PATH_BIN | PATH_LIB)) {
			change.severity = SEVERITY_HIGH;
		}
		break;
	default:
		break;
	}
	return pile_bytecode(j, &change, err);
}

int unowned_bytecode(struct judge *j, const struct entry_list *list, const struct entry *now,
		     const struct manifest_entry *want, const struct entry *was,
		     uint32_t differences, struct error *err)
{
	struct bytecode_case one = {
		.now = *now,
		.want = want,
		.was = was,
		.differences = differences,
		.witness = want ? WITNESS_BASELINE : WITNESS_FIRST_SIGHT,
	};
	uint8_t room[ENTRY_PATH_MAX];
	struct bytes path = bytecode_source(now->path, room);
	const struct entry *source = entry_list_find(list, path);
	struct bytecode_case *kept;
	struct question *question;

	if (source && source->type == ENTRY_FILE) {
		return tell_bytecode(j, &one, source, err);
	}
	if (j->sources_asked >= ASKED_MAX) {
		return tell_bytecode(j, &one, source, err);
	}
	j->sources_asked++;
	kept = judge_alloc(j, 1, sizeof(*kept));
	question = path.len > 0 ? judge_ask(j, ASK_SOURCE, path) : NULL;
	if (!kept || !question) {
		return j->lost_memory ? 0 : tell_bytecode(j, &one, NULL, err);
	}
	*kept = one;
	kept->now = judge_keep_entry(j, now);
	kept->want = want ? judge_keep_want(j, want) : NULL;
	if (was) {
		struct entry *before = judge_alloc(j, 1, sizeof(*before));

		if (before) {
			*before = judge_keep_entry(j, was);
		}
		kept->was = before;
	}
	question->bytecode = kept;
	return 0;
}

int unowned_tell_bytecode(struct judge *j, const struct question *question, struct error *err)
{
	return tell_bytecode(j, question->bytecode, question->found ? &question->now : NULL, err);
}

bool unowned_follow(struct judge *j, struct question *question)
{
	struct bytes target;

	if (!question->found || question->now.type != ENTRY_LINK ||
	    question->bytecode->links >= LINKS_MAX) {
		return false;
	}
	question->bytecode->links++;
	target = target_of(j, question->path, question->now.link);
	if (target.len == 0) {
		return false;
	}
	question->path = target;
	question->found = false;
	question->in_package = false;
	return true;
}
