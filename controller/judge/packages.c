// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/judge/inputs.h"

/* Which buffer holds what while one package is judged; package_files.c uses 3 to 5. */
enum {
	BUFFER_FILES = 0,
	BUFFER_CONFIG = 1,
	BUFFER_CLAIMS = 2,
	BUFFER_CONFIG_WAS = 6,
	BUFFER_ROWS = 7
};

/* Of one name and architecture dpkg has one; a host that names thousands gets no more looks. */
#define VERSIONS_MAX 64U

static int compare_installed(const void *left, const void *right)
{
	const struct installed *a = left, *b = right;
	int order = bytes_compare(a->name, b->name);

	if (order == 0) {
		order = bytes_compare(a->arch, b->arch);
	}
	return order != 0 ? order : bytes_compare(a->version, b->version);
}

size_t installed_find(const struct installed_list *list, struct bytes name, struct bytes arch,
		      size_t *count)
{
	struct installed wanted = {name, arch, {NULL, 0}};
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_installed(&list->item[middle], &wanted) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (*count = 0; low + *count < list->count && *count < VERSIONS_MAX; (*count)++) {
		const struct installed *one = &list->item[low + *count];

		if (!bytes_equal(one->name, name) || !bytes_equal(one->arch, arch)) {
			break;
		}
	}
	return low;
}

static struct bytes state_word(struct bytes state, unsigned index)
{
	for (;;) {
		const uint8_t *blank = state.len > 0 ? memchr(state.data, ' ', state.len) : NULL;
		size_t len = blank ? (size_t)(blank - state.data) : state.len;

		if (index-- == 0) {
			return bytes_make(state.data, len);
		}
		if (!blank) {
			return (struct bytes){NULL, 0};
		}
		state = bytes_make(state.data + len + 1, state.len - len - 1);
	}
}

/* Whether its files are on the host. rpm has no such state. */
static bool is_installed(struct bytes state)
{
	struct bytes word = state_word(state, 2);

	return state.len == 0 || !(bytes_equal_string(word, "not-installed") ||
				   bytes_equal_string(word, "config-files"));
}

/* What nothing is to be said about: installed or gone, without a flaw. */
static bool is_odd_state(struct bytes state)
{
	struct bytes word = state_word(state, 2);

	/* rpm knows one state, which the probe says of all. */
	return state.len > 0 && !bytes_equal_string(state, "installed") &&
	       !((bytes_equal_string(word, "installed") ||
		  bytes_equal_string(word, "config-files") ||
		  bytes_equal_string(word, "not-installed")) &&
		 bytes_equal_string(state_word(state, 1), "ok"));
}

static int load_rows(struct judge *j, const struct observation *from, struct bytes manager,
		     struct row_list *rows, bool *found, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_PACKAGES, manager, none, none, none);

	return judge_records(j, from, &key, PACKAGES_FIELDS, ROWS_ANY, &j->buffer[BUFFER_ROWS],
			     rows, found, err);
}

static int read_installed(struct judge *j, const struct observation *from, struct packages *p,
			  struct installed_list *list, struct error *err)
{
	struct installed *item;

	if (load_rows(j, from, p->manager, &p->rows, &list->known, err) < 0) {
		return -1;
	}
	list->item = item = judge_alloc(j, p->rows.count + 1, sizeof(*item));
	for (size_t i = 0; item && i < p->rows.count; i++) {
		const struct record *row = &p->rows.item[i];

		list->has_odd_state = list->has_odd_state ||
				      is_odd_state(row->field[PACKAGES_STATE]);
		if (is_installed(row->field[PACKAGES_STATE])) {
			item[list->count++] = (struct installed){
				judge_keep(j, row->field[PACKAGES_NAME]),
				judge_keep(j, row->field[PACKAGES_ARCH]),
				judge_keep(j, row->field[PACKAGES_VERSION]),
			};
		}
	}
	if (item && list->count > 1) {
		qsort(item, list->count, sizeof(*item), compare_installed);
	}
	return 0;
}

/* Many hosts have the same list. */
static int list_installed(struct judge *j, const struct observation *from, struct packages *p,
			  struct installed_list *list, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_PACKAGES, p->manager, none, none, none);
	const struct observed_section *section;
	uint8_t room[SECTION_KEY_MAX];

	section = from ? observation_find(from, judge_key(&key, room)) : NULL;
	if (!j->in->cache || !section) {
		return read_installed(j, from, p, list, err);
	}
	if (cache_find_list(j->in->cache, &section->content, list)) {
		return 0;
	}
	if (read_installed(j, from, p, list, err) < 0) {
		return -1;
	}
	if (list->known && list->item) {
		cache_add_list(j->in->cache, &section->content, list);
	}
	return 0;
}

/* Accepted lines "package M N V A digest". */
static void list_accepted(struct judge *j, struct packages *p)
{
	const struct record_list *records = j->in->accepted_records;
	const struct bytes prefix = BYTES_LITERAL("package ");
	size_t from = known_lines_from(j, prefix), count = 0;
	struct installed *item;

	while (records && from + count < records->count &&
	       bytes_has_prefix(records->line[from + count], prefix)) {
		count++;
	}
	p->accepted.item = item = judge_alloc(j, count + 1, sizeof(*item));
	for (size_t i = 0; item && i < count; i++) {
		struct bytes line = records->line[from + i];
		uint8_t *scratch = judge_alloc(j, line.len, 1);
		struct record record;
		struct error ignored;
		const char *kind;

		/* The baseline refuses what is no such line when it is read. */
		if (scratch && records_read_line(line, scratch, &kind, &record, &ignored) == 0 &&
		    bytes_equal(record.field[0], p->manager)) {
			item[p->accepted.count++] = (struct installed){
				record.field[1], record.field[3], record.field[2]};
		}
	}
	if (item && p->accepted.count > 1) {
		qsort(item, p->accepted.count, sizeof(*item), compare_installed);
	}
}

static struct bytes join(struct judge *j, struct bytes a, char between, struct bytes b)
{
	uint8_t *to = judge_alloc(j, a.len + b.len + 1, 1);

	if (!to) {
		return a;
	}
	if (a.len > 0) {
		memcpy(to, a.data, a.len);
	}
	to[a.len] = (uint8_t)between;
	if (b.len > 0) {
		memcpy(to + a.len + 1, b.data, b.len);
	}
	return bytes_make(to, a.len + 1 + b.len);
}

/* SHA-256 of nothing: the content of a package that has no files. */
static const struct digest nothing = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
				       0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
				       0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
				       0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

/* "package M N V A digest": what accepting a build writes. Without a digest: what was. */
static struct bytes package_line(struct judge *j, unsigned slot, const struct one_package *one,
				 struct bytes version, const struct digest *digest)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct record record = {.count = 4};

	memcpy(record.field, one->key.part + 1, sizeof(struct bytes) * 4);
	record.field[2] = version;
	if (digest) {
		for (size_t i = 0; i < DIGEST_SIZE; i++) {
			(void)snprintf(hex + 2 * i, 3, "%02x", digest->bytes[i]);
		}
		record.field[record.count++] = bytes_make(hex, sizeof(hex) - 1);
	}
	return bytes_make(j->words[slot],
			  records_line("package", &record, 0, j->words[slot], WORDS_ROOM));
}

struct bytes package_accept_line(struct judge *j, const struct one_package *one)
{
	return package_line(j, 1, one, one->key.part[3],
			    one->section ? &one->section->content : &nothing);
}

static int compare_versions(const struct one_package *one, struct bytes a, struct bytes b)
{
	return bytes_equal_string(one->key.part[1], "rpm") ? judge_rpm_version_compare(a, b)
							   : judge_deb_version_compare(a, b);
}

/* The highest other version of the package in a list, if it is above or (with any) whatever. */
static struct bytes other_version(const struct installed_list *list, const struct one_package *one,
				  bool above, struct bytes than)
{
	struct bytes best = {NULL, 0}, mine = one->key.part[3];
	size_t count, at = installed_find(list, one->key.part[2], one->key.part[4], &count);

	for (size_t i = at; i < at + count; i++) {
		struct bytes version = list->item[i].version;
		struct bytes limit = best.len > 0 ? best : than;

		if (bytes_equal(version, mine) ||
		    (above && compare_versions(one, version, mine) <= 0) ||
		    (limit.len > 0 && compare_versions(one, version, limit) <= 0)) {
			continue;
		}
		best = version;
	}
	return best.len > 0 ? best : than;
}

static bool has_version(const struct installed_list *list, const struct one_package *one)
{
	struct installed wanted = {one->key.part[2], one->key.part[4], one->key.part[3]};

	return list->count > 0 && bsearch(&wanted, list->item, list->count, sizeof(*list->item),
					  compare_installed) != NULL;
}

static int compare_down(const void *left, const void *right)
{
	const struct finding *const *a = left, *const *b = right;
	int order = bytes_compare((*a)->subject, (*b)->subject);

	return order != 0 ? order : bytes_compare((*a)->package, (*b)->package);
}

static void list_down(struct judge *j, struct packages *p)
{
	const struct findings *open = j->in->open;

	p->down = judge_alloc(j, (open ? open->count : 0) + 1, sizeof(void *));
	for (size_t i = 0; p->down && open && i < open->count; i++) {
		if (open->item[i].rule == RULE_PACKAGE_DOWNGRADED) {
			p->down[p->down_count++] = &open->item[i];
		}
	}
	if (p->down && p->down_count > 1) {
		qsort(p->down, p->down_count, sizeof(void *), compare_down);
	}
}

/* A downgrade that an earlier run told, and that nobody took back or accepted since. */
static const struct finding *still_down(const struct packages *p, const struct one_package *one)
{
	const struct finding wanted = {.subject = one->subject, .package = one->text};
	const struct finding *key = &wanted;
	const struct finding **found = p->down_count > 0 ? bsearch(&key, p->down, p->down_count,
								   sizeof(void *), compare_down)
							 : NULL;

	return found ? *found : NULL;
}

static int tell_package(struct judge *j, const struct one_package *one, enum rule rule,
			enum severity severity, struct bytes old_line, const char *detail,
			struct error *err)
{
	struct change change = {
		.rule = rule,
		.witness = one->is_signed             ? WITNESS_SIGNATURE
			   : one->candidate_count > 0 ? WITNESS_MANIFEST
						      : WITNESS_HOST,
		.has_severity = true,
		.severity = severity,
		.path = one->subject,
		.package = one->text,
		.old_line = old_line,
		.new_line = package_accept_line(j, one),
		.detail = detail,
	};

	return judge_emit(j, &change, err);
}

/* rpm installs several versions of one name side by side: kernels. Those of keys have no order. */
static bool is_beside(const struct packages *p, const struct one_package *one,
		      const struct installed_list *recent)
{
	return bytes_equal_string(p->manager, "rpm") &&
	       (has_version(recent, one) || bytes_equal_string(one->key.part[2], "gpg-pubkey"));
}

/* Is this build new on the host, and by whose word? */
static int judge_version(struct judge *j, struct packages *p, const struct one_package *one,
			 struct error *err)
{
	const struct bytes none = {NULL, 0};
	const struct installed_list *first = &p->first, *recent = p->last.known ? &p->last : first;
	const struct finding *down;
	struct bytes higher = none, other;
	bool proved = one->candidate_count > 0;

	if (one->accepted == PACKAGE_ACCEPTED || (!j->captured && !first->known)) {
		return 0;
	}
	if (!j->captured) {
		higher = other_version(first, one, true, higher);
	}
	higher = other_version(recent, one, true, higher);
	higher = other_version(&p->accepted, one, true, higher);
	if (higher.len > 0 && is_beside(p, one, recent)) {
		higher = none;
	}
	if (higher.len > 0 && !has_version(&p->accepted, one)) {
		struct bytes old = package_line(j, 0, one, higher, NULL);

		if (tell_package(j, one, RULE_PACKAGE_DOWNGRADED, SEVERITY_HIGH, old,
				 "A version that goes down is never explained.", err) < 0) {
			return -1;
		}
	} else if ((down = still_down(p, one)) != NULL) {
		if (tell_package(j, one, RULE_PACKAGE_DOWNGRADED, SEVERITY_HIGH, down->old_value,
				 "A version that goes down is never explained.", err) < 0) {
			return -1;
		}
	}
	other = other_version(recent, one, false, none);
	if (proved && other.len > 0 && higher.len == 0 && !has_version(recent, one)) {
		return tell_package(j, one, RULE_PACKAGE_UPGRADED, SEVERITY_INFO,
				    package_line(j, 0, one, other, NULL), NULL, err);
	}
	if (!proved && one->accepted == PACKAGE_UNKNOWN &&
	    (j->captured || !has_version(first, one))) {
		return tell_package(j, one, RULE_PACKAGE_UNPROVED, SEVERITY_MEDIUM,
				    other.len > 0 ? package_line(j, 0, one, other, NULL) : none,
				    "Neither a manifest nor the accepted state has this build.",
				    err);
	}
	return 0;
}

int package_tell(struct judge *j, const struct one_package *one, enum rule rule,
		 enum severity severity, const char *detail, struct error *err)
{
	return tell_package(j, one, rule, severity, (struct bytes){NULL, 0}, detail, err);
}

int package_not_accepted(struct judge *j, const struct one_package *one, struct error *err)
{
	return tell_package(
		j, one, RULE_PACKAGE_UNPROVED, SEVERITY_HIGH,
		package_line(j, 0, one, one->key.part[3], &one->accepted_digest),
		"Its files are not what was accepted; which ones cannot be said, as the accepted "
		"content is not in the store.",
		err);
}

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
	one.text = join(j, key->part[2], ' ', key->part[3]);
	one.subject = join(j, key->part[2], ':', key->part[4]);
	j->counts->packages++;
	if (known &&
	    known->manifests(known->context, key->part[1], key->part[2], key->part[3], key->part[4],
			     &one.candidates, &one.candidate_count, err) < 0) {
		return -1;
	}
	if (load_sections(j, p, &one, err) < 0) {
		return -1;
	}
	one.accepted = known_package(j, key, one.section ? &one.section->content : &nothing,
				     &one.accepted_digest);
	if (bytes_equal_string(p->manager, "rpm") && rpm_prove(j, p, &one, err) < 0) {
		return -1;
	}
	if (judge_version(j, p, &one, err) < 0) {
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
	struct bytes state = row->field[PACKAGES_STATE], word = state_word(state, 2);
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

	if (!is_odd_state(state) || known_record(j, "package-state", &record, 0)) {
		return 0;
	}
	if (bytes_has_prefix(word, BYTES_LITERAL("triggers-"))) {
		change.severity = SEVERITY_LOW;
	}
	change.path = join(j, row->field[PACKAGES_NAME], ':', row->field[PACKAGES_ARCH]);
	change.package = join(j, row->field[PACKAGES_NAME], ' ', row->field[PACKAGES_VERSION]);
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
			change.path = join(j, was->name, ':', was->arch);
			change.package = join(j, was->name, ' ', was->version);
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

	return has_version(list, &one);
}

/* Sections of packages that the host's list does not name: what they hold is judged all the same. */
static int judge_unlisted(struct judge *j, struct packages *p, struct error *err)
{
	const struct observation *now = j->in->now;
	int result = 0;

	for (size_t i = 0; result == 0 && i < now->section_count; i++) {
		struct section_key key;

		if (section_key_decode(now->sections[i].key, &key) && key.kind == SECTION_PACKAGE &&
		    bytes_equal(key.part[1], p->manager) && !names_row(&p->now, &key)) {
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

	one.text = join(j, key->part[2], ' ', key->part[3]);
	one.subject = join(j, key->part[2], ':', key->part[4]);
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
		if (i == 0 || compare_installed(one, one - 1) != 0) {
			result = judge_counted(j, p, &key, err);
		}
	}
	return result;
}

/* An open downgrade of this name is asked for by what it says, which is no input. */
static bool was_down(const struct packages *p, struct bytes name)
{
	for (size_t i = 0; i < p->down_count; i++) {
		struct bytes subject = p->down[i]->subject;

		if (bytes_has_prefix(subject, name) && subject.len > name.len &&
		    subject.data[name.len] == ':') {
			return true;
		}
	}
	return false;
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
	int result = inputs_begin(&inputs, j, p->manager, err);

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
		if (was_down(p, name)) {
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

	if (list_installed(j, judge_first(j), p, &p->first, err) < 0 ||
	    list_installed(j, j->in->last, p, &p->last, err) < 0 ||
	    list_installed(j, j->in->now, p, &p->now, err) < 0) {
		return -1;
	}
	list_accepted(j, p);
	list_down(j, p);
	if (judge_exceptions(j, p, err) < 0) {
		return -1;
	}
	if (judge_listed(j, p, err) < 0 || rpm_tell_keys(j, p, err) < 0 ||
	    rpm_tell_weak(j, p, err) < 0) {
		return -1;
	}
	if (p->now.known && !j->package_gaps.everywhere && judge_removed(j, p, err) < 0) {
		return -1;
	}
	/* The states last: their rows' buffer is shared. */
	if (p->now.known && !p->now.has_odd_state) {
		return 0;
	}
	if (load_rows(j, j->in->now, p->manager, &p->rows, &found, err) < 0) {
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

	result = result == 0 ? judge_all(j, &p, err) : result;

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
