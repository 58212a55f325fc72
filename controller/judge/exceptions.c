// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdlib.h>

#include "controller/judge/path_class.h"
#include "controller/judge/unit.h"
#include "schema/glob.h"

#define PATH_SYSTEM (PATH_BIN | PATH_LIB | PATH_TELLING)
#define ALTERNATIVES "/etc/alternatives/"
#define FILTERS_MAX 256U
/* dpkg has one build of a name and architecture; each costs a look at the baseline for each diversion. */
#define DIVERTERS_MAX 16U

static int tell_unknown(struct judge *j, const struct record *record, struct bytes subject,
			bool high, const char *detail, struct error *err)
{
	char kind[64];
	struct change change = {
		.rule = RULE_EXCEPTION_UNKNOWN,
		.witness = WITNESS_RULE,
		.has_severity = true,
		.severity = high ? SEVERITY_HIGH : SEVERITY_MEDIUM,
		.path = subject,
		.detail = detail,
	};
	size_t len = record->field[0].len < sizeof(kind) - 1 ? record->field[0].len
							     : sizeof(kind) - 1;

	if (len > 0) {
		memcpy(kind, record->field[0].data, len);
	}
	kind[len] = '\0';
	change.new_line =
		bytes_make(j->words[1], records_line(kind, record, 1, j->words[1], WORDS_ROOM));
	return judge_emit(j, &change, err);
}

/* The diverting package's own manifest has the file: both ends of the diversion are proved. */
static bool diverter_ships(struct judge *j, const struct packages *p, struct bytes by,
			   struct bytes from)
{
	const struct known_good *known = j->in->known;
	size_t low = 0, high = p->now.count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(p->now.item[middle].name, by) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	end = p->now.count - low < DIVERTERS_MAX ? p->now.count : low + DIVERTERS_MAX;
	for (; known && low < end && bytes_equal(p->now.item[low].name, by); low++) {
		const struct manifest *const *list;
		struct error ignored;
		size_t count = 0;

		if (known->manifests(known->context, p->manager, by, p->now.item[low].version,
				     p->now.item[low].arch, &list, &count, &ignored) < 0) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (manifest_find(list[i], from)) {
				return true;
			}
		}
	}
	return false;
}

static int judge_diversion(struct judge *j, const struct packages *p, const struct record *record,
			   struct error *err)
{
	struct redirect_list *list = &j->exceptions.redirects;
	struct redirect *redirect = &list->item[list->count++];
	struct bytes from = record->field[DIVERSION_FROM];
	uint32_t class = path_class(from) | path_class(record->field[DIVERSION_TO]);

	*redirect = (struct redirect){
		.from = dirs_canonical(j, from),
		.to = dirs_canonical(j, record->field[DIVERSION_TO]),
		.by = record->field[DIVERSION_BY],
	};
	list->lengths |= 1ULL << redirect->to.len % 64;
	redirect->known = known_record(j, EXCEPTION_DIVERSION, record, 1) ||
			  diverter_ships(j, p, redirect->by, redirect->from);
	if (redirect->known) {
		return 0;
	}
	return tell_unknown(j, record, from, (class & PATH_SYSTEM) != 0,
			    "The packaged file lies elsewhere; what lies here is another's.", err);
}

static int judge_override(struct judge *j, const struct record *record, struct error *err)
{
	struct bytes mode = record->field[OVERRIDE_MODE];
	uint32_t class = path_class(record->field[OVERRIDE_PATH]);
	struct record plain = *record;
	bool setid = false;

	j->exceptions.overridden[j->exceptions.overridden_count++] =
		dirs_canonical(j, record->field[OVERRIDE_PATH]);
	/* 4755 and 04755 are one mode. */
	while (mode.len > 1 && mode.data[0] == '0') {
		mode = bytes_make(mode.data + 1, mode.len - 1);
	}
	plain.field[OVERRIDE_MODE] = mode;
	if (known_record(j, EXCEPTION_OVERRIDE, &plain, 1)) {
		return 0;
	}
	setid = mode.len > 3 && mode.data[mode.len - 4] >= '2';
	return tell_unknown(j, &plain, record->field[OVERRIDE_PATH],
			    setid || (class & PATH_SYSTEM) != 0,
			    "dpkg sets this owner and mode instead of the package's.", err);
}

static int judge_filter(struct judge *j, const struct record *record, bool exclude,
			struct error *err)
{
	struct exceptions *known = &j->exceptions;
	struct bytes pattern = record->field[FILTER_PATTERN];

	/* A policy's pattern may know any number of them; each costs time for each missing file. */
	if (known->exclude_count + known->include_count < FILTERS_MAX &&
	    known_record(j, exclude ? EXCEPTION_EXCLUDE : EXCEPTION_INCLUDE, record, 1)) {
		if (exclude) {
			known->excludes[known->exclude_count++] = pattern;
		} else {
			known->includes[known->include_count++] = pattern;
		}
		return 0;
	}
	return tell_unknown(j, record, pattern, (path_class_of_pattern(pattern) & PATH_SYSTEM) != 0,
			    exclude ? "dpkg does not unpack what matches."
				    : "dpkg unpacks what matches after all.",
			    err);
}

static struct bytes concatenate(struct judge *j, struct bytes a, struct bytes b)
{
	uint8_t *to = judge_alloc(j, a.len + b.len, 1);

	if (!to || a.len == 0 || b.len == 0) {
		return a;
	}
	memcpy(to, a.data, a.len);
	memcpy(to + a.len, b.data, b.len);
	return bytes_make(to, a.len + b.len);
}

/*
 * Where packages have links of theirs made: programs, manual pages, libraries, a server's configuration.
 * None goes where it decides who gets in or what runs, nor to the administrator's own places: there a
 * packaged target is no excuse (/etc/cron.daily/x may lead to a shell's interpreter).
 */
static bool is_place_of_alternatives(struct bytes link)
{
	return (path_is_below(link, BYTES_LITERAL("/usr")) || path_is_alias(link) ||
		path_is_below(link, BYTES_LITERAL("/etc"))) &&
	       !(path_class(link) & (PATH_TELLING | PATH_LOCAL));
}

static int judge_alternative(struct judge *j, const struct record *record, const char *kind,
			     struct error *err)
{
	struct exceptions *known = &j->exceptions;
	struct bytes target = record->field[ALTERNATIVE_TARGET];
	struct bytes link = record->field[ALTERNATIVE_LINK];
	struct bytes middle =
		concatenate(j, BYTES_LITERAL(ALTERNATIVES), record->field[ALTERNATIVE_NAME]);
	struct question *question;

	known->links[known->link_count++] =
		(struct alternative_link){dirs_canonical(j, link), middle};
	known->links[known->link_count++] = (struct alternative_link){middle, target};
	/* Policy knows whole classes of them: that is no word on where this one lies and leads. */
	if (known_accepted_record(j, kind, record, 1)) {
		return 0;
	}
	if (!is_place_of_alternatives(link)) {
		return tell_unknown(j, record, link, (path_class(link) & PATH_SYSTEM) != 0,
				    "No package puts a link of an alternative there.", err);
	}
	if (target.len == 0 && known_record(j, kind, record, 1)) {
		return 0;
	}
	if (target.len == 0 || target.data[0] != '/') {
		return tell_unknown(j, record, link, false, "The alternative leads nowhere.", err);
	}
	question = judge_ask(j, ASK_ALTERNATIVE, dirs_canonical(j, target));
	if (question) {
		size_t len = records_line(kind, record, 1, j->line, LINE_ROOM);

		question->package = link;
		question->line = judge_keep(j, bytes_make(j->line, len));
		question->known = (path_class(link) & PATH_SYSTEM) != 0;
	}
	return 0;
}

static int judge_record(struct judge *j, const struct packages *p, const struct record *record,
			struct error *err)
{
	static const struct {
		const char *kind;
		size_t fields;
	} kinds[] = {
		{EXCEPTION_DIVERSION, DIVERSION_FIELDS},     {EXCEPTION_OVERRIDE, OVERRIDE_FIELDS},
		{EXCEPTION_EXCLUDE, FILTER_FIELDS},          {EXCEPTION_INCLUDE, FILTER_FIELDS},
		{EXCEPTION_ALTERNATIVE, ALTERNATIVE_FIELDS}, {EXCEPTION_SLAVE, ALTERNATIVE_FIELDS},
	};
	unsigned kind = 0;

	while (kind < 6 && (!bytes_equal_string(record->field[0], kinds[kind].kind) ||
			    record->count != kinds[kind].fields)) {
		kind++;
	}
	switch (kind) {
	case 0:
		return judge_diversion(j, p, record, err);
	case 1:
		return judge_override(j, record, err);
	case 2:
	case 3:
		return judge_filter(j, record, kind == 2, err);
	case 4:
	case 5:
		return judge_alternative(j, record, kinds[kind].kind, err);
	default:
		return tell_unknown(j, record, record->field[0], true,
				    "An exception of a kind that this muster does not know.", err);
	}
}

static int compare_redirects(const void *left, const void *right)
{
	const struct redirect *a = left, *b = right;

	return bytes_path_compare(a->to, b->to);
}

static int compare_paths(const void *left, const void *right)
{
	const struct bytes *a = left, *b = right;

	return bytes_path_compare(*a, *b);
}

static int compare_links(const void *left, const void *right)
{
	const struct alternative_link *a = left, *b = right;
	int order = bytes_path_compare(a->path, b->path);

	return order != 0 ? order : bytes_compare(a->target, b->target);
}

int judge_exceptions(struct judge *j, const struct packages *p, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_EXCEPTIONS, p->manager, none, none, none);
	struct exceptions *known = &j->exceptions;
	struct row_list rows = {0};
	bool found = false;
	int result =
		judge_records(j, j->in->now, &key, 0, ROWS_ANY, &j->buffer[0], &rows, &found, err);
	size_t room = rows.count + 1;

	if (!found) {
		rows_clear(&rows);
		return result;
	}
	*known = (struct exceptions){.is_read = true};
	known->redirects.item = judge_alloc(j, room, sizeof(*known->redirects.item));
	known->excludes = judge_alloc(j, room, sizeof(*known->excludes));
	known->includes = judge_alloc(j, room, sizeof(*known->includes));
	known->links = judge_alloc(j, 2 * room, sizeof(*known->links));
	known->overridden = judge_alloc(j, room, sizeof(*known->overridden));
	for (size_t i = 0; result == 0 && !j->lost_memory && i < rows.count; i++) {
		struct record record = rows.item[i];

		for (size_t f = 0; f < record.count; f++) {
			record.field[f] = judge_keep(j, record.field[f]);
		}
		result = judge_record(j, p, &record, err);
	}
	rows_clear(&rows);
	if (known->redirects.count > 1) {
		qsort(known->redirects.item, known->redirects.count, sizeof(*known->redirects.item),
		      compare_redirects);
	}
	if (known->overridden_count > 1) {
		qsort(known->overridden, known->overridden_count, sizeof(*known->overridden),
		      compare_paths);
	}
	if (known->link_count > 1) {
		qsort(known->links, known->link_count, sizeof(*known->links), compare_links);
	}
	return result;
}

bool exceptions_override(const struct judge *j, struct bytes path)
{
	const struct exceptions *known = &j->exceptions;

	return known->overridden_count > 0 &&
	       bsearch(&path, known->overridden, known->overridden_count, sizeof(path),
		       compare_paths) != NULL;
}

static bool is_made(const struct judge *j, const struct entry *entry)
{
	const struct exceptions *known = &j->exceptions;
	struct alternative_link wanted = {entry->path, entry->link};
	size_t low = 0, high = known->link_count;

	while (entry->type == ENTRY_LINK && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_links(&known->links[middle], &wanted);

		if (order == 0) {
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

bool exceptions_make(struct judge *j, const struct entry *entry)
{
	bool made = is_made(j, entry);

	if (j->is_traced && entry->type == ENTRY_LINK && j->exceptions.link_count > 0) {
		trace_add(j, &(struct asked){.kind = ASKED_LINK,
					     .found = made,
					     .what = entry->path,
					     .more = entry->link});
	}
	return made;
}
