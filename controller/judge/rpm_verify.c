// SPDX-License-Identifier: MIT
#include "controller/judge/rpm_verify.h"

#include <stdio.h>
#include <sys/stat.h>

#include "baselines/rpm/manifest.h"
#include "schema/record.h"

/* The bits of FILEVERIFYFLAGS in the order of the columns, and muster's own for them. */
static const struct {
	uint32_t verify;
	uint32_t differs;
} columns[] = {
	{RPM_VERIFY_SIZE, DIFFERS_SIZE},     {RPM_VERIFY_MODE, DIFFERS_MODE},
	{RPM_VERIFY_DIGEST, DIFFERS_DIGEST}, {RPM_VERIFY_RDEV, DIFFERS_DEVICE},
	{RPM_VERIFY_LINK, DIFFERS_LINK},     {RPM_VERIFY_USER, DIFFERS_OWNER},
	{RPM_VERIFY_GROUP, DIFFERS_GROUP},   {RPM_VERIFY_MTIME, DIFFERS_TIME},
	{RPM_VERIFY_CAPS, DIFFERS_CAPS},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static uint16_t mode_of(const struct entry *entry)
{
	static const uint16_t types[] = {
		[ENTRY_FILE] = S_IFREG,    [ENTRY_DIR] = S_IFDIR,   [ENTRY_LINK] = S_IFLNK,
		[ENTRY_CHAR] = S_IFCHR,    [ENTRY_BLOCK] = S_IFBLK, [ENTRY_FIFO] = S_IFIFO,
		[ENTRY_SOCKET] = S_IFSOCK,
	};

	return (uint16_t)(types[entry->type] | (entry->mode & 07777));
}

/* The first of that name counts, as for rpm, which reads the files from the top. */
enum rpm_name rpm_name_find(struct bytes names, struct bytes name, uint32_t *id)
{
	size_t at = 0;

	*id = 0;
	if (bytes_equal_string(name, "root")) {
		return RPM_NAME_KNOWN;
	}
	if (!names.data) {
		return RPM_NAME_NOT_TOLD;
	}
	while (at < names.len) {
		const uint8_t *start = names.data + at, *end = memchr(start, 0, names.len - at);
		size_t len = end ? (size_t)(end - start) : 0;

		if (!end || names.len - at - len < 5) {
			return RPM_NAME_NOT_TOLD; /* not what a probe sends */
		}
		if (len == name.len && memcmp(start, name.data, len) == 0) {
			*id = (uint32_t)end[1] << 24 | (uint32_t)end[2] << 16 |
			      (uint32_t)end[3] << 8 | end[4];
			return RPM_NAME_KNOWN;
		}
		at += len + 5;
	}
	return RPM_NAME_UNKNOWN;
}

/* The id behind an entry's owner: a name, or #N where it is not one-to-one. */
static bool id_of(struct bytes names, struct bytes owner, uint32_t *id)
{
	uint64_t value = 0;

	if (owner.len < 2 || owner.data[0] != '#') {
		return rpm_name_find(names, owner, id) == RPM_NAME_KNOWN;
	}
	for (size_t i = 1; i < owner.len; i++) {
		if (owner.data[i] < '0' || owner.data[i] > '9' || value > UINT32_MAX) {
			return false;
		}
		value = value * 10 + (uint64_t)(owner.data[i] - '0');
	}
	*id = (uint32_t)value;
	return true;
}

/* An owner that the host does not know was made root when the file was installed. */
static bool differs_owner(struct bytes names, struct bytes want, struct bytes now, bool *is_unknown)
{
	uint32_t wanted = 0, found = 0;
	enum rpm_name known = rpm_name_find(names, want, &wanted);

	*is_unknown = known == RPM_NAME_UNKNOWN;
	if (known == RPM_NAME_NOT_TOLD || !id_of(names, now, &found)) {
		return !bytes_equal(want, now);
	}
	return wanted != found;
}

/* The old rule: an id of several names is right by any of them, a name that nobody has by none. */
static bool differs_owner_old(struct bytes names, struct bytes want, struct bytes now)
{
	uint32_t wanted = 0, found = 0;

	return !bytes_equal(want, now) && (rpm_name_find(names, want, &wanted) != RPM_NAME_KNOWN ||
					   !id_of(names, now, &found) || wanted != found);
}

static bool differs_device(uint16_t want, const struct rpm_file *file, const struct entry *now)
{
	bool is_char = S_ISCHR(want), is_block = S_ISBLK(want);

	if (is_char != (now->type == ENTRY_CHAR) || is_block != (now->type == ENTRY_BLOCK)) {
		return true;
	}
	/* The header has 16 bits for it. */
	return (is_char || is_block) &&
	       file->rdev != (uint16_t)((now->major & 0xff) << 8 | (now->minor & 0xff));
}

static bool differs_caps(const struct rpm_file *file, const struct entry *now)
{
	uint8_t caps[ENTRY_CAPS_MAX];
	long len = rpm_caps_from_text(file->caps, caps);

	return len < 0 || !bytes_equal(bytes_make(caps, (size_t)len), now->caps);
}

static uint32_t differs_content(const struct rpm_verify_input *input, const struct entry *now)
{
	struct bytes want = input->file->digest;

	switch (input->header->digest_algorithm) {
	case RPM_DIGEST_SHA256:
		if (!now->has_sha256) {
			return DIFFERS_UNREAD;
		}
		return bytes_equal(want, bytes_make(now->sha256.bytes, DIGEST_SIZE))
			       ? 0
			       : DIFFERS_DIGEST;
	case RPM_DIGEST_MD5:
		if (!input->md5) {
			return DIFFERS_UNREAD;
		}
		return bytes_equal(want, bytes_make(input->md5, MD5_SIZE)) ? 0 : DIFFERS_DIGEST;
	default:
		/* Nobody measured it. */
		return DIFFERS_UNREAD;
	}
}

/* What is to be compared, given what the file is and what is there. */
static uint32_t mask(const struct rpm_verify_input *input, const struct entry *now)
{
	const uint32_t content = RPM_VERIFY_DIGEST | RPM_VERIFY_SIZE | RPM_VERIFY_MTIME;
	uint32_t flags = input->file->verify;

	if (input->state == RPM_STATE_REPLACED) {
		return 0;
	}
	if (input->state == RPM_STATE_WRONG_COLOR) {
		flags &= ~(content | RPM_VERIFY_RDEV);
	}
	flags &= now->type == ENTRY_LINK ? ~(uint32_t)RPM_VERIFY_MODE : ~(uint32_t)RPM_VERIFY_LINK;
	if (now->type != ENTRY_FILE) {
		flags &= ~(content | RPM_VERIFY_CAPS);
	}
	if (input->file->flags & RPM_FILE_GHOST) {
		flags &= ~(content | RPM_VERIFY_LINK);
	}
	return flags;
}

static uint32_t differs_meta(const struct rpm_verify_input *input, const struct entry *now,
			     uint32_t flags)
{
	const struct rpm_file *file = input->file;
	const struct rpm_names *names = input->names;
	bool no_user = false, no_group = false;
	uint16_t want = file->mode, is = mode_of(now);
	uint32_t found = 0;

	if (input->is_old ? differs_owner_old(names->users, file->user, now->owner)
			  : differs_owner(names->users, file->user, now->owner, &no_user)) {
		found |= DIFFERS_OWNER;
	}
	if (input->is_old ? differs_owner_old(names->groups, file->group, now->group)
			  : differs_owner(names->groups, file->group, now->group, &no_group)) {
		found |= DIFFERS_GROUP;
	}
	want &= (uint16_t) ~(no_user ? S_ISUID : 0U);
	want &= (uint16_t) ~(no_group ? S_ISGID : 0U);
	if (differs_device(want, file, now)) {
		found |= DIFFERS_DEVICE;
	}
	if (file->flags & RPM_FILE_GHOST) {
		want &= 07777;
		is &= 07777;
	}
	if ((flags & RPM_VERIFY_MODE) && (want != is || now->acl.len > 0)) {
		found |= DIFFERS_MODE;
	}
	return found;
}

static uint32_t compare_file(const struct rpm_verify_input *input, const struct entry *now,
			     bool *is_link_unread)
{
	const struct rpm_file *file = input->file;
	uint32_t flags = mask(input, now), found, kept = 0;

	found = differs_meta(input, now, flags);
	if (flags & RPM_VERIFY_DIGEST) {
		found |= differs_content(input, now);
	}
	if (now->size != file->size) {
		found |= DIFFERS_SIZE;
	}
	if (now->type == ENTRY_LINK && (flags & RPM_VERIFY_LINK)) {
		*is_link_unread = now->link.len == 0;
		if (!bytes_equal(now->link, file->link)) {
			found |= DIFFERS_LINK;
		}
	}
	if (now->mtime_s != (int64_t)file->mtime_s && !input->is_shared) {
		found |= DIFFERS_TIME;
	}
	if (differs_caps(file, now)) {
		found |= DIFFERS_CAPS;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		kept |= flags & columns[i].verify ? found & columns[i].differs : 0U;
	}
	return kept | (flags & RPM_VERIFY_DIGEST ? found & DIFFERS_UNREAD : 0U);
}

void rpm_verify(const struct rpm_verify_input *input, struct rpm_verify_result *result)
{
	const struct entry *now = input->now;

	*result = (struct rpm_verify_result){.is_passed = input->state == RPM_STATE_NOT_INSTALLED ||
							  input->state == RPM_STATE_NET_SHARED};
	if (result->is_passed) {
		return;
	}
	result->is_missing = !now;
	if (!now) {
		return;
	}
	/* A link that root or the directory's owner made, and that leads to a directory. */
	if (!input->is_old && S_ISDIR(input->file->mode) && now->type == ENTRY_LINK &&
	    input->target &&
	    (bytes_equal_string(now->owner, "root") ||
	     bytes_equal(now->owner, input->file->user))) {
		now = input->target;
	}
	result->differences = compare_file(input, now, &result->is_link_unread);
}

uint32_t rpm_differences(const struct rpm_facts *facts, const struct entry *now,
			 const struct manifest_entry *want, const uint8_t *md5)
{
	const struct rpm_verify_input input = {
		.header = facts->header,
		.file = &facts->header->files[want->rpm->file],
		.now = now,
		.names = &facts->names,
		.md5 = md5,
	};
	struct rpm_verify_result result;

	rpm_verify(&input, &result);
	if (now->type != want->entry.type && !(input.file->flags & RPM_FILE_GHOST)) {
		result.differences |= DIFFERS_TYPE;
	}
	if (now->default_acl.len > 0 && (input.file->verify & RPM_VERIFY_MODE)) {
		result.differences |= DIFFERS_MODE;
	}
	/* A mask says what may change, not that root may be had by it. */
	if (now->type == ENTRY_FILE) {
		result.differences |=
			now->mode & ~input.file->mode & (S_ISUID | S_ISGID) ? DIFFERS_MODE : 0U;
		result.differences |=
			now->caps.len > 0 && differs_caps(input.file, now) ? DIFFERS_CAPS : 0U;
	}
	return result.differences | (now->flags != 0 ? DIFFERS_FLAGS : 0U);
}

bool rpm_is_masked(const struct rpm_facts *facts, const struct entry *now,
		   const struct manifest_entry *want, const uint8_t *md5)
{
	const struct rpm_verify_input input = {
		.header = facts->header,
		.file = &facts->header->files[want->rpm->file],
		.md5 = md5,
	};

	return now->type == ENTRY_FILE && S_ISREG(input.file->mode) &&
	       !(input.file->flags & RPM_FILE_GHOST) && !(input.file->verify & RPM_VERIFY_DIGEST) &&
	       differs_content(&input, now) != 0;
}

static const char *state_words(enum rpm_state state)
{
	switch (state) {
	case RPM_STATE_REPLACED:
		return " (replaced)";
	case RPM_STATE_NONE:
		return " (no state)";
	default:
		return "";
	}
}

size_t rpm_verify_line(const struct rpm_verify_input *input, const struct rpm_verify_result *result,
		       char *to, size_t room)
{
	static const char letters[] = "SM5DLUGTP";
	const struct rpm_file *file = input->file;
	const char *words = state_words(input->state);
	char shown[COLUMNS + 1] = "missing  ";
	int len;

	to[0] = '\0';
	if (result->is_passed ||
	    (result->is_missing ? file->flags & (RPM_FILE_MISSINGOK | RPM_FILE_GHOST)
				: result->differences == 0 && words[0] == '\0')) {
		return 0;
	}
	for (size_t i = 0; !result->is_missing && i < COLUMNS; i++) {
		shown[i] = result->differences & columns[i].differs ? letters[i] : '.';
	}
	if (result->differences & DIFFERS_UNREAD) {
		shown[2] = '?';
	}
	if (result->is_link_unread) {
		shown[4] = '?';
	}
	len = snprintf(
		to, room, "%s%s%c %.*s%s%s", shown, result->is_missing ? " " : "  ",
		rpm_file_letter(file->flags), (int)file->path.len, (const char *)file->path.data,
		result->is_missing && input->is_below_file ? " (Not a directory)" : "", words);
	return len < 0 ? 0 : (size_t)len < room ? (size_t)len : room - 1;
}

void rpm_names_read(struct bytes content, struct rpm_names *names)
{
	struct cbor_reader r;
	struct record record;

	*names = (struct rpm_names){{NULL, 0}, {NULL, 0}};
	cbor_reader_init(&r, content);
	while (cbor_reader_has_more(&r) && record_decode(&r, &record)) {
		if (record.count != FACT_FIELDS) {
			continue;
		}
		if (bytes_equal_string(record.field[FACT_NAME], FACT_USERS)) {
			names->users = record.field[FACT_VALUE];
		} else if (bytes_equal_string(record.field[FACT_NAME], FACT_GROUPS)) {
			names->groups = record.field[FACT_VALUE];
		}
	}
}
