// SPDX-License-Identifier: MIT
#include "controller/judge/compare.h"

#define MODE_SETID 06000U

static uint32_t compare_content(const struct entry *now, const struct entry *want)
{
	uint32_t found = 0;

	if (now->has_size && want->has_size && now->size != want->size) {
		found |= DIFFERS_SIZE;
	}
	if (want->has_sha256 && !now->has_sha256) {
		found |= DIFFERS_UNREAD;
	} else if (want->has_sha256 && !digest_equal(&now->sha256, &want->sha256)) {
		found |= DIFFERS_DIGEST;
	}
	return found;
}

static uint32_t compare_owner(const struct entry *now, const struct entry *want)
{
	uint32_t found = 0;

	/* The mode of a link means nothing, and differs between file systems. */
	if (now->type != ENTRY_LINK &&
	    (now->mode != want->mode || !bytes_equal(now->acl, want->acl) ||
	     !bytes_equal(now->default_acl, want->default_acl))) {
		found |= DIFFERS_MODE;
	}
	/* No name: the archive did not say. */
	if (want->owner.len > 0 && !bytes_equal(now->owner, want->owner)) {
		found |= DIFFERS_OWNER;
	}
	if (want->group.len > 0 && !bytes_equal(now->group, want->group)) {
		found |= DIFFERS_GROUP;
	}
	return found;
}

static uint32_t compare_tagged(const struct entry *now, const struct entry *want, uint32_t tags)
{
	uint32_t found = 0;

	if (now->type != want->type) {
		return DIFFERS_TYPE;
	}
	if (now->type == ENTRY_FILE && !(tags & MANIFEST_NOCONTENT)) {
		found |= compare_content(now, want);
	}
	if (now->type == ENTRY_LINK && !(tags & MANIFEST_NOCONTENT) &&
	    !bytes_equal(now->link, want->link)) {
		found |= DIFFERS_LINK;
	}
	if (!(tags & MANIFEST_NOMODE)) {
		found |= compare_owner(now, want);
	} else if (now->type == ENTRY_FILE && (now->mode & ~want->mode & MODE_SETID)) {
		/* Whatever mode it may have: nobody lets it become root's. */
		found |= DIFFERS_MODE;
	}
	if ((now->type == ENTRY_CHAR || now->type == ENTRY_BLOCK) && want->has_device &&
	    (now->major != want->major || now->minor != want->minor)) {
		found |= DIFFERS_DEVICE;
	}
	/* Not of links: dpkg leaves one that leads to a folder as it is, and rpm -V does not look. */
	if (now->type == ENTRY_FILE && !(tags & (MANIFEST_NOTIME | MANIFEST_NOCONTENT)) &&
	    now->has_mtime && want->has_mtime && now->mtime_s != want->mtime_s) {
		found |= DIFFERS_TIME;
	}
	/* Where nobody knows which are wanted, having one is what tells. */
	if (!bytes_equal(now->caps, want->caps) && ((tags & MANIFEST_CAPS) || now->caps.len > 0)) {
		found |= DIFFERS_CAPS;
	}
	if (now->flags != want->flags) {
		found |= DIFFERS_FLAGS;
	}
	return found;
}

uint32_t compare_to_manifest(const struct entry *now, const struct manifest_entry *want)
{
	return compare_tagged(now, &want->entry, want->tags);
}

uint32_t compare_entries(const struct entry *now, const struct entry *was)
{
	return compare_tagged(now, was, MANIFEST_CAPS);
}

void compare_letters(uint32_t differences, char to[10])
{
	static const char columns[] = "SM5DLUGTP";

	to[0] = '\0';
	if ((differences & DIFFERS_MORE_THAN_TIME) == 0 && !(differences & DIFFERS_TIME)) {
		return;
	}
	for (unsigned i = 0; i < 9; i++) {
		to[i] = differences >> i & 1 ? columns[i] : '.';
	}
	if (differences & DIFFERS_TYPE) {
		to[1] = 'M';
	}
	if (differences & DIFFERS_UNREAD) {
		to[2] = '?';
	}
	to[9] = '\0';
}
