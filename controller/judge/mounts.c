// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdlib.h>

#include "controller/judge/path_class.h"
#include "schema/glob.h"

/* File systems that installations have of their own: nothing to tell at first sight. */
static const char *const separate[] = {
	"/",        "/boot",  "/boot/*", "/efi",    "/home",     "/home/*",    "/media/*",
	"/mnt",     "/mnt/*", "/opt",    "/opt/*",  "/snap",     "/snap/**",   "/srv",
	"/srv/**",  "/tmp",   "/usr",    "/var",    "/var/*",    "/var/lib/*", "/var/log/*",
	"/var/tmp", "/data",  "/data/*", "/export", "/export/*",
};

/* Runtimes mount and unmount there all day, and nothing below is a packaged path. */
static const char *const busy[] = {
	"/dev/**",
	"/run/**",
	"/sys/**",
	"/var/lib/containerd/**",
	"/var/lib/containers/**",
	"/var/lib/docker/**",
	"/var/lib/kubelet/**",
	"/var/lib/lxcfs/**",
	"/var/run/**",
};

static bool matches(const char *const *patterns, size_t count, struct bytes path)
{
	for (size_t i = 0; i < count; i++) {
		if (glob_match_path(bytes_from_string(patterns[i]), path)) {
			return true;
		}
	}
	return false;
}

#define MATCHES(table, path) matches(table, sizeof(table) / sizeof((table)[0]), path)

/* Hides a process from everything that reads /proc: no system does that by itself. */
static bool is_over_process(struct bytes point)
{
	return glob_match_path(BYTES_LITERAL("/proc/[0-9]*"), point) ||
	       glob_match(BYTES_LITERAL("/proc/[0-9]*/*"), point);
}

static bool is_pseudo(const struct record *mount)
{
	return bytes_equal_string(mount->field[MOUNT_STATE], "pseudo");
}

struct mount_line {
	struct bytes point;
	struct bytes line;
};

struct mount_list {
	struct mount_line *item; /* ordered by point, then line */
	size_t count;
	bool known;
};

static int compare_lines(const void *left, const void *right)
{
	const struct mount_line *a = left, *b = right;
	int order = bytes_path_compare(a->point, b->point);

	return order != 0 ? order : bytes_compare(a->line, b->line);
}

/* Index of the first line that is not before `wanted`. */
static size_t find_line(const struct mount_list *list, const struct mount_line *wanted)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_lines(&list->item[middle], wanted) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Index of the first line of a point. */
static size_t find_point(const struct mount_list *list, struct bytes point)
{
	const struct mount_line wanted = {point, {NULL, 0}};

	return find_line(list, &wanted);
}

static bool has_line(const struct mount_list *list, const struct mount_line *wanted)
{
	return list->count > 0 &&
	       bsearch(wanted, list->item, list->count, sizeof(*list->item), compare_lines) != NULL;
}

/* How many are mounted on one point, one over the other; of them those of one line, where it is given. */
static size_t count_at(const struct mount_list *list, struct bytes point, struct bytes line)
{
	const struct mount_line wanted = {point, line};
	size_t from = find_line(list, &wanted), low = from, high = list->count;

	while (low < high) {
		const struct mount_line *middle = &list->item[low + (high - low) / 2];

		if (bytes_equal(middle->point, point) &&
		    (line.len == 0 || bytes_equal(middle->line, line))) {
			low = (size_t)(middle - list->item) + 1;
		} else {
			high = (size_t)(middle - list->item);
		}
	}
	return low - from;
}

/* What every system has mounted, so that neither policy nor path tells anything about it. */
static bool is_base(struct bytes point)
{
	return bytes_equal_string(point, "/") || bytes_equal_string(point, "/dev") ||
	       bytes_equal_string(point, "/sys") || bytes_equal_string(point, "/run");
}

/* The line that an accepted state has for it: all but whether the probe entered it. */
static struct mount_line line_of(struct judge *j, const struct record *mount)
{
	struct record plain = *mount;
	size_t len;

	plain.count = MOUNT_STATE;
	len = records_line("mount", &plain, 0, j->line, LINE_ROOM);
	return (struct mount_line){judge_keep(j, mount->field[MOUNT_POINT]),
				   judge_keep(j, bytes_make(j->line, len))};
}

static int load_mounts(struct judge *j, const struct observation *from, struct row_list *rows,
		       struct mount_list *list, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_MOUNTS, none, none, none, none);

	if (judge_records(j, from, &key, MOUNT_FIELDS, ROWS_ANY, &j->buffer[0], rows, &list->known,
			  err) < 0) {
		return -1;
	}
	list->item = judge_alloc(j, rows->count + 1, sizeof(*list->item));
	for (size_t i = 0; list->item && i < rows->count; i++) {
		list->item[list->count++] = line_of(j, &rows->item[i]);
	}
	if (list->item && list->count > 1) {
		qsort(list->item, list->count, sizeof(*list->item), compare_lines);
	}
	return 0;
}

/* Whether something says what was mounted; else this is the mounts' first sight. */
static bool has_reference(const struct judge *j, const struct mount_list *first)
{
	return j->captured || first->known;
}

/* Below something that packages own, and not a place that is made for mounts. */
static bool hides_owned(struct judge *j, struct bytes point)
{
	const uint32_t system = PATH_BIN | PATH_LIB | PATH_TELLING | PATH_ETC;

	return dirs_find(j, point) || (path_class(point) & system) ||
	       path_is_below(point, BYTES_LITERAL("/usr"));
}

static int judge_new(struct judge *j, const struct mount_list *first, const struct record *mount,
		     struct error *err)
{
	const struct mount_line now = line_of(j, mount);
	bool reference = has_reference(j, first);
	struct change change = {
		.rule = RULE_MOUNT_CHANGED,
		.witness = WITNESS_RULE,
		.path = now.point,
		.new_line = now.line,
		.has_severity = true,
		.severity = SEVERITY_LOW,
	};
	size_t at = find_point(first, now.point);
	struct question *question;

	if (at < first->count && bytes_equal(first->item[at].point, now.point)) {
		/* The same place, mounted otherwise: another device, or noexec dropped. */
		change.old_line = first->item[at].line;
		change.severity = SEVERITY_MEDIUM;
		return judge_emit(j, &change, err);
	}
	if (hides_owned(j, now.point) && (reference || !MATCHES(separate, now.point))) {
		uint32_t class = path_class(now.point);

		change.rule = RULE_MOUNT_OVER;
		change.severity = class & (PATH_BIN | PATH_LIB | PATH_TELLING | PATH_ETC) ||
						  path_is_below(now.point, BYTES_LITERAL("/usr"))
					  ? SEVERITY_HIGH
					  : SEVERITY_MEDIUM;
		change.detail = "What lies below the mount was not looked at.";
		return judge_emit(j, &change, err);
	}
	question = judge_ask(j, ASK_MOUNT, now.point);
	if (question) {
		question->line = now.line;
		question->known = !reference;
	}
	return 0;
}

/* Another one than was there, or one more on top of it: what lies below is hidden. */
static int judge_base(struct judge *j, const struct mount_list *was, const struct mount_list *now,
		      const struct mount_line *line, struct error *err)
{
	struct change change = {
		.rule = RULE_MOUNT_CHANGED,
		.witness = WITNESS_RULE,
		.path = line->point,
		.new_line = line->line,
		.has_severity = true,
		.severity = SEVERITY_MEDIUM,
	};
	const struct bytes any = {NULL, 0};
	bool is_root = bytes_equal_string(line->point, "/");
	size_t before = count_at(was, line->point, any), is = count_at(now, line->point, any);
	size_t same = count_at(was, line->point, line->line);

	if (!has_reference(j, was)) {
		/* The kernel's rootfs may lie below the real one. */
		if (is_root || is < 2) {
			return 0;
		}
	} else if (same > 0 && count_at(now, line->point, line->line) <= same) {
		return 0;
	}
	if (is > (before > 0 ? before : 1)) {
		change.rule = RULE_MOUNT_OVER;
		change.severity = is_root ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		change.detail = "What lies below the mount was not looked at.";
	}
	change.old_line = before > 0 ? was->item[find_point(was, line->point)].line : any;
	return judge_emit(j, &change, err);
}

static int judge_mount(struct judge *j, const struct mount_list *first,
		       const struct mount_list *was, const struct mount_list *now,
		       const struct record *mount, struct error *err)
{
	struct bytes point = mount->field[MOUNT_POINT];
	struct mount_line line = line_of(j, mount);
	struct record plain = *mount;
	struct change change = {
		.rule = RULE_MOUNT_OVER,
		.witness = WITNESS_RULE,
		.path = point,
		.new_line = line.line,
		.detail = "A mount over a process hides it from what reads /proc.",
	};

	plain.count = MOUNT_STATE;
	if (known_accepted_record(j, "mount", &plain, 0)) {
		return 0;
	}
	if (is_base(point)) {
		return judge_base(j, was, now, &line, err);
	}
	/* The policy says what installations have, not what may come to be mounted later. */
	if ((!has_reference(j, first) || has_line(first, &line)) &&
	    known_record(j, "mount", &plain, 0)) {
		return 0;
	}
	if (is_over_process(point)) {
		return judge_emit(j, &change, err);
	}
	if (has_line(first, &line) || MATCHES(busy, point)) {
		return 0;
	}
	if (is_pseudo(mount) && path_is_below(point, BYTES_LITERAL("/proc"))) {
		return 0;
	}
	return judge_new(j, first, mount, err);
}

/* What was accepted to be mounted: accepting that it is gone takes its record out. */
static void list_accepted(struct judge *j, struct mount_list *list)
{
	const struct record_list *records = j->in->accepted_records;
	const struct bytes prefix = BYTES_LITERAL("mount ");
	size_t from = known_lines_from(j, prefix), count = 0;

	while (records && from + count < records->count &&
	       bytes_has_prefix(records->line[from + count], prefix)) {
		count++;
	}
	list->item = judge_alloc(j, count + 1, sizeof(*list->item));
	for (size_t i = 0; list->item && i < count; i++) {
		struct bytes line = records->line[from + i];
		uint8_t *scratch = judge_alloc(j, line.len, 1);
		struct record record;
		struct error ignored;
		const char *kind;

		if (scratch && records_read_line(line, scratch, &kind, &record, &ignored) == 0) {
			list->item[list->count++] = (struct mount_line){record.field[0], line};
		}
	}
	if (list->item && list->count > 1) {
		qsort(list->item, list->count, sizeof(*list->item), compare_lines);
	}
}

/* A separate file system that is gone: what it held is not looked at any more. */
static int judge_gone(struct judge *j, const struct mount_list *was, enum witness witness,
		      const struct mount_list *now, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && now->known && i < was->count; i++) {
		struct change change = {
			.rule = RULE_MOUNT_CHANGED,
			.witness = witness,
			.path = was->item[i].point,
			.old_line = was->item[i].line,
		};
		size_t at = find_point(now, change.path);

		if ((at < now->count && bytes_equal(now->item[at].point, change.path)) ||
		    MATCHES(busy, change.path) ||
		    path_is_below(change.path, BYTES_LITERAL("/proc"))) {
			continue;
		}
		result = judge_emit(j, &change, err);
	}
	return result;
}

int judge_mounts(struct judge *j, struct error *err)
{
	struct mount_list first = {0}, now = {0}, accepted = {0};
	struct row_list rows = {0};
	int result = 0;

	if (load_mounts(j, judge_first(j), &rows, &first, err) < 0 ||
	    load_mounts(j, j->in->now, &rows, &now, err) < 0) {
		result = -1;
	}
	list_accepted(j, &accepted);
	for (size_t i = 0; result == 0 && i < rows.count; i++) {
		result = judge_mount(j, &first, j->captured ? &accepted : &first, &now,
				     &rows.item[i], err);
	}
	if (result == 0 && (judge_gone(j, &accepted, WITNESS_BASELINE, &now, err) < 0 ||
			    judge_gone(j, &first, WITNESS_FIRST_SIGHT, &now, err) < 0)) {
		result = -1;
	}
	rows_clear(&rows);
	return result;
}
