// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/store/inner.h"

#define CHECKS_MAX 4

/*
 * On which checks of the coverage a rule depends: the first must have been done, none may have a
 * gap where the finding is. A rule without checks is judged from what every session tells.
 */
static const struct dependence {
	const char *rule; /* its name's start */
	const char *checks[CHECKS_MAX];
} dependences[] = {
	{"unowned.", {"tree"}},
	{"volatile.", {"volatile"}},
	{"setid.", {"setid", "packages", "tree"}},
	{"capability.", {"setid", "packages", "tree", "caps"}},
	{"flag.", {"packages", "tree", "flags"}},
	{"views.", {"packages", "tree", "flags"}},
	{"mount.", {"mounts"}},
	{"check.", {NULL}},
	{"host.", {NULL}},
	{"hostkey.", {NULL}},
	{"protocol.", {NULL}},
	{"", {"packages"}},
};

static const struct dependence *dependence_of(const char *rule)
{
	const struct dependence *d = dependences;

	while (strncmp(rule, d->rule, strlen(d->rule)) != 0) {
		d++;
	}
	return d;
}

static bool is_below(struct bytes path, struct bytes folder)
{
	return folder.len > 0 && bytes_has_prefix(path, folder) &&
	       (path.len == folder.len || folder.data[folder.len - 1] == '/' ||
		path.data[folder.len] == '/');
}

static bool is_path(struct bytes subject)
{
	return subject.len > 0 && subject.data[0] == '/';
}

/*
 * Whether objects of this folder's section may be the subject: a section of a folder that is not as
 * deep as sections go has what lies in the folder itself, and no more (payloads/collect_tree.c).
 */
static bool is_in_tree(struct bytes subject, struct bytes folder)
{
	size_t len = folder.len == 1 ? 0 : folder.len, slashes = 0, depth = 0;

	if (!is_below(subject, folder)) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		depth += folder.data[i] == '/';
	}
	for (size_t i = len; i < subject.len; i++) {
		slashes += subject.data[i] == '/';
	}
	return depth >= TREE_KEY_DEPTH || slashes == 1;
}

/* Whether a section that may hold the subject has files that could not be read. */
static bool is_unread(const struct observation *o, struct bytes subject, struct bytes package)
{
	for (size_t i = 0; i < o->section_count; i++) {
		struct section_key key;

		if (o->sections[i].unread == 0 || !section_key_decode(o->sections[i].key, &key)) {
			continue;
		}
		if (section_kind_is_of_package(key.kind)
			    ? package.len > key.part[2].len &&
				      bytes_has_prefix(package, key.part[2]) &&
				      package.data[key.part[2].len] == ' '
		    : key.kind == SECTION_TREE ? is_in_tree(subject, key.part[1])
					       : key.count < 2 || is_below(subject, key.part[1])) {
			return true;
		}
	}
	return false;
}

/* A gap of this check where the subject is. *done: it was done there. */
static bool has_gap(const struct observation *o, const char *check, struct bytes subject,
		    bool *done)
{
	bool by_root = strcmp(check, "tree") == 0 || strcmp(check, "volatile") == 0;

	for (size_t i = 0; i < o->coverage_count; i++) {
		const struct coverage_item *item = &o->coverage[i];

		if (!bytes_equal_string(item->check, check) || coverage_is_of_files(item)) {
			continue; /* is_unread knows in which sections they are */
		}
		if (item->state != COVERAGE_DONE) {
			if (!is_path(item->subject) || is_below(subject, item->subject)) {
				return true;
			}
		} else if (!by_root || !is_path(item->subject) ||
			   is_below(subject, item->subject)) {
			*done = true;
		}
	}
	return false;
}

bool looked_at(const struct observation *o, const char *rule, struct bytes subject,
	       struct bytes package)
{
	const struct dependence *d = dependence_of(rule);
	bool done = false, ignored;

	if (!d->checks[0]) {
		return true;
	}
	for (size_t i = 0; i < CHECKS_MAX && d->checks[i]; i++) {
		if (has_gap(o, d->checks[i], subject, i == 0 ? &done : &ignored)) {
			return false;
		}
	}
	return done && !is_unread(o, subject, package);
}
