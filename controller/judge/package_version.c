// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>
#include <stdlib.h>

/* The build of a package: whether it is new on the host, by whose word, and whether it went down. */

/* SHA-256 of nothing: the content of a package that has no files. */
const struct digest package_nothing = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
					0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
					0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
					0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

struct bytes package_join(struct judge *j, struct bytes a, char between, struct bytes b)
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

/* "package M N V A digest": what accepting a build writes. Without a digest: what was. */
struct bytes package_line(struct judge *j, unsigned slot, const struct one_package *one,
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
			    one->section ? &one->section->content : &package_nothing);
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

static int compare_down(const void *left, const void *right)
{
	const struct finding *const *a = left, *const *b = right;
	int order = bytes_compare((*a)->subject, (*b)->subject);

	return order != 0 ? order : bytes_compare((*a)->package, (*b)->package);
}

void package_list_down(struct judge *j, struct packages *p)
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
	       (installed_has(recent, one) || bytes_equal_string(one->key.part[2], "gpg-pubkey"));
}

/* Is this build new on the host, and by whose word? */
int package_judge_version(struct judge *j, struct packages *p, const struct one_package *one,
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
	if (higher.len > 0 && !installed_has(&p->accepted, one)) {
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
	if (proved && other.len > 0 && higher.len == 0 && !installed_has(recent, one)) {
		return tell_package(j, one, RULE_PACKAGE_UPGRADED, SEVERITY_INFO,
				    package_line(j, 0, one, other, NULL), NULL, err);
	}
	if (proved && recent->known && other.len == 0 && !installed_has(recent, one)) {
		return tell_package(j, one, RULE_PACKAGE_APPEARED, SEVERITY_INFO, none, NULL, err);
	}
	if (!proved && one->accepted == PACKAGE_UNKNOWN &&
	    (j->captured || !installed_has(first, one))) {
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
