// SPDX-License-Identifier: MIT
#include "baselines/rpm/manifest.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "baselines/arena.h"
#include "baselines/usrmerge.h"
#include "schema/escape.h"

struct make {
	const struct rpm_header *header;
	struct manifest *manifest;
	struct manifest_entry *entries; /* of it, as are the next */
	struct manifest_rpm *rpm;
	bool is_plain; /* paths stay as the header spells them */
	struct error *err;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for the manifest of an rpm header");
}

static int file_fault(struct make *m, const struct rpm_file *file, const char *what)
{
	char shown[200];

	return error_set(m->err, ERROR_PEER, 0, "rpm header: %s: %s",
			 escape_text(file->path, shown, sizeof(shown)), what);
}

static enum entry_type type_of(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_LINK;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	case S_IFIFO:
		return ENTRY_FIFO;
	case S_IFSOCK:
		return ENTRY_SOCKET;
	default:
		return ENTRY_FILE;
	}
}

/* No empty or dotted component, as in nearly every header. */
static bool is_clean(struct bytes path)
{
	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] == '/' && path.len > 1 &&
		    (i + 1 == path.len || path.data[i + 1] == '/' || path.data[i + 1] == '.')) {
			return false; /* or a hidden file, which is looked at closer */
		}
	}
	return path.len > 0;
}

/* As the probe spells it (path_clean of payloads/package_paths.h), with /usr where it belongs. */
static int clean_path(struct make *m, const struct rpm_file *file, bool is_directory,
		      struct bytes *path)
{
	const uint8_t *from = file->path.data;
	size_t len = 0, start = 0;
	uint8_t *to;

	if (is_clean(file->path) && (m->is_plain || !usrmerge_moves(file->path, is_directory))) {
		*path = file->path;
		return 0;
	}
	to = arena_alloc(m->manifest->memory, file->path.len + strlen("/usr") + 1);
	if (!to) {
		return no_memory(m->err);
	}
	for (size_t i = 0; i <= file->path.len; i++) {
		size_t part = i - start;

		if (i < file->path.len && from[i] != '/') {
			continue;
		}
		if (part == 2 && from[start] == '.' && from[start + 1] == '.') {
			return file_fault(m, file, "leads upwards");
		}
		if (part > 0 && !(part == 1 && from[start] == '.')) {
			to[len++] = '/';
			memcpy(to + len, from + start, part);
			len += part;
		}
		start = i + 1;
	}
	if (len == 0) {
		to[len++] = '/';
	}
	if (!m->is_plain && usrmerge_moves(bytes_make(to, len), is_directory)) {
		memmove(to + strlen("/usr"), to, len);
		memcpy(to, "/usr", strlen("/usr"));
		len += strlen("/usr");
	}
	if (len > ENTRY_PATH_MAX) {
		return file_fault(m, file, "the path is too long");
	}
	*path = bytes_make(to, len);
	return 0;
}

static uint32_t tags_of(const struct rpm_header *header, const struct rpm_file *file)
{
	uint32_t tags = 0, owned = RPM_HAS_MODES | RPM_HAS_USERS | RPM_HAS_GROUPS;

	tags |= file->flags & RPM_FILE_CONFIG ? MANIFEST_CONFIG : 0U;
	tags |= file->flags & RPM_FILE_NOREPLACE ? MANIFEST_NOREPLACE : 0U;
	tags |= file->flags & (RPM_FILE_GHOST | RPM_FILE_MISSINGOK) ? MANIFEST_OPTIONAL : 0U;
	tags |= file->flags & RPM_FILE_GHOST ? MANIFEST_NOCONTENT : 0U;
	tags |= (header->columns & owned) != owned ? MANIFEST_NOMODE : 0U;
	return tags;
}

static int fill_content(struct make *m, const struct rpm_file *file, struct manifest_entry *made)
{
	uint32_t algorithm = m->header->digest_algorithm;

	made->entry.has_size = (m->header->columns & RPM_HAS_SIZES) != 0;
	made->entry.size = made->entry.has_size ? file->size : 0;
	if (file->digest.len == 0) {
		made->tags |= MANIFEST_NOCONTENT;
	} else if (algorithm == RPM_DIGEST_SHA256) {
		made->entry.has_sha256 = true;
		memcpy(made->entry.sha256.bytes, file->digest.data, DIGEST_SIZE);
	} else if (algorithm == RPM_DIGEST_MD5) {
		made->has_md5 = true;
		memcpy(made->md5, file->digest.data, MD5_SIZE);
	}
	return 0;
}

static int fill_caps(struct make *m, const struct rpm_file *file, struct manifest_entry *made)
{
	uint8_t *to;
	long len;

	made->tags |= MANIFEST_CAPS;
	if (file->caps.len == 0) {
		return 0;
	}
	to = arena_alloc(m->manifest->memory, ENTRY_CAPS_MAX);
	if (!to) {
		return no_memory(m->err);
	}
	len = rpm_caps_from_text(file->caps, to);
	if (len < 0) {
		return file_fault(m, file, "its capabilities make no sense");
	}
	made->entry.caps = bytes_make(to, (size_t)len);
	return 0;
}

static int fill_by_type(struct make *m, const struct rpm_file *file, struct manifest_entry *made)
{
	struct entry *entry = &made->entry;
	bool has_time = entry->type == ENTRY_FILE || entry->type == ENTRY_LINK;

	entry->has_mtime = has_time && (m->header->columns & RPM_HAS_MTIMES) != 0;
	entry->mtime_s = entry->has_mtime ? file->mtime_s : 0;
	made->tags |= has_time && !entry->has_mtime ? MANIFEST_NOTIME : 0U;
	switch (entry->type) {
	case ENTRY_FILE:
		return fill_content(m, file, made) < 0 ? -1 : fill_caps(m, file, made);
	case ENTRY_LINK:
		if (file->link.len > ENTRY_PATH_MAX) {
			return file_fault(m, file, "the link's target is too long");
		}
		entry->link = file->link;
		return 0;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		entry->has_device = true;
		entry->major = file->rdev >> 8;
		entry->minor = file->rdev & 0xff;
		return 0;
	default:
		return 0;
	}
}

static int fill(struct make *m, size_t index)
{
	const struct rpm_file *file = &m->header->files[index];
	struct manifest_entry *made = &m->entries[index];
	struct manifest_rpm *rpm = &m->rpm[index];
	uint32_t algorithm = m->header->digest_algorithm;
	bool is_other = algorithm != RPM_DIGEST_SHA256 && algorithm != RPM_DIGEST_MD5;

	memset(made, 0, sizeof(*made));
	made->entry.type = type_of(file->mode);
	made->entry.mode = file->mode & 07777;
	made->entry.owner = file->user;
	made->entry.group = file->group;
	made->tags = tags_of(m->header, file);
	if (file->user.len > ENTRY_NAME_MAX || file->group.len > ENTRY_NAME_MAX) {
		return file_fault(m, file, "the owner's name is too long");
	}
	*rpm = (struct manifest_rpm){
		.flags = file->flags,
		.verify = file->verify,
		.color = file->color,
		.hardlinks = file->hardlinks,
		.algorithm = algorithm,
		.file = (uint32_t)index,
	};
	if (is_other && made->entry.type == ENTRY_FILE) {
		rpm->digest = file->digest;
	}
	made->rpm = rpm;
	if (clean_path(m, file, made->entry.type == ENTRY_DIR, &made->entry.path) < 0) {
		return -1;
	}
	return fill_by_type(m, file, made);
}

static int fill_all(struct make *m)
{
	size_t count = m->header->file_count;

	m->entries = arena_alloc(m->manifest->memory, count * sizeof(*m->entries));
	m->rpm = arena_alloc(m->manifest->memory, count * sizeof(*m->rpm));
	if (!m->entries || !m->rpm) {
		return no_memory(m->err);
	}
	for (size_t i = 0; i < count; i++) {
		if (fill(m, i) < 0) {
			return -1;
		}
	}
	m->manifest->entries = m->entries;
	m->manifest->count = count;
	return 0;
}

static int compare_entries(const void *left, const void *right)
{
	const struct manifest_entry *a = left, *b = right;

	return bytes_path_compare(a->entry.path, b->entry.path);
}

/* Sorts; *twice where two files have one path. */
static void sort_entries(struct manifest *manifest, bool *twice)
{
	*twice = false;
	if (manifest->count > 1) {
		qsort(manifest->entries, manifest->count, sizeof(*manifest->entries),
		      compare_entries);
	}
	for (size_t i = 1; i < manifest->count; i++) {
		*twice = *twice ||
			 compare_entries(&manifest->entries[i - 1], &manifest->entries[i]) == 0;
	}
}

int rpm_manifest_make(const struct rpm_header *header, const char *source, const char *origin,
		      struct manifest **manifest, struct error *err)
{
	struct make m = {.header = header, .err = err};
	bool twice = false;

	*manifest = NULL;
	/* A path stands twice: perhaps only since /bin/cut and /usr/bin/cut became one. */
	do {
		m.is_plain = twice;
		if (manifest_new(source, origin, &m.manifest, err) < 0) {
			return -1;
		}
		if (fill_all(&m) < 0) {
			manifest_free(m.manifest);
			return -1;
		}
		sort_entries(m.manifest, &twice);
		if (!twice) {
			*manifest = m.manifest;
			return 0;
		}
		manifest_free(m.manifest);
	} while (!m.is_plain);
	return error_set(err, ERROR_PEER, 0, "rpm header: a path stands twice");
}
