// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/judge/path_class.h"
#include "schema/escape.h"

static int compare_items(const void *left, const void *right)
{
	const struct coverage_item *const *a = left, *const *b = right;
	int order = bytes_compare((*a)->check, (*b)->check);

	return order != 0 ? order : bytes_compare((*a)->subject, (*b)->subject);
}

static const struct coverage_item **sorted(struct judge *j, const struct observation *o)
{
	const struct coverage_item **list = judge_alloc(j, o->coverage_count + 1, sizeof(void *));

	for (size_t i = 0; list && i < o->coverage_count; i++) {
		list[i] = &o->coverage[i];
	}
	if (list && o->coverage_count > 1) {
		qsort(list, o->coverage_count, sizeof(struct coverage_item *), compare_items);
	}
	return list;
}

/* The worst that a sorted list says of what `like` names; NULL: it is not named. */
static const struct coverage_item *worst(const struct coverage_item **list, size_t count,
					 const struct coverage_item *like)
{
	const struct coverage_item *found = NULL;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_items(&list[middle], &like) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (; low < count && compare_items(&list[low], &like) == 0; low++) {
		if (!found || list[low]->state > found->state) {
			found = list[low];
		}
	}
	return found;
}

static int compare_paths(const void *left, const void *right)
{
	const struct bytes *a = left, *b = right;

	return bytes_path_compare(*a, *b);
}

/* Places that were left out for being mounts of one class, by [mounts]. */
static const char *const mount_classes[] = {"pseudo", "network", "fuse", "autofs", "unknown"};
#define MOUNT_CLASSES (sizeof(mount_classes) / sizeof(mount_classes[0]))

struct mounted {
	struct gap_list class[MOUNT_CLASSES];
	bool is_loaded;
};

static size_t mount_class(struct bytes word)
{
	size_t i = 0;

	while (i < MOUNT_CLASSES && !bytes_equal_string(word, mount_classes[i])) {
		i++;
	}
	return i;
}

/* A place below another one adds nothing: without it, one search answers for all folders above. */
static void reduce_gaps(struct gap_list *gaps)
{
	size_t kept = 0;

	if (gaps->count > 1) {
		qsort(gaps->path, gaps->count, sizeof(struct bytes), compare_paths);
	}
	for (size_t i = 0; i < gaps->count; i++) {
		if (kept == 0 || !path_is_below(gaps->path[i], gaps->path[kept - 1])) {
			gaps->path[kept++] = gaps->path[i];
		}
	}
	gaps->count = kept;
}

static int load_mounted(struct judge *j, struct mounted *mounted, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_MOUNTS, none, none, none, none);
	struct row_list rows = {0};
	bool found;
	int result = judge_records(j, j->in->now, &key, MOUNT_FIELDS, ROWS_ANY, &j->buffer[0],
				   &rows, &found, err);

	mounted->is_loaded = true;
	for (size_t c = 0; c < MOUNT_CLASSES && result == 0; c++) {
		struct gap_list *points = &mounted->class[c];
		size_t count = 0;

		for (size_t i = 0; i < rows.count; i++) {
			count += mount_class(rows.item[i].field[MOUNT_STATE]) == c;
		}
		points->path = judge_alloc(j, count + 1, sizeof(struct bytes));
		for (size_t i = 0; points->path && i < rows.count; i++) {
			if (mount_class(rows.item[i].field[MOUNT_STATE]) == c) {
				points->path[points->count++] =
					judge_keep(j, rows.item[i].field[MOUNT_POINT]);
			}
		}
		if (points->path) {
			reduce_gaps(points);
		}
	}
	rows_clear(&rows);
	return result;
}

/* By anything but the row itself. */
enum excuse { EXCUSE_NONE, EXCUSE_ELSEWHERE, EXCUSE_SEEN };

/*
 * A place that is not there, that the policy leaves out, or on a mount that is not entered. A link on
 * the way may lead to such a mount anywhere: possible where there is one, and not to be seen.
 */
static int find_excuse(struct judge *j, const struct coverage_item *item, struct mounted *mounted,
		       enum excuse *excuse, struct error *err)
{
	const struct string_list *excludes = &j->in->policy->excludes;
	size_t class = mount_class(item->reason);

	*excuse = EXCUSE_NONE;
	if (class < MOUNT_CLASSES) {
		if (!mounted->is_loaded && load_mounted(j, mounted, err) < 0) {
			return -1;
		}
		*excuse = gap_covers(&mounted->class[class], item -> subject) ? EXCUSE_SEEN
			  : mounted->class[class].count > 0                   ? EXCUSE_ELSEWHERE
									      : EXCUSE_NONE;
	} else if (bytes_equal_string(item->reason, "excluded")) {
		for (size_t i = 0; i < excludes->count && *excuse == EXCUSE_NONE; i++) {
			if (bytes_equal_string(item->subject, excludes->item[i])) {
				*excuse = EXCUSE_SEEN;
			}
		}
	}
	return 0;
}

static int add_gap(struct judge *j, struct gap_list *gaps, const struct coverage_item *item,
		   struct mounted *mounted, struct error *err)
{
	enum excuse excuse = EXCUSE_SEEN;

	if (coverage_is_gap_everywhere(item)) {
		gaps->everywhere = true;
		return 0;
	}
	if (!coverage_is_gap(item) || item->subject.len == 0 || item->subject.data[0] != '/') {
		return 0;
	}
	/* What calls itself partial makes the host so. */
	if (item->state != COVERAGE_PARTIAL && find_excuse(j, item, mounted, &excuse, err) < 0) {
		return -1;
	}
	j->counts->places_unexcused += excuse != EXCUSE_SEEN;
	if (excuse != EXCUSE_NONE) {
		gaps->path[gaps->count++] = item->subject;
	}
	return 0;
}

static int find_gaps(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now;
	struct mounted mounted = {.is_loaded = false};
	int result = 0;

	j->package_gaps.path = judge_alloc(j, now->coverage_count + 1, sizeof(struct bytes));
	j->tree_gaps.path = judge_alloc(j, now->coverage_count + 1, sizeof(struct bytes));
	for (size_t i = 0; result == 0 && !j->lost_memory && i < now->coverage_count; i++) {
		const struct coverage_item *item = &now->coverage[i];

		if (bytes_equal_string(item->check, "packages")) {
			result = add_gap(j, &j->package_gaps, item, &mounted, err);
		} else if (bytes_equal_string(item->check, "tree")) {
			result = add_gap(j, &j->tree_gaps, item, &mounted, err);
		}
	}
	if (!j->lost_memory) {
		reduce_gaps(&j->package_gaps);
		reduce_gaps(&j->tree_gaps);
	}
	return result;
}

/* Every probe has a word on each of these, whatever it saw: without one nobody looked. */
static void find_untold(struct judge *j)
{
	static const char *const checks[] = {"packages", "tree", "setid", "mounts"};
	const struct observation *now = j->in->now;

	for (size_t c = 0; c < sizeof(checks) / sizeof(checks[0]) && !j->counts->untold; c++) {
		bool is_told = strcmp(checks[c], "tree") == 0 && j->in->policy->roots.count == 0;

		for (size_t i = 0; i < now->coverage_count && !is_told; i++) {
			is_told = bytes_equal_string(now->coverage[i].check, checks[c]);
		}
		j->counts->untold = is_told ? NULL : checks[c];
	}
}

bool gap_covers(const struct gap_list *gaps, struct bytes path)
{
	size_t low = 0, high = gaps->count;

	/* What stands below a folder follows it at once in the order of paths. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_path_compare(gaps->path[middle], path) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return gaps->everywhere || (low > 0 && path_is_below(path, gaps->path[low - 1]));
}

static const char *state_name(const struct coverage_item *item)
{
	static const char *const names[] = {
		[COVERAGE_DONE] = "done",
		[COVERAGE_PARTIAL] = "partial",
		[COVERAGE_SKIPPED] = "skipped",
		[COVERAGE_UNSUPPORTED] = "unsupported",
	};

	return item ? names[item->state] : "not-done";
}

/* One check that an earlier run did, as it is now. */
static int judge_lost(struct judge *j, const struct coverage_item *was,
		      const struct coverage_item *now, struct error *err)
{
	char subject[512], line[1024], text[400];
	struct change change = {
		.rule = RULE_CHECK_LOST,
		.witness = WITNESS_RULE,
		.has_severity = true,
		.severity = SEVERITY_MEDIUM,
		.old_line = BYTES_LITERAL("done"),
	};
	int len;

	/* With a reason it is a remark; a root that is gone is told by what vanished in it. */
	if (was->state != COVERAGE_DONE || was->reason.len > 0 ||
	    (now && (now->state == COVERAGE_DONE || bytes_equal_string(now->reason, "absent")))) {
		return 0;
	}
	/* A database that is being written to is looked at again next time. */
	if (now && (bytes_equal_string(now->reason, "locked") ||
		    bytes_equal_string(now->reason, "changed"))) {
		change.severity = SEVERITY_LOW;
	}
	len = snprintf(subject, sizeof(subject), "%s", escape_text(was->check, text, 64));
	if (was->subject.len > 0) {
		len += snprintf(subject + len, sizeof(subject) - (size_t)len, " %s",
				escape_text(was->subject, text, sizeof(text)));
	}
	change.path = bytes_make(subject, (size_t)len);
	len = snprintf(line, sizeof(line), "%s %s", state_name(now),
		       escape_text(now ? now->reason : BYTES_LITERAL("-"), text, sizeof(text)));
	change.new_line = bytes_make(line, (size_t)len);
	return judge_emit(j, &change, err);
}

static int judge_views(struct judge *j, const struct coverage_item *item, struct error *err)
{
	struct change change = {
		.rule = RULE_VIEWS_DIFFER,
		.witness = WITNESS_RULE,
		.path = item->subject.len > 0 ? item->subject : item->check,
		.new_line = item->check,
	};

	if (bytes_equal_string(item->reason, "second-database")) {
		change.rule = RULE_DATABASE_SECOND;
		return judge_emit(j, &change, err);
	}
	return bytes_equal_string(item->reason, "inconsistent") ? judge_emit(j, &change, err) : 0;
}

int judge_coverage(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now;
	const struct observation *earlier[] = {j->in->last, j->in->first};
	const struct coverage_item **list = sorted(j, now);
	int result = find_gaps(j, err);

	find_untold(j);
	for (size_t i = 0; result == 0 && i < now->coverage_count; i++) {
		result = judge_views(j, &now->coverage[i], err);
	}
	for (unsigned o = 0; list && o < 2; o++) {
		const struct coverage_item **before = earlier[o] ? sorted(j, earlier[o]) : NULL;

		for (size_t i = 0; result == 0 && earlier[o] && i < earlier[o]->coverage_count;
		     i++) {
			const struct coverage_item *was = &earlier[o]->coverage[i];

			/* Of a first sight in part: it was not done whole then either. */
			if (before &&
			    worst(before, earlier[o]->coverage_count, was)->state > was->state) {
				continue;
			}
			result = judge_lost(j, was, worst(list, now->coverage_count, was), err);
		}
	}
	return result;
}

/* What is missing after such a row is missing in silence: a word for it that is not "partial" is none. */
/*
 * A timeline that is too long for the probe's memory has lost its oldest objects, and nothing else is less
 * whole for it. Were the look not complete, the next one would begin at the same moment, and lose
 * them again, until the last upgrade of many packages is a month ago.
 */
static bool is_long_timeline(const struct coverage_item *item)
{
	return bytes_equal_string(item->check, "timeline") &&
	       bytes_equal_string(item->reason, "budget-memory");
}

static bool leaves_out(const struct coverage_item *item)
{
	if (is_long_timeline(item)) {
		return false;
	}
	return item->state == COVERAGE_PARTIAL || ((bytes_equal_string(item->check, "packages") ||
						    bytes_equal_string(item->check, "tree")) &&
						   coverage_is_gap_everywhere(item));
}

bool judge_is_partial(const struct observation *now, const struct judge_counts *counts,
		      char *reason, size_t room)
{
	uint64_t unread = 0;

	for (size_t i = 0; i < now->coverage_count; i++) {
		const struct coverage_item *item = &now->coverage[i];
		char check[64], why[64];

		if (leaves_out(item)) {
			(void)snprintf(reason, room, "%s: %s",
				       escape_text(item->check, check, sizeof(check)),
				       escape_text(item->reason, why, sizeof(why)));
			return true;
		}
	}
	for (size_t i = 0; i < now->section_count; i++) {
		unread += now->sections[i].unread;
	}
	if (unread > 0) {
		(void)snprintf(reason, room, "unread: %" PRIu64 " objects, and no word why",
			       unread);
		return true;
	}
	if (counts->untold) {
		(void)snprintf(reason, room, "%s: not a word of this check", counts->untold);
		return true;
	}
	if (counts->places_unexcused > 0) {
		(void)snprintf(
			reason, room,
			"left out: %zu places, for no reason that its mounts or the policy show",
			counts->places_unexcused);
		return true;
	}
	if (counts->files_hidden > 0) {
		(void)snprintf(reason, room,
			       "left out: %zu files that should be on mounts that are not entered",
			       counts->files_hidden);
		return true;
	}
	if (counts->files_undigested > 0) {
		(void)snprintf(reason, room, "unread: %zu files came without their digest",
			       counts->files_undigested);
		return true;
	}
	return false;
}
