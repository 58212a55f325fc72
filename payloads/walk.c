// SPDX-License-Identifier: MIT
#include "payloads/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "payloads/memory.h"

#define BUFFER_SIZE 65536U

/* What getdents64 writes (linux/dirent.h). */
struct record64 {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

int walk_init(struct walk *walk)
{
	walk->depth = 0;
	walk->names = memory_take(WALK_NAMES_SIZE);
	walk->list = memory_take(WALK_NAMES_MAX * sizeof(*walk->list));
	walk->buffer = memory_take(BUFFER_SIZE);
	if (!walk->names || !walk->list || !walk->buffer) {
		walk_clear(walk);
		return -ENOMEM;
	}
	return 0;
}

void walk_clear(struct walk *walk)
{
	if (walk->names) {
		memory_give(walk->names);
	}
	if (walk->list) {
		memory_give(walk->list);
	}
	if (walk->buffer) {
		memory_give(walk->buffer);
	}
	walk->names = NULL;
	walk->list = NULL;
	walk->buffer = NULL;
}

static const char *reason_of(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "denied";
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
		return "changed";
	case -EMFILE:
	case -ENFILE:
		return "no-descriptor";
	default:
		return "error";
	}
}

static uint8_t type_of_mode(uint32_t mode)
{
	return (uint8_t)((mode & S_IFMT) >> 12); /* as IFTODT of <dirent.h> */
}

/* Puts the name behind the path of its directory. False where that is too long. */
static bool append(struct walk *walk, size_t dir_len, const char *name, size_t len,
		   struct walk_entry *entry)
{
	size_t at = dir_len;

	if (dir_len + 1 + len > ENTRY_PATH_MAX) {
		return false;
	}
	if (dir_len > 1) {
		walk->path[at++] = '/';
	}
	memcpy(walk->path + at, name, len);
	walk->path[at + len] = '\0';
	entry->name = walk->path + at;
	entry->path = bytes_make(walk->path, at + len);
	return true;
}

/* The path of the directory at the top alone, with a slash in front at least. */
static struct bytes restore(struct walk *walk, size_t dir_len)
{
	walk->path[dir_len] = '\0';
	return bytes_make(walk->path, dir_len);
}

struct listing {
	struct walk *walk;
	const struct walk_client *client;
	struct walk_level *level;
	size_t text_end;
	size_t list_end;
	bool full;
};

static bool is_entered(const struct walk *walk, const struct walk_client *client,
		       struct walk_entry *entry)
{
	enum mount_class class = walk->mounts ? mounts_at(walk->mounts, entry->hash) : MOUNT_NONE;

	if (class == MOUNT_NONE || class == MOUNT_LOCAL) {
		return true;
	}
	if (class == MOUNT_BIND) {
		if (walk->skip_binds) {
			client->fault(client->context, entry->path, "bind");
		}
		return !walk->skip_binds;
	}
	client->fault(client->context, entry->path, mount_class_name(class));
	return false;
}

static void list_one(struct listing *listing, const char *name, size_t len, uint8_t type)
{
	struct walk *walk = listing->walk;
	const struct walk_client *client = listing->client;
	struct walk_entry entry = {.dir_fd = listing->level->fd, .type = type};
	struct sys_stat st;

	if (!append(walk, listing->level->path_len, name, len, &entry)) {
		client->fault(client->context, restore(walk, listing->level->path_len),
			      "path-length");
		return;
	}
	entry.hash = table_hash(walk->hasher, entry.path);
	if (!is_entered(walk, client, &entry)) {
		return;
	}
	if (entry.type == DT_UNKNOWN) {
		int error = sys_stat_at(walk->sys, entry.dir_fd, entry.name, &st);

		if (error < 0) {
			client->fault(client->context, entry.path, reason_of(error));
			return;
		}
		entry.type = type_of_mode(st.mode);
	}
	if (client->filter(client->context, &entry) == WALK_DROP) {
		return;
	}
	if (len + 1 > WALK_NAMES_SIZE - listing->text_end || listing->list_end == WALK_NAMES_MAX) {
		listing->full = true;
		return;
	}
	memcpy(walk->names + listing->text_end, name, len + 1);
	walk->list[listing->list_end++] = (struct walk_name){
		.hash = entry.hash,
		.at = (uint32_t)listing->text_end,
		.len = (uint16_t)len,
		.type = entry.type,
	};
	listing->text_end += len + 1;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* One bufferful. The kernel's records are taken for what they are, but never read past the end. */
static void list_buffer(struct listing *listing, size_t filled)
{
	const size_t head = offsetof(struct record64, name);
	size_t at = 0;

	while (filled - at > head) {
		const struct record64 *record =
			(const struct record64 *)(const void *)(listing->walk->buffer + at);
		size_t len;

		if (record->len <= head || record->len > filled - at) {
			return;
		}
		len = strnlen(record->name, record->len - head);
		if (len > 0 && len < record->len - head && !is_dots(record->name)) {
			listing->walk->entries++;
			list_one(listing, record->name, len, record->type);
		}
		at += record->len;
	}
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct walk_name *x = a;
	const struct walk_name *y = b;
	const char *names = context;

	return bytes_compare(bytes_make(names + x->at, x->len), bytes_make(names + y->at, y->len));
}

/* Lists the open directory of the top level and sorts what the client keeps. */
static void list_level(struct walk *walk, const struct walk_client *client,
		       struct walk_level *level)
{
	struct listing listing = {
		.walk = walk,
		.client = client,
		.level = level,
		.text_end = level->text_start,
		.list_end = level->list_start,
	};
	long filled;

	while ((filled = syscall(SYS_getdents64, level->fd, walk->buffer, BUFFER_SIZE)) > 0) {
		list_buffer(&listing, (size_t)filled);
		if (walk->entries_most != 0 && walk->entries > walk->entries_most) {
			break;
		}
	}
	if (filled < 0) {
		client->fault(client->context, restore(walk, level->path_len), reason_of(-errno));
	}
	if (listing.full) {
		client->fault(client->context, restore(walk, level->path_len), "budget-names");
	}
	level->next = level->list_start;
	level->end = listing.list_end;
	level->text_end = listing.text_end;
	qsort_r(walk->list + level->list_start, level->end - level->list_start, sizeof(*walk->list),
		by_name, walk->names);
}

/* Where the next level's names go: behind those of the top level. */
static void push(struct walk *walk, const struct walk_client *client, int fd, size_t path_len)
{
	struct walk_level *level = &walk->level[walk->depth];

	*level = (struct walk_level){.fd = fd, .path_len = path_len};
	if (walk->depth > 0) {
		const struct walk_level *above = level - 1;

		level->list_start = above->end;
		level->text_start = above->text_end;
	}
	walk->depth++;
	list_level(walk, client, level);
}

static void enter(struct walk *walk, const struct walk_client *client,
		  const struct walk_entry *entry)
{
	int fd;

	if (walk->depth == WALK_DEPTH_MAX ||
	    (walk->depth_most != 0 && walk->depth >= walk->depth_most)) {
		client->fault(client->context, entry->path, "budget-depth");
		return;
	}
	fd = sys_open_name(walk->sys, entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		client->fault(client->context, entry->path, reason_of(fd));
		return;
	}
	push(walk, client, fd, entry->path.len);
}

int walk_run(struct walk *walk, struct bytes start, const struct walk_client *client)
{
	int fd;

	if (start.len == 0 || start.len > ENTRY_PATH_MAX || start.data[0] != '/') {
		return -EINVAL;
	}
	memcpy(walk->path, start.data, start.len);
	walk->path[start.len] = '\0';
	fd = sys_open_beneath(walk->sys, walk->root_fd, walk->path + 1, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		return fd;
	}
	walk->depth = 0;
	push(walk, client, fd, start.len);
	while (walk->depth > 0) {
		struct walk_level *level = &walk->level[walk->depth - 1];
		const struct walk_name *name = &walk->list[level->next];
		struct walk_entry entry = {.dir_fd = level->fd};

		if (level->next == level->end || !client->go_on(client->context)) {
			close(level->fd);
			walk->depth--;
			continue;
		}
		level->next++;
		entry.hash = name->hash;
		entry.type = name->type;
		(void)append(walk, level->path_len, walk->names + name->at, name->len, &entry);
		if (client->visit(client->context, &entry) && name->type == DT_DIR && !walk->flat) {
			enter(walk, client, &entry);
		}
	}
	return 0;
}
