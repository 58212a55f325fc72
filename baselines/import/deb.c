// SPDX-License-Identifier: MIT
#include "baselines/import/deb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "baselines/arena.h"
#include "baselines/digests.h"
#include "baselines/import/deb_control.h"
#include "baselines/import/inflate.h"
#include "baselines/usrmerge.h"
#include "schema/escape.h"

#define BUFFER_SIZE ((size_t)128 << 10)

enum control_file { CONTROL, CONFFILES, MD5SUMS, CONTROL_FILES };
static const char *const control_names[CONTROL_FILES] = {"control", "conffiles", "md5sums"};

struct found {
	struct manifest_entry entry;
	struct bytes hard_link; /* canonical path of the first name, or empty */
	size_t order;
};

struct reader {
	const char *file;
	int fd;
	uint64_t size;         /* of the file */
	struct digests *whole; /* of the file */
	struct digests *digests;
	struct archive *ar;
	struct deb *deb;
	struct bytes control[CONTROL_FILES];
	bool has_control;
	bool has_data;
	struct found *found;
	size_t count;
	size_t room;
	uint8_t input[BUFFER_SIZE];
	uint8_t content[BUFFER_SIZE];
};

static int fault(const struct reader *r, struct error *err, const char *what)
{
	return error_set(err, ERROR_CONFIG, 0, "%s: %s", r->file, what);
}

static int no_memory(const struct reader *r, struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "%s: no memory", r->file);
}

/* libarchive's words for what is wrong may repeat the archive's own bytes. */
static int archive_fault(const struct reader *r, struct archive *archive, struct error *err)
{
	const char *what = archive_error_string(archive);
	char shown[300];

	if (archive_errno(archive) == ENOMEM) {
		return no_memory(r, err);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s: no sound .deb: %s", r->file,
			 what ? escape_text(bytes_from_string(what), shown, sizeof(shown))
			      : "broken archive");
}

static int path_fault(const struct reader *r, struct bytes path, const char *what,
		      struct error *err)
{
	char shown[200];

	return error_set(err, ERROR_CONFIG, 0, "%s: %s: %s", r->file,
			 escape_text(path, shown, sizeof(shown)), what);
}

/* Reading: file -> ar -> member -> tar */

static la_ssize_t read_file(struct archive *archive, void *context, const void **data)
{
	struct reader *r = context;
	struct error ignored;
	ssize_t got;

	do {
		got = read(r->fd, r->input, sizeof(r->input));
	} while (got < 0 && errno == EINTR);
	*data = r->input;
	if (got < 0) {
		archive_set_error(archive, errno, "%s", strerror(errno));
		return -1;
	}
	if (digests_add(r->whole, bytes_make(r->input, (size_t)got), &ignored) < 0) {
		archive_set_error(archive, EIO, "no digest");
		return -1;
	}
	return got;
}

static la_ssize_t read_member(struct archive *archive, void *context, const void **data)
{
	struct reader *r = context;
	la_int64_t offset;
	size_t len = 0;
	int code = archive_read_data_block(r->ar, data, &len, &offset);

	if (code == ARCHIVE_EOF) {
		return 0;
	}
	if (code < ARCHIVE_WARN) {
		archive_set_error(archive, EIO, "%s", archive_error_string(r->ar));
		return -1;
	}
	return (la_ssize_t)len;
}

static int open_tar(struct reader *r, const char *suffix, struct archive **tar, struct error *err)
{
	*tar = archive_read_new();
	if (!*tar) {
		return no_memory(r, err);
	}
	if (!inflate_add_filter(*tar, suffix)) {
		char shown[64];

		archive_read_free(*tar);
		*tar = NULL;
		return error_set(err, ERROR_CONFIG, 0, "%s: compression %s is not known", r->file,
				 escape_text(bytes_from_string(suffix), shown, sizeof(shown)));
	}
	(void)archive_read_support_format_tar(*tar);
	(void)archive_read_support_format_empty(*tar);
	if (archive_read_open2(*tar, r, NULL, read_member, NULL, NULL) != ARCHIVE_OK) {
		(void)archive_fault(r, *tar, err);
		archive_read_free(*tar);
		*tar = NULL;
		return -1;
	}
	return 0;
}

/* The next entry of a tar; *entry NULL at its end. */
static int next_entry(struct reader *r, struct archive *tar, struct archive_entry **entry,
		      struct error *err)
{
	int code = archive_read_next_header(tar, entry);

	if (code == ARCHIVE_EOF) {
		*entry = NULL;
		return 0;
	}
	return code < ARCHIVE_WARN ? archive_fault(r, tar, err) : 0;
}

static struct bytes name_of(const char *name, const char *utf8)
{
	/* Where the locale has no word for it, tar's own UTF-8 (pax headers). */
	return name   ? bytes_from_string(name)
	       : utf8 ? bytes_from_string(utf8)
		      : bytes_make(NULL, 0);
}

/* Control member */

static int keep_control(struct reader *r, struct archive *tar, enum control_file which,
			struct error *err)
{
	uint8_t *to = NULL;
	size_t len = 0, room = 0;
	bool ok = true;

	for (;;) {
		la_ssize_t got = archive_read_data(tar, r->content, sizeof(r->content));
		uint8_t *grown;

		if (got < 0) {
			free(to);
			return archive_fault(r, tar, err);
		}
		if (got == 0) {
			break;
		}
		if ((size_t)got > DEB_CONTROL_MAX - len) {
			free(to);
			return fault(r, err, "a control file is too large");
		}
		if (len + (size_t)got > room) {
			room = 2 * (len + (size_t)got);
			grown = realloc(to, room);
			if (!grown) {
				free(to);
				return no_memory(r, err);
			}
			to = grown;
		}
		memcpy(to + len, r->content, (size_t)got);
		len += (size_t)got;
	}
	r->control[which] = arena_copy(r->deb->memory, bytes_make(to, len), &ok);
	free(to);
	return ok ? 0 : no_memory(r, err);
}

static int read_control(struct reader *r, const char *suffix, struct error *err)
{
	struct archive_entry *entry = NULL;
	struct archive *tar = NULL;
	size_t entries = 0;
	int result = -1;

	if (open_tar(r, suffix, &tar, err) < 0) {
		return -1;
	}
	while ((result = next_entry(r, tar, &entry, err)) == 0 && entry) {
		struct bytes name = name_of(archive_entry_pathname(entry), NULL);

		if (++entries > 1000) {
			result = fault(r, err, "too many control files");
			break;
		}
		if (bytes_has_prefix(name, BYTES_LITERAL("./"))) {
			name = bytes_make(name.data + 2, name.len - 2);
		}
		for (size_t i = 0; result == 0 && i < CONTROL_FILES; i++) {
			if (bytes_equal_string(name, control_names[i]) &&
			    archive_entry_filetype(entry) == AE_IFREG) {
				result = keep_control(r, tar, (enum control_file)i, err);
			}
		}
		if (result < 0) {
			break;
		}
	}
	archive_read_free(tar);
	r->has_control = result == 0;
	return result;
}

/* Data member */

/* "./bin/x", "bin/x" or "/bin/x" as "/usr/bin/x", in memory of the manifest's. */
static int canonical_path(struct reader *r, struct bytes name, bool is_directory,
			  struct bytes *path, struct error *err)
{
	uint8_t *to = arena_alloc(r->deb->manifest->memory, name.len + strlen("/usr/") + 1);
	size_t len = 0, start = 0;

	if (!to) {
		return no_memory(r, err);
	}
	for (size_t i = 0; i <= name.len; i++) {
		size_t part = i - start;

		if (i < name.len && name.data[i] != '/') {
			continue;
		}
		if (part == 2 && name.data[start] == '.' && name.data[start + 1] == '.') {
			return path_fault(r, name, "leads upwards", err);
		}
		if (part > 0 && !(part == 1 && name.data[start] == '.')) {
			to[len++] = '/';
			memcpy(to + len, name.data + start, part);
			len += part;
		}
		start = i + 1;
	}
	if (len == 0) {
		to[len++] = '/';
	}
	if (usrmerge_moves(bytes_make(to, len), is_directory)) {
		memmove(to + strlen("/usr"), to, len);
		memcpy(to, "/usr", strlen("/usr"));
		len += strlen("/usr");
	}
	if (len > ENTRY_PATH_MAX) {
		return path_fault(r, name, "the path is too long", err);
	}
	*path = bytes_make(to, len);
	return 0;
}

/* A name, or #N for an id that the archive has no name for (root always has). */
static bool owner_name(struct arena *memory, const char *name, int64_t id, struct bytes *owner)
{
	char number[32];
	bool ok = true;

	(void)snprintf(number, sizeof(number), "#%lld", (long long)id);
	if (id == 0) {
		name = "root";
	}
	*owner =
		arena_copy(memory, bytes_from_string(name && name[0] != '\0' ? name : number), &ok);
	return ok && owner->len <= ENTRY_NAME_MAX;
}

static bool type_of(mode_t type, enum entry_type *to)
{
	switch (type) {
	case AE_IFREG:
		*to = ENTRY_FILE;
		return true;
	case AE_IFDIR:
		*to = ENTRY_DIR;
		return true;
	case AE_IFLNK:
		*to = ENTRY_LINK;
		return true;
	case AE_IFCHR:
		*to = ENTRY_CHAR;
		return true;
	case AE_IFBLK:
		*to = ENTRY_BLOCK;
		return true;
	case AE_IFIFO:
		*to = ENTRY_FIFO;
		return true;
	default:
		return false;
	}
}

/* Bytes of all files so far, against what so small a package may hold. */
static int count_bytes(struct reader *r, uint64_t more, struct error *err)
{
	uint64_t bytes = r->deb->bytes + more;

	if (bytes > DEB_BYTES_MAX || (bytes > DEB_RATIO_FREE && bytes / DEB_RATIO_MAX > r->size)) {
		return fault(r, err, "inflates beyond all reason");
	}
	r->deb->bytes = bytes;
	return 0;
}

static int hash_content(struct reader *r, struct archive *tar, struct manifest_entry *to,
			struct error *err)
{
	uint64_t size = 0;

	if (digests_begin(r->digests, err) < 0) {
		return -1;
	}
	for (;;) {
		la_ssize_t got = archive_read_data(tar, r->content, sizeof(r->content));

		if (got < 0) {
			return archive_fault(r, tar, err);
		}
		if (got == 0) {
			break;
		}
		size += (uint64_t)got;
		if (count_bytes(r, (uint64_t)got, err) < 0 ||
		    digests_add(r->digests, bytes_make(r->content, (size_t)got), err) < 0) {
			return -1;
		}
	}
	to->entry.has_size = true;
	to->entry.size = size;
	to->entry.has_sha256 = true;
	to->has_md5 = true;
	r->deb->files++;
	return digests_end(r->digests, &to->entry.sha256, to->md5, err);
}

static int fill_in(struct reader *r, struct archive *tar, struct archive_entry *from,
		   struct found *found, struct error *err)
{
	struct arena *memory = r->deb->manifest->memory;
	struct entry *e = &found->entry.entry;
	const char *hard_link = archive_entry_hardlink(from);
	bool ok = true;

	e->mode = (uint32_t)archive_entry_perm(from) & 07777;
	if (!owner_name(memory, archive_entry_uname(from), archive_entry_uid(from), &e->owner) ||
	    !owner_name(memory, archive_entry_gname(from), archive_entry_gid(from), &e->group)) {
		return path_fault(r, e->path, "no fit owner", err);
	}
	if (hard_link) {
		e->type = ENTRY_FILE;
		found->entry.tags |= MANIFEST_HARDLINK;
		return canonical_path(r, bytes_from_string(hard_link), false, &found->hard_link,
				      err);
	}
	if (e->type == ENTRY_LINK) {
		struct bytes target =
			name_of(archive_entry_symlink(from), archive_entry_symlink_utf8(from));

		if (target.len == 0 || target.len > ENTRY_PATH_MAX) {
			return path_fault(r, e->path, "a link to nowhere", err);
		}
		e->link = arena_copy(memory, target, &ok);
	}
	if (e->type == ENTRY_FILE || e->type == ENTRY_LINK) {
		e->has_mtime = true;
		e->mtime_s = (int64_t)archive_entry_mtime(from);
	}
	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK) {
		e->has_device = true;
		e->major = (uint32_t)archive_entry_rdevmajor(from);
		e->minor = (uint32_t)archive_entry_rdevminor(from);
	}
	if (!ok) {
		return no_memory(r, err);
	}
	return e->type == ENTRY_FILE ? hash_content(r, tar, &found->entry, err) : 0;
}

static int take_entry(struct reader *r, struct archive *tar, struct archive_entry *from,
		      struct error *err)
{
	struct bytes name =
		name_of(archive_entry_pathname(from), archive_entry_pathname_utf8(from));
	struct found found = {.order = r->count};
	enum entry_type type = ENTRY_FILE;

	if (name.len == 0 || name.len > ENTRY_PATH_MAX) {
		return fault(r, err, "an entry without a fit name");
	}
	if (!archive_entry_hardlink(from) && !type_of(archive_entry_filetype(from), &type)) {
		return path_fault(r, name, "of a type that packages do not have", err);
	}
	found.entry.entry.type = type;
	if (canonical_path(r, name, type == ENTRY_DIR, &found.entry.entry.path, err) < 0 ||
	    fill_in(r, tar, from, &found, err) < 0) {
		return -1;
	}
	if (r->count == DEB_ENTRIES_MAX) {
		return fault(r, err, "too many entries");
	}
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct found *grown = realloc(r->found, room * sizeof(*grown));

		if (!grown) {
			return no_memory(r, err);
		}
		r->found = grown;
		r->room = room;
	}
	r->found[r->count++] = found;
	return 0;
}

static int read_data(struct reader *r, const char *suffix, struct error *err)
{
	struct archive_entry *entry = NULL;
	struct archive *tar = NULL;
	int result;

	if (open_tar(r, suffix, &tar, err) < 0) {
		return -1;
	}
	while ((result = next_entry(r, tar, &entry, err)) == 0 && entry) {
		result = take_entry(r, tar, entry, err);
		if (result < 0) {
			break;
		}
	}
	archive_read_free(tar);
	r->has_data = result == 0;
	return result;
}

/* Members */

static int read_version(struct reader *r, struct error *err)
{
	char version[16] = "";
	la_ssize_t got = archive_read_data(r->ar, version, sizeof(version) - 1);

	if (got < 0) {
		return archive_fault(r, r->ar, err);
	}
	return strncmp(version, "2.", 2) == 0 ? 0 : fault(r, err, "not of deb format 2");
}

static int read_members(struct reader *r, struct error *err)
{
	struct archive_entry *entry = NULL;
	size_t members = 0;

	while (next_entry(r, r->ar, &entry, err) == 0) {
		const char *name = entry ? archive_entry_pathname(entry) : NULL;
		int result;

		if (!entry) {
			return r->has_data ? 0 : fault(r, err, "no data member");
		}
		/* The order is fixed; members whose name begins with _ are to be passed over. */
		if (members++ == 0) {
			result = name && strcmp(name, "debian-binary") == 0
					 ? read_version(r, err)
					 : fault(r, err,
						 "no .deb: debian-binary is not its first member");
		} else if (!r->has_control && name && strncmp(name, "control.tar", 11) == 0) {
			result = read_control(r, name + 11, err);
		} else if (r->has_control && !r->has_data && name &&
			   strncmp(name, "data.tar", 8) == 0) {
			result = read_data(r, name + 8, err);
		} else if (name && name[0] == '_' && members < 100) {
			result = 0;
		} else {
			result = fault(r, err, "a member where none may be");
		}
		if (result < 0) {
			return -1;
		}
	}
	return -1;
}

/* Putting together */

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = bytes_path_compare(x->entry.entry.path, y->entry.entry.path);

	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* A further name of a file has no data of its own (tar(5)). */
static int resolve_hard_links(struct reader *r, struct error *err)
{
	for (size_t i = 0; i < r->count; i++) {
		struct manifest_entry *entry = &r->deb->manifest->entries[i];
		const struct manifest_entry *first;

		if (r->found[i].hard_link.len == 0) {
			continue;
		}
		first = manifest_find(r->deb->manifest, r->found[i].hard_link);
		if (!first || !first->entry.has_sha256 || first->tags & MANIFEST_HARDLINK) {
			return path_fault(r, entry->entry.path, "a hard link to no file", err);
		}
		entry->entry.has_size = true;
		entry->entry.size = first->entry.size;
		entry->entry.has_sha256 = true;
		entry->entry.sha256 = first->entry.sha256;
		entry->has_md5 = true;
		memcpy(entry->md5, first->md5, MD5_SIZE);
		entry->entry.mode = first->entry.mode;
		entry->entry.owner = first->entry.owner;
		entry->entry.group = first->entry.group;
		entry->entry.has_mtime = first->entry.has_mtime;
		entry->entry.mtime_s = first->entry.mtime_s;
	}
	return 0;
}

static int build_manifest(struct reader *r, struct error *err)
{
	struct manifest *manifest = r->deb->manifest;
	size_t kept = 0;

	if (r->count > 0) {
		qsort(r->found, r->count, sizeof(*r->found), compare_found);
	}
	for (size_t i = 0; i < r->count; i++) {
		const struct entry *e = &r->found[i].entry.entry;
		const struct entry *before = kept > 0 ? &r->found[kept - 1].entry.entry : NULL;

		if (before && bytes_equal(before->path, e->path)) {
			/* bin/ and usr/bin/ are one directory; the later one counts, as in dpkg. */
			if (before->type != ENTRY_DIR || e->type != ENTRY_DIR) {
				return path_fault(r, e->path, "stands twice", err);
			}
			kept--;
		}
		r->found[kept++] = r->found[i];
	}
	r->count = kept;
	manifest->entries = arena_alloc(manifest->memory, kept * sizeof(*manifest->entries));
	if (!manifest->entries) {
		return no_memory(r, err);
	}
	for (size_t i = 0; i < kept; i++) {
		manifest->entries[i] = r->found[i].entry;
	}
	manifest->count = kept;
	return resolve_hard_links(r, err);
}

static int open_file(struct reader *r, struct error *err)
{
	struct stat st;

	r->fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (r->fd < 0 || fstat(r->fd, &st) < 0) {
		return error_set(err, ERROR_CONFIG, errno, "%s: %s", r->file, strerror(errno));
	}
	if (!S_ISREG(st.st_mode)) {
		return fault(r, err, "no regular file");
	}
	r->size = (uint64_t)st.st_size;
	r->ar = archive_read_new();
	if (!r->ar) {
		return no_memory(r, err);
	}
	(void)archive_read_support_format_ar(r->ar);
	return archive_read_open2(r->ar, r, NULL, read_file, NULL, NULL) == ARCHIVE_OK
		       ? 0
		       : archive_fault(r, r->ar, err);
}

/* What libarchive left unread still belongs to the file's digest. */
static int finish_digest(struct reader *r, struct error *err)
{
	uint8_t md5[MD5_SIZE];
	const void *data;
	la_ssize_t got;

	do {
		got = read_file(r->ar, r, &data);
	} while (got > 0);
	if (got < 0) {
		return archive_fault(r, r->ar, err);
	}
	return digests_end(r->whole, &r->deb->sha256, md5, err);
}

static int prepare(struct reader *r, struct error *err)
{
	r->deb = calloc(1, sizeof(*r->deb));
	if (!r->deb) {
		return no_memory(r, err);
	}
	r->deb->memory = calloc(1, sizeof(*r->deb->memory));
	if (!r->deb->memory) {
		return no_memory(r, err);
	}
	return manifest_new(r->file, NULL, &r->deb->manifest, err) < 0 ||
			       digests_new(&r->whole, err) < 0 ||
			       digests_begin(r->whole, err) < 0 || digests_new(&r->digests, err) < 0
		       ? -1
		       : 0;
}

int deb_read(const char *file, struct deb **deb, struct error *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	int result = -1;

	if (!r) {
		return error_set(err, ERROR_NOMEM, 0, "%s: no memory", file);
	}
	r->file = file;
	r->fd = -1;
	if (prepare(r, err) < 0 || open_file(r, err) < 0 || read_members(r, err) < 0 ||
	    finish_digest(r, err) < 0 || build_manifest(r, err) < 0) {
		goto out;
	}
	if (deb_control_fields(r->deb, r->control[CONTROL], err) < 0) {
		(void)error_prefix(err, "%s", file);
		goto out;
	}
	deb_control_conffiles(r->deb, r->control[CONFFILES]);
	r->deb->has_md5sums = r->control[MD5SUMS].data != NULL;
	deb_control_md5sums(r->deb, r->control[MD5SUMS]);
	*deb = r->deb;
	r->deb = NULL;
	result = 0;
out:
	archive_read_free(r->ar);
	if (r->fd >= 0) {
		(void)close(r->fd);
	}
	digests_free(r->whole);
	digests_free(r->digests);
	deb_free(r->deb);
	free(r->found);
	free(r);
	return result;
}

void deb_free(struct deb *deb)
{
	if (!deb) {
		return;
	}
	manifest_free(deb->manifest);
	if (deb->memory) {
		arena_clear(deb->memory);
	}
	free(deb->memory);
	free(deb);
}
