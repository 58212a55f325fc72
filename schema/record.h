// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_RECORD_H
#define MUSTER_SCHEMA_RECORD_H

/*
 * What a section holds where it does not hold file-system objects: a CBOR array of byte strings
 * with a meaning by position, named below for each kind of section. Records of a section stand in
 * bytewise order of their encodings, without repetition, unless a kind says otherwise.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/cbor.h"

#define RECORD_FIELDS_MAX 10
#define RECORD_SIZE_MAX 65000 /* bytes of an encoded record */

struct record {
	size_t count;
	struct bytes field[RECORD_FIELDS_MAX];
};

/*
 * SECTION_CLAIMS: a path the host's database gives to the package, in order of paths. The flags are
 * letters in this order: l (in .list), m (in .md5sums), c (conffile), o (obsolete conffile),
 * r (remove-on-upgrade), n (conffile whose md5 is the word newconffile).
 */
enum { CLAIM_PATH, CLAIM_MD5 /* 16 bytes or empty */, CLAIM_FLAGS, CLAIM_FIELDS };

/*
 * SECTION_HEADER, and SECTION_CLAIMS where the manager is rpm: an rpm header in pieces of at most
 * HEADER_CHUNK_SIZE bytes of value, numbered from 0. Order: parts as listed, tags ascending,
 * entries of one tag as in the header, chunks ascending.
 *   [header]  region     what the vendor's signature covers, as it is signed: magic, counts,
 *                        entries, data (tag 63)
 *             signature  the signature tags behind the region, raw data
 *   [claims]  override   an entry behind the region whose tag is in the region too: rpm would
 *                        believe it, a signature does not cover it
 *             rest       every other entry behind the region: file states ...; what SECTION_INSTALLS
 *                        has is left out, so that hosts with one build agree on the rest
 *             bare       a header without a region, whole as stored (tag 0)
 *             number     sent up to protocol 3 only; SECTION_INSTALLS has it now
 */
enum {
	HEADER_PART,
	HEADER_TAG,   /* 4 bytes, most significant first */
	HEADER_TYPE,  /* 1 byte: rpm's type of the entry */
	HEADER_CHUNK, /* 4 bytes, most significant first */
	HEADER_VALUE,
	HEADER_FIELDS
};
#define HEADER_REGION "region"
#define HEADER_SIGNATURE "signature"
#define HEADER_OVERRIDE "override"
#define HEADER_REST "rest"
#define HEADER_BARE "bare"
#define HEADER_NUMBER "number"
#define HEADER_CHUNK_SIZE 32768

/* SECTION_MD5: what the probe measured of the package's files, in order of paths. */
enum { MD5_PATH, MD5_SHA256, MD5_VALUE, MD5_FIELDS };

/* SECTION_LABEL, in order of paths. */
enum { LABEL_PATH, LABEL_VALUE, LABEL_FIELDS };

/* SECTION_FLAGS, in order of paths: letters as lsattr prints them, without the common e and I. */
enum { FLAGS_PATH, FLAGS_LETTERS, FLAGS_FIELDS };

/*
 * SECTION_PACKAGES: state as in dpkg's Status field ("install ok installed"), source as in its
 * Source field (empty: the same name and version). Every stanza, installed or not.
 */
enum {
	PACKAGES_NAME,
	PACKAGES_VERSION,
	PACKAGES_ARCH,
	PACKAGES_STATE,
	PACKAGES_SOURCE,
	PACKAGES_FIELDS
};

/*
 * SECTION_INSTALLS, of rpm alone: what it noted when it installed each package on this host. Numbers of 4
 * bytes, most significant first; 0: not told. rpm goes through its packages in the order of INSTALLS_NUMBER,
 * the header's number in its database.
 */
enum {
	INSTALLS_NAME,
	INSTALLS_VERSION,
	INSTALLS_ARCH,
	INSTALLS_TIME,        /* seconds since 1970 (INSTALLTIME) */
	INSTALLS_TRANSACTION, /* INSTALLTID */
	INSTALLS_NUMBER,
	INSTALLS_FIELDS
};

/* SECTION_MOUNTS: one a line of mountinfo, in its order (proc(5)). */
enum {
	MOUNT_POINT,
	MOUNT_TYPE,
	MOUNT_SOURCE,
	MOUNT_ROOT,    /* the part of the file system that is mounted: a bind mount's origin */
	MOUNT_OPTIONS, /* ro, nosuid, nodev, noexec of the mount, comma between */
	MOUNT_STATE,   /* entered, or why not: pseudo, network, fuse, autofs, outside, unknown */
	MOUNT_FIELDS
};

/* SECTION_EXCEPTIONS: what narrows or redirects a check on this host. Fields by the first one. */
enum { EXCEPTION_KIND };
enum {
	DIVERSION_FROM = 1,
	DIVERSION_TO,
	DIVERSION_BY /* package, or : for local */,
	DIVERSION_FIELDS
};
enum {
	OVERRIDE_PATH = 1,
	OVERRIDE_USER,
	OVERRIDE_GROUP,
	OVERRIDE_MODE /* octal */,
	OVERRIDE_FIELDS
};
enum { FILTER_PATTERN = 1, FILTER_FILE /* where it is configured */, FILTER_FIELDS };
enum {
	ALTERNATIVE_NAME = 1,
	ALTERNATIVE_LINK,   /* /usr/bin/editor */
	ALTERNATIVE_STATUS, /* auto, manual */
	ALTERNATIVE_TARGET, /* what /etc/alternatives/NAME points to, empty where it is no link */
	ALTERNATIVE_FIELDS
};
#define EXCEPTION_DIVERSION "diversion"
#define EXCEPTION_OVERRIDE "statoverride"
#define EXCEPTION_EXCLUDE "path-exclude"
#define EXCEPTION_INCLUDE "path-include"
#define EXCEPTION_ALTERNATIVE "alternative"
#define EXCEPTION_SLAVE "alternative-slave" /* a further link of an alternative, same fields */

/* SECTION_HOST */
enum { FACT_NAME, FACT_VALUE, FACT_FIELDS };
#define FACT_OS_RELEASE "os-release" /* the file's text, at most 16 KiB */
/*
 * Names of passwd(5) and group(5), in the file's order, each with a NUL and its id behind it (4 bytes,
 * most significant first): whether a name is known here. Absent where they are too many for a record.
 */
#define FACT_USERS "users"
#define FACT_GROUPS "groups"

static inline void record_encode(struct cbor_writer *w, const struct record *record)
{
	cbor_write_array(w, record->count);
	for (size_t i = 0; i < record->count; i++) {
		cbor_write_bytes(w, record->field[i]);
	}
}

/* Reads one record of a sequence; borrows from the reader's buffer. False where it is malformed. */
static inline bool record_decode(struct cbor_reader *r, struct record *record)
{
	memset(record, 0, sizeof(*record));
	record->count = (size_t)cbor_read_array(r, RECORD_FIELDS_MAX);
	for (size_t i = 0; i < record->count; i++) {
		record->field[i] = cbor_read_bytes(r);
	}
	if (record->count == 0) {
		cbor_reader_fail(r);
	}
	return !r->failed;
}

#endif
