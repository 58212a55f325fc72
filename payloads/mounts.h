// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_MOUNTS_H
#define MUSTER_PAYLOADS_MOUNTS_H

/*
 * What is mounted where, from /proc/self/mountinfo (proc(5)), and which of it may be entered: local
 * file systems only. Asked before any stat of a mount point, because a stat of a dead NFS or autofs
 * mount never comes back. The text is the kernel's but its names are anybody's: bounded, and a line
 * that makes no sense is left out and counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/table.h"
#include "schema/bytes.h"

enum mount_class {
	MOUNT_NONE = 0, /* no mount point */
	MOUNT_LOCAL,
	MOUNT_BIND, /* local, and also reached by another path */
	MOUNT_PSEUDO,
	MOUNT_NETWORK,
	MOUNT_FUSE,
	MOUNT_AUTOFS,
	MOUNT_UNKNOWN,
};

#define MOUNTS_MAX 65536
#define MOUNT_LINE_MAX 32768

struct mount {
	uint64_t dev; /* major << 32 | minor */
	struct bytes root;
	struct bytes point;
	struct bytes options; /* of the mount, as the kernel joins them */
	struct bytes type;
	struct bytes source;
	enum mount_class class; /* by type alone: never MOUNT_BIND */
};

/*
 * Takes one line apart. Strings are unescaped into `text`, which holds line.len bytes, and borrowed
 * from there. False where it is malformed.
 */
bool mount_parse(struct bytes line, uint8_t *text, struct mount *mount);

/* By the name of the file system type; what is not in the table is MOUNT_UNKNOWN. */
enum mount_class mount_class_of(struct bytes type);
/* "entered", "pseudo", "network", "fuse", "autofs", "unknown". */
const char *mount_class_name(enum mount_class class);

typedef void (*mount_visitor)(void *context, const struct mount *mount);

/* Hands every line of the open file to `visit`. Returns the count of lines left out, or -errno. */
int mounts_read(int fd, mount_visitor visit, void *context);

struct mounts {
	struct mount_point {
		uint64_t hash;
		uint32_t order;
		enum mount_class class;
	} * list;
	size_t count;
	size_t left_out;
	const struct table *hasher;
	struct mount_dev {
		uint64_t dev;
		bool seen;
	} * devs; /* file systems mounted by their whole tree */
	size_t dev_count;
};

/* Reads the file twice. `hasher` gives the keyed hash of paths and outlives this. 0 or -errno. */
int mounts_load(struct mounts *mounts, const struct table *hasher, const char *path);
void mounts_clear(struct mounts *mounts);

/* The mount whose point has this hash, MOUNT_NONE where there is none. */
enum mount_class mounts_at(const struct mounts *mounts, uint64_t hash);

/*
 * Whether the path may be touched at all: no ancestor of it, nor itself, is a mount that may hang,
 * and the innermost mount is a local one. *why is set where it may not.
 */
bool mounts_may_enter(const struct mounts *mounts, struct bytes path, enum mount_class *why);

static inline bool mount_class_is_local(enum mount_class class)
{
	return class == MOUNT_LOCAL || class == MOUNT_BIND;
}

#endif
