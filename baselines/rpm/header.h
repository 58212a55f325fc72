// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_HEADER_H
#define MUSTER_BASELINES_RPM_HEADER_H

/*
 * What the signed region of an rpm header says of a package and its files (lib/header.cc and
 * lib/rpmtag.h of rpm), as plain data. Reads the bytes that a signature covers and nothing else:
 * what an rpm on a host adds behind the region never enters here. The bytes are hostile until
 * their signature was checked: every offset and count is held against their length, nothing
 * recurses. Immutable once made; owns what it points to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define RPM_HEADER_ENTRIES_MAX 65535U   /* rpm's own limits: hdrchkTags, hdrchkData */
#define RPM_HEADER_SIZE_MAX (64U << 20) /* of the region; rpm allows 256 MiB */
#define RPM_HEADER_FILES_MAX 262144U
#define RPM_HEADER_HEAD 16               /* magic, version, counts: in front of the entries */
#define RPM_DIGEST_MAX 64                /* bytes of the longest file digest */
#define RPM_HEADER_PATHS_MAX (32U << 20) /* bytes of all paths: a directory is named once */

/* FILEFLAGS, RPMFILE_* of rpm's rpmfiles.h. */
enum rpm_file_flag {
	RPM_FILE_CONFIG = 0x1,
	RPM_FILE_DOC = 0x2,
	RPM_FILE_MISSINGOK = 0x8,
	RPM_FILE_NOREPLACE = 0x10,
	RPM_FILE_SPECFILE = 0x20,
	RPM_FILE_GHOST = 0x40,
	RPM_FILE_LICENSE = 0x80,
	RPM_FILE_README = 0x100,
	RPM_FILE_PUBKEY = 0x800,
	RPM_FILE_ARTIFACT = 0x1000,
};

/* FILEVERIFYFLAGS, RPMVERIFY_* of rpm's rpmvf.h: what is to be compared. */
enum rpm_verify {
	RPM_VERIFY_DIGEST = 0x1,
	RPM_VERIFY_SIZE = 0x2,
	RPM_VERIFY_LINK = 0x4,
	RPM_VERIFY_USER = 0x8,
	RPM_VERIFY_GROUP = 0x10,
	RPM_VERIFY_MTIME = 0x20,
	RPM_VERIFY_MODE = 0x40,
	RPM_VERIFY_RDEV = 0x80,
	RPM_VERIFY_CAPS = 0x100,
};

/* FILEDIGESTALGO: OpenPGP's numbers (RFC 9580, 9.5). */
enum rpm_digest {
	RPM_DIGEST_MD5 = 1, /* also where the header names none */
	RPM_DIGEST_SHA1 = 2,
	RPM_DIGEST_SHA256 = 8,
	RPM_DIGEST_SHA384 = 9,
	RPM_DIGEST_SHA512 = 10,
	RPM_DIGEST_SHA224 = 11,
	RPM_DIGEST_SHA3_256 = 12,
	RPM_DIGEST_SHA3_512 = 14,
};

/* Which columns the header has at all: rpm compares nothing of one that is missing. */
enum rpm_column_bit {
	RPM_HAS_SIZES = 0x1,
	RPM_HAS_MODES = 0x2,
	RPM_HAS_RDEVS = 0x4,
	RPM_HAS_MTIMES = 0x8,
	RPM_HAS_DIGESTS = 0x10,
	RPM_HAS_LINKS = 0x20,
	RPM_HAS_FLAGS = 0x40,
	RPM_HAS_USERS = 0x80,
	RPM_HAS_GROUPS = 0x100,
	RPM_HAS_VERIFY = 0x200,
	RPM_HAS_DEVICES = 0x400,
	RPM_HAS_INODES = 0x800,
	RPM_HAS_LANGS = 0x1000,
	RPM_HAS_COLORS = 0x2000,
	RPM_HAS_CAPS = 0x4000,
};

struct rpm_file {
	struct bytes path; /* as the header spells it: absolute, /bin is /bin */
	uint16_t mode;     /* st_mode, type included */
	uint16_t rdev;     /* major << 8 | minor */
	uint32_t mtime_s;
	uint64_t size;
	struct bytes user;
	struct bytes group;
	struct bytes digest; /* raw; empty: none. Its algorithm is the header's */
	struct bytes link;   /* target of a symbolic link */
	struct bytes caps; /* cap_from_text(3) form; "" none; "=" an empty set, which is not none */
	struct bytes langs; /* %lang(...), or "" */
	uint32_t flags;     /* enum rpm_file_flag */
	uint32_t verify;    /* enum rpm_verify; 0 where the column is missing */
	uint32_t color;     /* 1: ELF 32 bit, 2: ELF 64 bit; higher bits as rpm has them */
	uint32_t device;    /* of the build host: with the inode it tells hard links */
	uint32_t inode;
	uint32_t hardlinks; /* 0: one name; else the same number on every name of one file */
};

struct rpm_header {
	struct bytes name;
	struct bytes version;
	struct bytes release;
	struct bytes
		evr; /* epoch:version-release, epoch 0 where there is none: as in section keys */
	struct bytes arch; /* empty where there is none */
	struct bytes vendor;
	struct bytes packager;
	struct bytes source_rpm;
	bool has_epoch;
	uint32_t epoch;
	int64_t build_time_s;
	uint32_t rpm_format;       /* RPMFORMAT; 0: none: 3 or 4 */
	uint32_t digest_algorithm; /* enum rpm_digest, or one that is not known here */
	uint32_t columns;          /* enum rpm_column_bit */
	struct rpm_file *files;    /* in the header's order */
	size_t file_count;
	struct arena *memory; /* private */
};

/*
 * `message` is what the signature covers: magic, counts, entries, data of the region
 * (HEADER_REGION of schema/record.h, joined). Trailing bytes are a fault. PEER error where it is
 * malformed; NOMEM.
 */
int rpm_header_parse(struct bytes message, struct rpm_header **header,
		     struct error *err) MUST_CHECK;
void rpm_header_free(struct rpm_header *header);

/* "d", "c" ...: the letter that rpm -V prints for these flags, or ' '. The first of dcsmnglra. */
char rpm_file_letter(uint32_t flags);

/* Bytes of a digest of this algorithm; 0: not known here. */
size_t rpm_digest_size(uint32_t algorithm);

#endif
