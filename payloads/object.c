// SPDX-License-Identifier: MIT
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/collect.h"
#include "payloads/memory.h"

#define SETTLE_NS 2000000000   /* a change within one tick of the clock may not show in the ctime */
#define XATTR_NAMES_SIZE 65536 /* XATTR_LIST_MAX of the kernel */
#define XATTR_NAMES_FEW 256
#define ACL_BASE_SIZE 28 /* header and three entries: what the mode says */

/* Stat digests only schedule, and are compared with those of other sessions: the key is fixed. */
static const uint8_t stat_key[SIPHASH_KEY_SIZE] = "muster stat key";

static size_t put64(uint8_t *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
	return sizeof(value);
}

static size_t put_name(uint8_t *to, struct bytes name)
{
	memcpy(to, name.data, name.len);
	to[name.len] = '\0';
	return name.len + 1;
}

uint64_t object_stat(struct probe *probe, struct bytes path, const struct sys_stat *st,
		     unsigned want)
{
	uint8_t data[ENTRY_PATH_MAX + 2 * ENTRY_NAME_MAX + 64];
	size_t len = 0;

	len += put64(data, st->ino);
	if (want != 0) {
		len += put64(data + len, st->ctime_ns > INT64_MIN ? (uint64_t)st->ctime_ns : 0);
		len += put64(data + len, (uint64_t)st->mtime_ns);
		len += put64(data + len, S_ISDIR(st->mode) ? 0 : st->size);
	}
	len += put64(data + len, (uint64_t)st->uid << 32 | st->gid);
	len += put64(data + len, st->mode);
	/* A name given to an id or taken from it changes entries, but no inode. */
	len += put_name(data + len, names_lookup(&probe->users, st->uid));
	len += put_name(data + len, names_lookup(&probe->groups, st->gid));
	len += put_name(data + len, path.len <= ENTRY_PATH_MAX ? path : BYTES_LITERAL("?"));
	return siphash(stat_key, bytes_make(data, len));
}

uint64_t object_absent(struct bytes path)
{
	return siphash(stat_key, path);
}

uint64_t object_stamp(struct bytes data)
{
	return siphash(stat_key, data.len ? data : BYTES_LITERAL(""));
}

static enum entry_type type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return ENTRY_FILE;
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
	default:
		return ENTRY_SOCKET;
	}
}

/*
 * What one object needs while it is looked at. They wait in order behind a file that is not hashed
 * yet; the end of a section waits among them.
 */
struct look {
	struct collection *collection;
	void (*done)(struct collection *collection); /* the end of a section, and nothing else */
	unsigned want;
	const char *check;
	struct entry entry;
	struct sys_stat st;
	int fd; /* -1: not open */
	bool has_job;
	bool is_unread; /* counted already */
	struct file_job job;
	char path[ENTRY_PATH_MAX];
	uint8_t caps[ENTRY_CAPS_MAX];
	uint8_t acl[ENTRY_ACL_MAX];
	uint8_t default_acl[ENTRY_ACL_MAX];
	char link[ENTRY_PATH_MAX];
};

static struct look *looks; /* a ring of OBJECTS_AHEAD */
static size_t looks_first;
static size_t looks_count;

/* A partial look is told the next night too: its section is read again until it is whole. */
static void tell(struct look *look, const char *check, enum coverage_state state,
		 const char *reason)
{
	if (state == COVERAGE_PARTIAL) {
		look->collection->settled = false;
	}
	if (!look->collection->again) {
		coverage_add(&look->collection->probe->coverage, check, BYTES_LITERAL(""), state,
			     reason, 1);
	}
}

/* An object is counted once, whatever of it could not be read. */
static void count_unread(struct look *look)
{
	if (look->is_unread) {
		return;
	}
	look->is_unread = true;
	look->collection->unread++;
	if (!look->collection->again) {
		look->collection->probe->unread++;
	}
}

/* A file that could not be read keeps its entry, without digest, and is counted and told. */
static void tell_unread(struct look *look, const char *reason)
{
	struct collection *collection = look->collection;

	count_unread(look);
	collection->settled = false;
	if (!collection->again) {
		/* Many for one cause make one row; what is odd about one file names it. */
		bool is_named = strcmp(reason, "changed") == 0 || strcmp(reason, "error") == 0;

		probe_partial(collection->probe, look->check,
			      is_named ? look->entry.path : BYTES_LITERAL(""), reason, 1);
	}
}

/* An attribute that is there but could not be read is not none: the entry is not whole. */
static void tell_unread_attribute(struct look *look, const char *check, const char *reason)
{
	count_unread(look);
	tell(look, check, COVERAGE_PARTIAL, reason);
}

/* The name is looked at where nothing is open; `object` may be NULL otherwise. */
static ssize_t get_attribute(const struct look *look, const struct subject *object,
			     const char *attribute, void *to, size_t room)
{
	return object ? sys_xattr_get(object->dir_fd, object->name, look->fd, attribute, to, room)
		      : sys_xattr_get(-1, "", look->fd, attribute, to, room);
}

static struct bytes read_attribute(struct look *look, const struct subject *object,
				   const char *attribute, const char *check, uint8_t *to,
				   size_t room)
{
	ssize_t len = get_attribute(look, object, attribute, to, room);

	if (len >= 0) {
		return bytes_make(to, (size_t)len);
	}
	if (len == -ERANGE) {
		tell_unread_attribute(look, check, "too-large");
	} else if (len == -EACCES || len == -EPERM) {
		tell_unread_attribute(look, check, "denied");
	} else if (len != -ENODATA && len != -EOPNOTSUPP) {
		tell_unread_attribute(look, check, "error");
	}
	return (struct bytes){NULL, 0};
}

/* One listing says which of the attributes that matter are there; mostly none is. */
static void look_at_attributes(struct look *look, const struct subject *object)
{
	static char names[XATTR_NAMES_SIZE];
	int dir_fd = object ? object->dir_fd : -1;
	const char *of = object ? object->name : "";
	/* The kernel takes memory for as much as it is offered: first little, that mostly does. */
	ssize_t len = sys_xattr_list(dir_fd, of, look->fd, names, XATTR_NAMES_FEW);
	struct entry *entry = &look->entry;
	size_t at = 0;

	if (len == -ERANGE) {
		len = sys_xattr_list(dir_fd, of, look->fd, names, sizeof(names) - 1);
	}
	if (len == -EOPNOTSUPP) {
		return;
	}
	if (len < 0) {
		tell_unread_attribute(look, "acl", len == -EACCES ? "denied" : "error");
		return;
	}
	names[len] = '\0';
	while (at < (size_t)len) {
		const char *name = names + at;

		if (strcmp(name, "security.capability") == 0) {
			entry->caps = read_attribute(look, object, name, "caps", look->caps,
						     sizeof(look->caps));
		} else if (strcmp(name, "system.posix_acl_access") == 0) {
			entry->acl = read_attribute(look, object, name, "acl", look->acl,
						    sizeof(look->acl));
			if (entry->acl.len <= ACL_BASE_SIZE) {
				entry->acl.len = 0;
			}
		} else if (strcmp(name, "system.posix_acl_default") == 0) {
			entry->default_acl = read_attribute(look, object, name, "acl",
							    look->default_acl,
							    sizeof(look->default_acl));
		}
		at += strlen(name) + 1;
	}
}

/* statx and the ioctl are two ways of the kernel to the same bits: held against each other. */
static void look_at_flags(struct look *look)
{
	const uint32_t both = SYS_IMMUTABLE | SYS_APPEND;
	uint32_t said = look->st.attributes & both;
	bool is_said = (look->st.attributes_mask & both) == both;
	uint32_t flags = 0;
	bool is_read = look->fd >= 0 && sys_inode_flags(look->fd, &flags) == 0;

	if (is_said && is_read && said != (flags & both)) {
		look->collection->settled = false;
		if (!look->collection->again) {
			coverage_add(&look->collection->probe->coverage, "flags", look->entry.path,
				     COVERAGE_PARTIAL, "inconsistent", 1);
		}
	}
	if (!is_said && !is_read) {
		if (!S_ISLNK(look->st.mode)) {
			tell(look, "flags", COVERAGE_UNSUPPORTED, "no-answer");
		}
		return;
	}
	said |= is_read ? flags & both : 0;
	look->entry.flags = (said & SYS_IMMUTABLE ? ENTRY_IMMUTABLE : 0U) |
			    (said & SYS_APPEND ? ENTRY_APPEND : 0U);
}

static void put_md5(struct look *look, const struct file_content *content)
{
	struct record record = {.count = MD5_FIELDS};

	record.field[MD5_PATH] = look->entry.path;
	record.field[MD5_SHA256] = bytes_make(content->sha256.bytes, DIGEST_SIZE);
	record.field[MD5_VALUE] = bytes_make(content->md5, MD5_SIZE);
	(void)sink_record(look->collection->md5, &record);
}

static bool is_compiled_python(struct bytes path)
{
	return path.len > 4 && memcmp(path.data + path.len - 4, ".pyc", 4) == 0;
}

static void open_file(struct look *look, const struct subject *object)
{
	struct reader *reader = &look->collection->probe->reader;
	struct sys_stat opened;
	enum file_result result =
		file_open(reader, object->dir_fd, object->name, &look->fd, &opened);

	if (result != FILE_READ) {
		tell_unread(look, file_result_reason(result));
		return;
	}
	/* The name may have been given to another file since the stat: what is read counts. */
	look->st = opened;
	look->has_job = true;
}

static void end_file(struct look *look)
{
	const struct file_content *content = &look->job.content;

	file_hash_finish(&look->collection->probe->reader, &look->job);
	if (look->job.result != FILE_READ) {
		tell_unread(look, file_result_reason(look->job.result));
		return;
	}
	look->st = content->st;
	look->entry.has_sha256 = true;
	look->entry.sha256 = content->sha256;
	if (look->want & OBJECT_MAGIC) {
		look->entry.magic = content->magic;
		if (is_compiled_python(look->entry.path)) {
			look->entry.head = bytes_make(content->head, content->head_len);
		}
	}
	if (look->collection->md5) {
		put_md5(look, content);
	}
}

static void look_at_link(struct look *look, const struct subject *object)
{
	ssize_t len = readlinkat(object->dir_fd, object->name, look->link, sizeof(look->link));

	if (len <= 0) {
		tell_unread(look, len < 0 && errno == EACCES ? "denied" : "changed");
		return;
	}
	look->entry.link = bytes_make(look->link, (size_t)len);
}

/* Fills in what the stat says; after the content, because that may bring a newer stat. */
static void look_at_stat(struct look *look)
{
	struct entry *entry = &look->entry;
	const struct sys_stat *st = &look->st;
	struct probe *probe = look->collection->probe;

	entry->mode = st->mode & 07777;
	entry->owner = names_lookup(&probe->users, st->uid);
	entry->group = names_lookup(&probe->groups, st->gid);
	entry->has_size = entry->type == ENTRY_FILE && look->want & OBJECT_CONTENT;
	entry->size = entry->has_size ? st->size : 0;
	entry->has_mtime = look->want & OBJECT_TIME &&
			   (entry->type == ENTRY_FILE || entry->type == ENTRY_LINK);
	entry->mtime_s = entry->has_mtime ? st->mtime_s : 0;
	if (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		entry->has_device = true;
		entry->major = st->rdev_major;
		entry->minor = st->rdev_minor;
	}
}

/* What the kernel tells beside the stat: between the stats before and after the reading. */
static void look_at_inode(struct look *look, const struct subject *object)
{
	look->entry.caps.len = 0;
	look->entry.acl.len = 0;
	look->entry.default_acl.len = 0;
	look->entry.flags = 0;
	if (look->entry.type != ENTRY_LINK) {
		look_at_attributes(look, object);
		look_at_flags(look);
	}
}

static void begin_look(struct look *look, struct collection *collection,
		       const struct subject *object, unsigned want)
{
	struct bytes path = object->path;

	memset(&look->entry, 0, sizeof(look->entry));
	look->collection = collection;
	look->done = NULL;
	look->want = want;
	look->check = object->check;
	look->st = object->st;
	look->fd = -1;
	look->has_job = false;
	look->is_unread = false;
	if (path.len <= sizeof(look->path)) {
		memcpy(look->path, path.data, path.len);
		look->entry.path = bytes_make(look->path, path.len);
	}
	look->entry.type = type_of(object->st.mode);
	if (look->entry.type == ENTRY_FILE && look->want & OBJECT_CONTENT) {
		open_file(look, object);
	} else if (look->entry.type == ENTRY_LINK) {
		look_at_link(look, object);
	} else if (look->entry.type == ENTRY_DIR) {
		look->fd = sys_open_name(&collection->probe->sys, object->dir_fd, object->name,
					 O_RDONLY | O_DIRECTORY);
	}
	look_at_inode(look, object);
	if (look->has_job) {
		file_hash_begin(&collection->probe->reader, &look->job, look->fd, &look->st,
				collection->md5 != NULL);
	}
}

static void end_look(struct look *look)
{
	static uint8_t scratch[ENTRY_SIZE_MAX];
	struct collection *collection = look->collection;
	struct cbor_writer w;

	if (look->has_job) {
		end_file(look);
		if (look->job.is_second) {
			look_at_inode(look, NULL);
		}
	}
	look_at_stat(look);
	if (look->fd >= 0) {
		close(look->fd);
	}
	if (look->want & OBJECT_MD5_ONLY) {
		return;
	}
	collection->stat += object_stat(collection->probe, look->entry.path, &look->st, look->want);
	if (look->want != 0 && look->st.ctime_ns > collection->started_ns - SETTLE_NS) {
		collection->settled = false;
	}
	cbor_writer_init(&w, scratch, sizeof(scratch));
	entry_encode(&w, &look->entry);
	sink_put(collection->sink, bytes_make(w.data, w.len));
}

static void end_first(void)
{
	struct look *look = &looks[looks_first];

	if (look->done) {
		look->done(look->collection);
	} else {
		end_look(look);
	}
	looks_first = (looks_first + 1) % OBJECTS_AHEAD;
	looks_count--;
}

int object_init(void)
{
	if (!looks) {
		looks = memory_take(OBJECTS_AHEAD * sizeof(*looks));
	}
	looks_count = 0;
	return looks ? 0 : -ENOMEM;
}

void object_clear(void)
{
	if (looks) {
		memory_give(looks);
	}
	looks = NULL;
}

static struct look *next_look(void)
{
	if (looks_count == OBJECTS_AHEAD) {
		end_first();
	}
	return &looks[(looks_first + looks_count++) % OBJECTS_AHEAD];
}

void object_add(struct collection *collection, const struct subject *object, unsigned want)
{
	begin_look(next_look(), collection, object, want);
}

void object_then(struct collection *collection, void (*done)(struct collection *collection))
{
	struct look *look = next_look();

	look->collection = collection;
	look->done = done;
}

void object_flush(void)
{
	while (looks_count > 0) {
		end_first();
	}
}

void object_note_time(struct probe *probe, struct bytes path, const struct sys_stat *st)
{
	if (!(probe->plan.checks & CHECK_TIMELINE) || st->ctime_ns <= probe->plan.since_ns ||
	    !path_in_list(&probe->roots, path)) {
		return;
	}
	timeline_add(&probe->timeline, &(struct timeline_item){
					       .kind = TIMELINE_OBJECT,
					       .path = path,
					       .mode = st->mode,
					       .uid = st->uid,
					       .gid = st->gid,
					       .size = st->size,
					       .ctime_ns = st->ctime_ns,
					       .mtime_ns = st->mtime_ns,
					       .btime_ns = st->btime_ns,
				       });
}
