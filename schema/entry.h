// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_ENTRY_H
#define MUSTER_SCHEMA_ENTRY_H

/*
 * One file-system object as a section holds it: a CBOR map with small unsigned keys, absent fields
 * left out, so that equal objects have equal bytes on every host. What a file system or a privilege
 * could not answer is left out too and told as coverage. Never in here: inode and device numbers of
 * the file system, ctime, link count, directory sizes, sub-second times.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/cbor.h"

#define ENTRY_PATH_MAX 4096 /* PATH_MAX of Linux */
#define ENTRY_NAME_MAX 256  /* owner and group names */
#define ENTRY_CAPS_MAX 24   /* struct vfs_ns_cap_data, linux/capability.h */
#define ENTRY_ACL_MAX 8192  /* a larger ACL is told as coverage */
#define ENTRY_HEAD_MAX 16   /* of compiled Python (PEP 552) */
/* Room that the encoding of any valid entry fits in. */
#define ENTRY_SIZE_MAX 26000U

enum entry_type {
	ENTRY_FILE = 1,
	ENTRY_DIR,
	ENTRY_LINK,
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_SOCKET,
};

/* What the first bytes of a file say; only in tree, volatile and setid sections. */
enum entry_magic {
	ENTRY_MAGIC_NONE = 0,
	ENTRY_MAGIC_ELF,
	ENTRY_MAGIC_SCRIPT, /* #! */
};

enum entry_flag {
	ENTRY_IMMUTABLE = 1,
	ENTRY_APPEND = 2,
};

struct entry {
	struct bytes path; /* absolute, canonical (usrmerge aliases mapped) */
	enum entry_type type;
	uint32_t mode;      /* 07777 */
	struct bytes owner; /* name, or #N where the name is not one-to-one */
	struct bytes group;
	bool has_size; /* regular files */
	uint64_t size;
	bool has_sha256; /* regular files that were read */
	struct digest sha256;
	struct bytes link; /* target of a symbolic link */
	struct bytes caps; /* security.capability as stored; empty: none */
	struct bytes acl;  /* system.posix_acl_access where it says more than the mode */
	uint32_t flags;    /* enum entry_flag */
	bool has_mtime;    /* files and links */
	int64_t mtime_s;   /* whole seconds since 1970 */
	bool has_device;   /* character and block devices */
	uint32_t major;
	uint32_t minor;
	enum entry_magic magic;
	struct bytes default_acl; /* system.posix_acl_default of directories */
	/*
	 * The first bytes of a file named *.pyc, as many as it has up to ENTRY_HEAD_MAX: which source
	 * it was compiled from, by its own word. Only where magic is.
	 */
	struct bytes head;
};

void entry_encode(struct cbor_writer *w, const struct entry *entry);

/* Reads one entry of a sequence; borrows from the reader's buffer. False where it is malformed. */
bool entry_decode(struct cbor_reader *r, struct entry *entry);

/* "file", "dir", "link", "char", "block", "fifo", "socket", as mtree(5) has them. */
const char *entry_type_name(enum entry_type type);

/* Whether two entries say the same of everything but the path. */
bool entry_equal(const struct entry *a, const struct entry *b);

#endif
