// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include "controller/judge/inputs.h"

/* Which buffer holds what while one package is judged; package_history.c uses 3 to 5, installed.c 7. */
enum { BUFFER_FILES = 0, BUFFER_CONFIG = 1, BUFFER_CLAIMS = 2, BUFFER_CONFIG_WAS = 6 };

static int load_rpm_claims(struct judge *j, struct packages *p, const struct section_key *key,
			   struct error *err)
{
	bool found;

	rpm_claims_clear(&p->rpm_claims);
	if (judge_load(j, j->in->now, key, &j->buffer[BUFFER_CLAIMS], &found, err) < 0) {
		return -1;
	}
	if (!found ||
	    rpm_claims_read(buffer_bytes(&j->buffer[BUFFER_CLAIMS]), &p->rpm_claims, err) == 0) {
		return 0;
	}
	return err->kind == ERROR_PEER ? judge_broken(j, key, err) : -1;
}

/* Every package of the database has such a section, whatever it has on disk. */
static bool was_claimed(const struct judge *j, const struct section_key *key)
{
	struct section_key claims = section_key_make(SECTION_CLAIMS, key->part[1], key->part[2],
						     key->part[3], key->part[4]);
	uint8_t room[SECTION_KEY_MAX];

	return observation_find(judge_first(j), judge_key(&claims, room)) != NULL;
}

static int load_sections(struct judge *j, struct packages *p, struct one_package *one,
			 struct error *err)
{
	struct section_key key = one->key;
	const struct installed_list *first = &p->first;
	size_t count, at;
	bool found;

	if (judge_entries(j, j->in->now, &key, &j->buffer[BUFFER_FILES], &p->files, &found, err) <
	    0) {
		return -1;
	}
	/* What is not well-formed was told, and nothing may follow from its absence. */
	one->section = found ? one->section : NULL;
	key = section_key_make(SECTION_CONFIG, key.part[1], key.part[2], key.part[3], key.part[4]);
	if (judge_entries(j, j->in->now, &key, &j->buffer[BUFFER_CONFIG], &p->config, &found, err) <
	    0) {
		return -1;
	}
	p->config_was.count = 0;
	if (judge_entries(j, judge_first(j), &key, &j->buffer[BUFFER_CONFIG_WAS], &p->config_was,
			  &found, err) < 0) {
		return -1;
	}
	at = installed_find(first, key.part[2], key.part[4], &count);
	one->was_seen = judge_first(j) && (found || count > 0 || was_claimed(j, &key));
	if (!found && judge_first(j) && count > 0) {
		/* Configuration outlives an upgrade. */
		key.part[3] = first->item[at].version;
		if (judge_entries(j, judge_first(j), &key, &j->buffer[BUFFER_CONFIG_WAS],
				  &p->config_was, &found, err) < 0) {
			return -1;
		}
	}
	key = section_key_make(SECTION_CLAIMS, key.part[1], key.part[2], one->key.part[3],
			       key.part[4]);
	if (bytes_equal_string(p->manager, "rpm")) {
		return load_rpm_claims(j, p, &key, err);
	}
	return judge_records(j, j->in->now, &key, CLAIM_FIELDS, ROWS_BY_PATH,
			     &j->buffer[BUFFER_CLAIMS], &p->claims, &one->has_claims, err);
}

static int judge_one(struct judge *j, struct packages *p, const struct section_key *key,
		     struct error *err)
{
	const struct known_good *known = j->in->known;
	struct one_package one = {.key = *key};
	uint8_t room[SECTION_KEY_MAX];
	bool was_there;

	one.section = observation_find(j->in->now, judge_key(key, room));
	was_there = one.section != NULL;
	j->listed += was_there;
	one.text = package_join(j, key->part[2], ' ', key->part[3]);
	one.subject = package_join(j, key->part[2], ':', key->part[4]);
	j->counts->packages++;
	if (known &&
	    known->manifests(known->context, key->part[1], key->part[2], key->part[3], key->part[4],
			     &one.candidates, &one.candidate_count, err) < 0) {
		return -1;
	}
	if (load_sections(j, p, &one, err) < 0) {
		return -1;
	}
	one.accepted = known_package(j, key, one.section ? &one.section->content : &package_nothing,
				     &one.accepted_digest);
	if (bytes_equal_string(p->manager, "rpm") && rpm_prove(j, p, &one, err) < 0) {
		return -1;
	}
	if (package_judge_version(j, p, &one, err) < 0) {
		return -1;
	}
	if ((was_there && !one.section) || (!was_there && j->package_gaps.everywhere)) {
		return 0;
	}
	return package_files(j, p, &one, err);
}

static int judge_counted(struct judge *j, struct packages *p, const struct section_key *key,
			 struct error *err)
{
	struct judged_mark before = judged_mark(j);
	int result = judge_one(j, p, key, err);

	judged_package_end(j, key, &before);
	return result;
}

/* A state in which dpkg left off, or a set of files that is neither this version nor that. */
static int judge_state(struct judge *j, struct packages *p, const struct record *row,
		       struct error *err)
{
	struct bytes state = row->field[PACKAGES_STATE], word = installed_state_word(state, 2);
	struct change change = {
		.rule = RULE_PACKAGE_STATE,
		.witness = WITNESS_RULE,
		.has_severity = true,
		.severity = SEVERITY_MEDIUM,
	};
	struct record record = {
		.count = 4,
		.field = {p->manager, row->field[PACKAGES_NAME], row->field[PACKAGES_ARCH], state},
	};

	if (!installed_is_odd(state) || known_record(j, "package-state", &record, 0)) {
		return 0;
	}
	if (bytes_has_prefix(word, BYTES_LITERAL("triggers-"))) {
		change.severity = SEVERITY_LOW;
	}
	change.path = package_join(j, row->field[PACKAGES_NAME], ':', row->field[PACKAGES_ARCH]);
	change.package =
		package_join(j, row->field[PACKAGES_NAME], ' ', row->field[PACKAGES_VERSION]);
	change.new_line = bytes_make(
		j->words[1], records_line("package-state", &record, 0, j->words[1], WORDS_ROOM));
	return judge_emit(j, &change, err);
}

/* The accepted past where it says so, else the first sight. */
static int judge_removed(struct judge *j, struct packages *p, struct error *err)
{
	const struct installed_list *lists[] = {&p->accepted, j->captured ? &p->last : &p->first};
	int result = 0;

	for (unsigned l = 0; l < 2; l++) {
		/* The very same list has lost nothing. */
		for (size_t i = lists[l]->item == p->now.item ? lists[l]->count : 0;
		     result == 0 && i < lists[l]->count; i++) {
			const struct installed *was = &lists[l]->item[i];
			struct one_package gone = {
				.key = section_key_make(SECTION_PACKAGE, p->manager, was->name,
							was->version, was->arch),
			};
			struct change change = {.rule = RULE_PACKAGE_REMOVED};
			struct record record = {.count = 3,
						.field = {p->manager, was->name, was->arch}};
			size_t count;

			(void)installed_find(&p->now, was->name, was->arch, &count);
			if (count > 0 || known_record(j, "package-absent", &record, 0)) {
				continue;
			}
			change.witness = l == 0 ? WITNESS_BASELINE : WITNESS_FIRST_SIGHT;
			change.path = package_join(j, was->name, ':', was->arch);
			change.package = package_join(j, was->name, ' ', was->version);
			change.old_line = package_line(j, 0, &gone, was->version, NULL);
			change.new_line =
				bytes_make(j->words[1], records_line("package-absent", &record, 0,
								     j->words[1], WORDS_ROOM));
			result = judge_emit(j, &change, err);
			if (result == 0) {
				result = judge_ask_left(j, &gone.key, change.path, change.package,
							change.witness, err);
			}
		}
	}
	return result;
}

static bool names_row(const struct installed_list *list, const struct section_key *key)
{
	struct one_package one = {.key = *key};

	return installed_has(list, &one);
}

/* Sections of packages that the host's list does not name: what they hold is judged all the same. */
static int judge_unlisted(struct judge *j, struct packages *p, struct error *err)
{
	const struct observation *now = j->in->now;
	const struct section_range range = observation_range(now, SECTION_PACKAGE, p->manager);
	int result = 0;

	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		struct section_key key;

		if (section_key_decode(now->sections[i].key, &key) && !names_row(&p->now, &key)) {
			result = judge_counted(j, p, &key, err);
		}
	}
	return result;
}

static int judge_left(struct judge *j, struct packages *p, const struct section_key *key,
		      struct error *err)
{
	const struct known_good *known = j->in->known;
	struct one_package one = {.key = *key, .is_left = true};

	one.text = package_join(j, key->part[2], ' ', key->part[3]);
	one.subject = package_join(j, key->part[2], ':', key->part[4]);
	if (load_sections(j, p, &one, err) < 0) {
		return -1;
	}
	if (known &&
	    known->manifests(known->context, key->part[1], key->part[2], key->part[3], key->part[4],
			     &one.candidates, &one.candidate_count, err) < 0) {
		return -1;
	}
	return package_left(j, p, &one, err);
}

/*
 * Configuration without a package: of one that was removed and not purged, or of none that the list
 * names. It is in no other section, so it is judged here or nowhere.
 */
static int judge_all_left(struct judge *j, struct packages *p, struct error *err)
{
	const struct observation *now = j->in->now;
	const struct section_range range = observation_range(now, SECTION_CONFIG, p->manager);
	uint8_t room[SECTION_KEY_MAX];
	int result = 0;

	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		struct section_key key;

		if (!section_key_decode(now->sections[i].key, &key) || names_row(&p->now, &key)) {
			continue;
		}
		key = section_key_make(SECTION_PACKAGE, key.part[1], key.part[2], key.part[3],
				       key.part[4]);
		/* judge_unlisted has seen to a package whose own section is there. */
		if (!observation_find(now, judge_key(&key, room))) {
			result = judge_left(j, p, &key, err);
		}
	}
	return result;
}

/* All builds of one name, from row to row of the host's list. */
struct named {
	struct packages *p;
	size_t from;
	size_t to;
};

static int judge_named(struct judge *j, void *context, struct error *err)
{
	const struct named *named = context;
	struct packages *p = named->p;
	int result = 0;

	for (size_t i = named->from; result == 0 && i < named->to; i++) {
		const struct installed *one = &p->now.item[i];
		struct section_key key = section_key_make(SECTION_PACKAGE, p->manager, one->name,
							  one->version, one->arch);

		/* The same stanza twice is told once. */
		if (i == 0 || installed_compare(one, one - 1) != 0) {
			result = judge_counted(j, p, &key, err);
		}
	}
	return result;
}

/*
 * An open downgrade of this name is asked for by what it says, which is no input. A host may have as
 * many of them as findings, and more names.
 */
static bool was_down(struct judge *j, const struct packages *p, struct bytes name)
{
	const struct bytes none = {NULL, 0};
	struct bytes from = p->down_count > 0 ? package_join(j, name, ':', none) : none;
	size_t low = 0, high = p->down_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(p->down[middle]->subject, from) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < p->down_count && bytes_has_prefix(p->down[low]->subject, from);
}

/* The rows of a name in a list that is asked for names in their order. */
static struct input_rows rows_of(const struct installed_list *list, struct bytes name, size_t *at)
{
	struct input_rows rows;

	while (*at < list->count && bytes_compare(list->item[*at].name, name) < 0) {
		(*at)++;
	}
	rows = (struct input_rows){list->item + *at, 0};
	while (*at < list->count && bytes_equal(list->item[*at].name, name)) {
		rows.count++;
		(*at)++;
	}
	return rows;
}

static int judge_listed(struct judge *j, struct packages *p, struct error *err)
{
	const struct installed_list *lists[4] = {&p->now, &p->first, &p->last, &p->accepted};
	const struct observed_section *sections[INPUTS_SECTIONS_MAX];
	struct inputs inputs;
	size_t at[4] = {0};
	int result = inputs_begin(&inputs, j, p, err);

	j->listed = 0;
	while (result == 0 && at[0] < p->now.count) {
		struct bytes name = p->now.item[at[0]].name;
		struct named named = {.p = p, .from = at[0]};
		struct input_rows rows[4];
		struct unit unit;

		for (size_t l = 0; l < 4; l++) {
			rows[l] = rows_of(lists[l], name, &at[l]);
		}
		named.to = at[0];
		unit = inputs_of(&inputs, name, rows, sections);
		if (was_down(j, p, name)) {
			unit.inputs.len = 0;
		}
		result = unit_run(j, &unit, judge_named, &named, err);
	}
	if (result == 0 && (inputs.slots == 0 || inputs.packages != j->listed)) {
		result = judge_unlisted(j, p, err);
	}
	return result == 0 ? judge_all_left(j, p, err) : result;
}

static int judge_all(struct judge *j, struct packages *p, struct error *err)
{
	bool found = false;
	int result = 0;

	if (installed_load(j, judge_first(j), p, &p->first, err) < 0 ||
	    installed_load(j, j->in->last, p, &p->last, err) < 0 ||
	    installed_load(j, j->in->now, p, &p->now, err) < 0) {
		return -1;
	}
	installed_accepted(j, p);
	package_list_down(j, p);
	if (judge_exceptions(j, p, err) < 0) {
		return -1;
	}
	if (judge_listed(j, p, err) < 0 || rpm_tell_keys(j, err) < 0 || rpm_tell_weak(j, err) < 0) {
		return -1;
	}
	if (p->now.known && !j->package_gaps.everywhere && judge_removed(j, p, err) < 0) {
		return -1;
	}
	/* The states last: their rows' buffer is shared. */
	if (p->now.known && !p->now.has_odd_state) {
		return 0;
	}
	if (installed_rows(j, j->in->now, p->manager, &p->rows, &found, err) < 0) {
		return -1;
	}
	for (size_t i = 0; result == 0 && i < p->rows.count; i++) {
		result = judge_state(j, p, &p->rows.item[i], err);
	}
	return result;
}

int judge_packages(struct judge *j, struct bytes manager, struct error *err)
{
	struct packages p = {.manager = manager};
	int result = bytes_equal_string(manager, "rpm") ? rpm_names_load(j, err) : 0;

	j->packages = &p;
	j->is_shared_marked = false;
	j->note_count = 0;
	result = result == 0 ? judge_all(j, &p, err) : result;
	j->packages = NULL;

	entries_clear(&p.files);
	entries_clear(&p.config);
	entries_clear(&p.was);
	entries_clear(&p.config_was);
	rpm_claims_clear(&p.rpm_claims);
	rows_clear(&p.claims);
	rows_clear(&p.measured);
	rows_clear(&p.rows);
	return result;
}

bool judge_wants_md5(const struct known_good *known, const struct section_key *key)
{
	const struct manifest *const *list;
	struct error err;
	size_t count = 0;

	if (key->kind != SECTION_PACKAGE) {
		return false;
	}
	/* The probe leaves it out where the header's digests are of another kind. */
	if (bytes_equal_string(key->part[1], "rpm")) {
		return true;
	}
	if (known && known->manifests(known->context, key->part[1], key->part[2], key->part[3],
				      key->part[4], &list, &count, &err) < 0) {
		return true;
	}
	return count == 0;
}
