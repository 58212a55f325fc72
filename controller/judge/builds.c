// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>

#include "schema/escape.h"

/*
 * What the baseline has of a package beside the build that is installed: other versions, other origins.
 * A package must equal one build wholly, so that files of another one among its own are a finding.
 */

/* The same object, whenever it was written and whoever owns it: what makes a build that build. */
static bool same_content(const struct entry *now, const struct entry *other)
{
	if (now->type != other->type) {
		return false;
	}
	if (now->type == ENTRY_LINK) {
		return bytes_equal(now->link, other->link);
	}
	return now->type == ENTRY_FILE && now->has_sha256 && other->has_sha256 && now->size > 0 &&
	       digest_equal(&now->sha256, &other->sha256);
}

static bool differs_in_content(const struct package_item *item)
{
	return (item->kind == PACKAGE_ITEM_DIFFERS || item->kind == PACKAGE_ITEM_EXTRA) &&
	       !item->in_config &&
	       (item->kind == PACKAGE_ITEM_EXTRA ||
		(item->differences & (DIFFERS_TYPE | DIFFERS_DIGEST | DIFFERS_LINK)));
}

/* How many of what differs are this build's. Hosts without merged /usr say other paths: none match. */
static size_t count_of(const struct package_verdict *verdict, const struct manifest *build)
{
	size_t count = 0;

	for (size_t i = 0; i < verdict->count; i++) {
		const struct package_item *item = &verdict->item[i];
		const struct manifest_entry *other;

		if (!differs_in_content(item)) {
			continue;
		}
		other = manifest_find(build, item->want ? item->want->entry.path : item->path);
		count += other && same_content(item->now, &other->entry);
	}
	return count;
}

/* "1.2-3 (Debian)" */
static const char *name_build(const struct manifest *build, char *to, size_t room)
{
	char version[256], origin[256];

	(void)snprintf(to, room, "%s (%s)",
		       escape_text(bytes_from_string(build->version ? build->version : "?"),
				   version, sizeof(version)),
		       escape_text(bytes_from_string(build->origin ? build->origin : "?"), origin,
				   sizeof(origin)));
	return to;
}

int builds_mixed(struct judge *j, const struct one_package *one,
		 const struct package_verdict *verdict, struct error *err)
{
	const struct known_good *known = j->in->known;
	const struct manifest *const *list = NULL, *best = NULL;
	char detail[1400], mine[540], other[540];
	size_t count, most = 0, differing = 0;

	for (size_t i = 0; i < verdict->count; i++) {
		differing += differs_in_content(&verdict->item[i]);
	}
	/* Who accepted the build as it lies there accepted its mixture. */
	if (differing == 0 || one->accepted == PACKAGE_ACCEPTED || !known || !known->builds) {
		return 0;
	}
	if (known->builds(known->context, one->key.part[1], one->key.part[2], one->key.part[3],
			  one->key.part[4], &list, &count, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		size_t of = list[i] == verdict->manifest ? 0 : count_of(verdict, list[i]);

		if (of > most) {
			most = of;
			best = list[i];
		}
	}
	if (!best) {
		return 0;
	}
	(void)snprintf(detail, sizeof(detail),
		       "%zu of its files are those of %s, %zu those of %s: an upgrade that did not "
		       "finish, or files of another build put in place.",
		       most, name_build(best, other, sizeof(other)), verdict->same,
		       name_build(verdict->manifest, mine, sizeof(mine)));
	return package_tell(j, one, RULE_PACKAGE_MIXED, SEVERITY_HIGH, detail, err);
}

int builds_self_md5(struct judge *j, struct one_package *one, struct error *err)
{
	const struct known_good *known = j->in->known;

	if (!known || !known->self_summed) {
		return 0;
	}
	if (known->self_summed(known->context, one->key.part[1], one->key.part[2], one->key.part[4],
			       &one->self_md5, err) < 0) {
		return -1;
	}
	return one->self_md5
		       ? package_tell(
				 j, one, RULE_PACKAGE_SELF_SUMMED, SEVERITY_INFO,
				 "Other builds of it ship no md5sums: what the host's database "
				 "says of its files dpkg computed from what it unpacked.",
				 err)
		       : 0;
}
