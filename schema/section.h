// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_SECTION_H
#define MUSTER_SCHEMA_SECTION_H

/*
 * A section is an ordered list of entries (schema/entry.h) or records (schema/record.h) under a
 * key. Its canonical encoding is the CBOR sequence (RFC 8742) of these items in canonical order;
 * its digest is SHA-256 over that encoding. A key is a CBOR array of byte strings, the first of
 * which names the kind. A snapshot is the list of (encoded key, digest) of one host, ordered by
 * bytes_compare over the encoded keys.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/cbor.h"

#define SECTION_PARTS_MAX 5
#define SECTION_KEY_MAX 1024 /* bytes of an encoded key */

enum section_kind {
	SECTION_PACKAGE,    /* [package, manager, name, version, arch]: what the package fixes */
	SECTION_CONFIG,     /* [config, manager, name, version, arch]: configuration, rpm ghosts */
	SECTION_CLAIMS,     /* [claims, manager, name, version, arch]: the host database's word */
	SECTION_MD5,        /* [md5, manager, name, version, arch]: measured, only on request */
	SECTION_LABEL,      /* [label, manager, name, version, arch]: SELinux labels, if any */
	SECTION_HEADER,     /* [header, rpm, name, version, arch]: signed region and signatures */
	SECTION_PACKAGES,   /* [packages, manager]: every package the database names, its state */
	SECTION_INSTALLS,   /* [installs, rpm]: when and as which one each was installed here */
	SECTION_EXCEPTIONS, /* [exceptions, manager]: diversions, overrides, excludes, ... */
	SECTION_DIRS,       /* [dirs]: directories that packages own */
	SECTION_TREE,       /* [tree, DIR]: what no package owns; DIR is cut to TREE_KEY_DEPTH */
	SECTION_VOLATILE,   /* [volatile, ROOT]: only telling objects */
	SECTION_SETID,      /* [setid]: set-id files and capabilities that no other section holds */
	SECTION_FLAGS,      /* [flags]: inode flags that lsattr shows and no entry carries */
	SECTION_MOUNTS,     /* [mounts]: what is mounted where, and whether it was entered */
	SECTION_HOST,       /* [host]: facts as text: os-release ... */
	SECTION_KINDS
};

/*
 * An unowned object belongs to the section of its parent directory, cut to this many components:
 * /usr/lib/node_modules/npm/x.js is in [tree, /usr/lib/node_modules], /etc/motd in [tree, /etc].
 */
#define TREE_KEY_DEPTH 3

struct section_key {
	enum section_kind kind;
	size_t count; /* parts, the kind's name included */
	struct bytes part[SECTION_PARTS_MAX];
};

/* "package", "tree" ... */
const char *section_kind_name(enum section_kind kind);
/* Entries (true) or records (false). */
bool section_kind_has_entries(enum section_kind kind);
/* Whether the key names a package: parts 1 to 4 are manager, name, version, arch. */
bool section_kind_is_of_package(enum section_kind kind);

/* Makes a key from its further parts, as many as the kind has (others are ignored). */
struct section_key section_key_make(enum section_kind kind, struct bytes a, struct bytes b,
				    struct bytes c, struct bytes d);

void section_key_encode(struct cbor_writer *w, const struct section_key *key);

/* Borrows from `encoded`. False where it is no well-formed key of a known kind. */
bool section_key_decode(struct bytes encoded, struct section_key *key);

#endif
