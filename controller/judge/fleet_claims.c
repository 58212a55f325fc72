// SPDX-License-Identifier: MIT
#include "controller/judge/fleet_claims.h"

#include <stdio.h>

#include "baselines/rpm/section.h"
#include "schema/escape.h"

#define TAG_INSTALLTIME 1008
#define TAG_FILESTATES 1029
#define TAG_INSTALLTID 1128

static void note(struct claims_difference *to, const char *what, struct bytes path)
{
	char shown[160];
	size_t len = strlen(to->words);

	if (to->count++ < CLAIMS_SHOWN_MAX) {
		(void)snprintf(to->words + len, sizeof(to->words) - len, "%s%s%s%.64s",
			       len > 0 ? ", " : "", what, path.len > 0 ? " " : "",
			       escape_text(path, shown, sizeof(shown)));
	}
}

/* Configuration stays, is left behind and is taken over from version to version. */
static bool is_history(const struct record *claim)
{
	return package_claim_has(claim, 'c') || package_claim_has(claim, 'o') ||
	       package_claim_has(claim, 'r') || package_claim_has(claim, 'n');
}

static void compare_rows(const struct row_list *mine, const struct row_list *theirs,
			 struct claims_difference *to)
{
	size_t i = 0, k = 0;

	while (i < mine->count || k < theirs->count) {
		const struct record *a = i < mine->count ? &mine->item[i] : NULL;
		const struct record *b = k < theirs->count ? &theirs->item[k] : NULL;
		int order = !a   ? 1
			    : !b ? -1
				 : bytes_path_compare(a->field[CLAIM_PATH], b->field[CLAIM_PATH]);

		a = order <= 0 ? a : NULL;
		b = order >= 0 ? b : NULL;
		i += order <= 0;
		k += order >= 0;
		if ((a && is_history(a)) || (b && is_history(b))) {
			continue;
		}
		if (a && !b) {
			note(to, "claims also", a->field[CLAIM_PATH]);
		} else if (b && !a) {
			note(to, "does not claim", b->field[CLAIM_PATH]);
		} else if (a && b && !bytes_equal(a->field[CLAIM_MD5], b->field[CLAIM_MD5])) {
			note(to, "another MD5 of", a->field[CLAIM_PATH]);
		} else if (a && b && !bytes_equal(a->field[CLAIM_FLAGS], b->field[CLAIM_FLAGS])) {
			note(to, "other lists have", a->field[CLAIM_PATH]);
		}
	}
}

static void note_item(const struct rpm_item *item, struct claims_difference *to)
{
	static const struct bytes none = {NULL, 0};
	char what[64];

	if (item->part == RPM_ITEM_BARE) {
		note(to, "no signed region", none);
	} else if (item->part == RPM_ITEM_OVERRIDE) {
		(void)snprintf(what, sizeof(what), "overrides signed tag %u", item->tag);
		note(to, what, none);
	} else if (item->tag == TAG_FILESTATES) {
		note(to, "other file states", none);
	} else {
		(void)snprintf(what, sizeof(what), "another tag %u", item->tag);
		note(to, what, none);
	}
}

/* Stood here up to protocol 3. */
static bool is_install(const struct rpm_item *item)
{
	return item->part == RPM_ITEM_NUMBER ||
	       (item->part == RPM_ITEM_REST &&
		(item->tag == TAG_INSTALLTIME || item->tag == TAG_INSTALLTID));
}

static void compare_items(const struct rpm_section *mine, const struct rpm_section *theirs,
			  struct claims_difference *to)
{
	size_t i = 0, k = 0;

	while (i < mine->count || k < theirs->count) {
		const struct rpm_item *a = i < mine->count ? &mine->items[i] : NULL;
		const struct rpm_item *b = k < theirs->count ? &theirs->items[k] : NULL;
		uint64_t x = a ? (uint64_t)a->part << 32 | a->tag : UINT64_MAX;
		uint64_t y = b ? (uint64_t)b->part << 32 | b->tag : UINT64_MAX;
		const struct rpm_item *shown = x <= y ? a : b;
		bool in_both = a && b && x == y;

		i += x <= y;
		k += y <= x;
		if (!shown || is_install(shown) ||
		    (in_both && a->type == b->type && bytes_equal(a->value, b->value))) {
			continue;
		}
		note_item(shown, to);
	}
}

static int compare_rpm(struct bytes mine, struct bytes theirs, struct claims_difference *to,
		       struct error *err)
{
	struct rpm_section a, b;
	struct error fault = {0};
	int result;

	if (rpm_section_read(mine, &a, &fault) < 0) {
		note(to, "malformed", (struct bytes){NULL, 0});
		*err = fault;
		return fault.kind == ERROR_PEER ? 0 : -1;
	}
	result = rpm_section_read(theirs, &b, &fault);
	if (result == 0) {
		compare_items(&a, &b, to);
		rpm_section_clear(&b);
	}
	rpm_section_clear(&a);
	*err = fault;
	/* What most hosts have and is malformed accuses nobody. */
	return result == 0 || fault.kind == ERROR_PEER ? 0 : -1;
}

static int compare_dpkg(struct bytes mine, struct bytes theirs, struct claims_difference *to,
			struct error *err)
{
	struct row_list a = {0}, b = {0};
	enum decoded first = records_decode(mine, CLAIM_FIELDS, ROWS_BY_PATH, &a);
	enum decoded second = records_decode(theirs, CLAIM_FIELDS, ROWS_BY_PATH, &b);
	int result = 0;

	if (first == NO_MEMORY || second == NO_MEMORY) {
		result = error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	} else if (first != DECODED) {
		note(to, "malformed", (struct bytes){NULL, 0});
	} else if (second == DECODED) {
		compare_rows(&a, &b, to);
	}
	rows_clear(&a);
	rows_clear(&b);
	return result;
}

static int load(struct judge *j, const struct digest *digest, struct buffer *buffer, bool *found,
		struct error *err)
{
	if (judge_load_digest(j, digest, buffer, found, err) < 0) {
		*found = false;
		return err->kind == ERROR_LIMIT ? 0 : -1;
	}
	return 0;
}

int fleet_claims_compare(struct judge *j, struct bytes manager, const struct digest *mine,
			 const struct digest *theirs, struct claims_difference *to,
			 struct error *err)
{
	bool has_mine, has_theirs;
	struct bytes a, b;

	*to = (struct claims_difference){.count = 0};
	if (load(j, mine, &j->buffer[0], &has_mine, err) < 0 ||
	    load(j, theirs, &j->buffer[1], &has_theirs, err) < 0) {
		return -1;
	}
	if (!has_mine || !has_theirs) {
		note(to, "what cannot be read any more", (struct bytes){NULL, 0});
		return 0;
	}
	a = buffer_bytes(&j->buffer[0]);
	b = buffer_bytes(&j->buffer[1]);
	return bytes_equal_string(manager, "rpm") ? compare_rpm(a, b, to, err)
						  : compare_dpkg(a, b, to, err);
}
