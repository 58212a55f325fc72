// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DPKG_DPKG_H
#define MUSTER_PAYLOADS_DPKG_DPKG_H

/*
 * What the parts of the dpkg reader share: the open database, and lines of one of its files with
 * the faults found in them. Seen by payloads/dpkg only; others use payloads/package_db.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/arena.h"
#include "payloads/claim_table.h"
#include "payloads/dpkg/diversions.h"
#include "payloads/dpkg/exceptions.h"
#include "payloads/package_db.h"
#include "payloads/package_file.h"
#include "payloads/package_paths.h"

#define DPKG_DIR "/var/lib/dpkg"
#define DPKG_LINE_MAX 65536U          /* bytes of a line in any file */
#define DPKG_ARENA_MAX (6U << 20)     /* names, versions, conffiles, exceptions */
#define DPKG_STANZAS_MAX 50000U       /* Debian has 65,000 packages, a host 5,000 */
#define DPKG_STANZA_TEXT (512U << 10) /* kept text of one stanza: its conffiles */
#define DPKG_STATUS_MAX (128U << 20)  /* bytes of the status file */
#define DPKG_LIST_MAX (32U << 20)     /* bytes of one .list */
#define DPKG_SUMS_MAX (48U << 20)     /* bytes of one .md5sums */
#define DPKG_SMALL_MAX (4U << 20)     /* bytes of any other file */

enum { DPKG_TOLD_LIST = 1, DPKG_TOLD_SUMS = 2 };

struct dpkg_package {
	const uint8_t
		*text; /* name, version, arch, status, source, file, conffiles; NUL after each */
	uint16_t name_len;
	uint16_t version_len;
	uint16_t arch_len;
	uint16_t status_len;
	uint16_t source_len;
	uint16_t file_len; /* in status.d: the file's name */
	uint32_t conffiles_len;
	uint8_t word;       /* enum status_word */
	bool is_multi_arch; /* Multi-Arch: same: its files are named name:arch.EXT */
	uint8_t told;       /* gaps told by an earlier walk: DPKG_TOLD_* */
	bool is_status_d;   /* of a distroless image: has only .md5sums */
};

enum dpkg_part {
	DPKG_NAME,
	DPKG_VERSION,
	DPKG_ARCH,
	DPKG_STATUS,
	DPKG_SOURCE,
	DPKG_FILE,
	DPKG_CONFFILES,
	DPKG_PARTS
};
struct bytes dpkg_package_part(const struct dpkg_package *package, enum dpkg_part part);

/* The files and directories whose change means that the database changed. */
#define DPKG_STAMPS 11

struct dpkg {
	struct package_db db;
	struct package_db_host host;
	const struct package_file_access *access;
	int admin_fd;
	int info_fd;
	int status_d_fd;    /* -1 where there is none */
	bool is_quiet;      /* gaps of this walk are told by another */
	bool is_lock_told;  /* that a lock cannot be asked about */
	bool has_old_names; /* info/format 0: no file is named name:arch.EXT */
	struct arena arena;
	struct path_aliases aliases;
	struct diversions diversions;
	struct exceptions exceptions;
	struct dpkg_package *packages; /* every stanza */
	uint32_t package_count;
	uint32_t package_room;
	uint32_t packages_dropped;       /* beyond a limit */
	struct dpkg_package **sorted;    /* all, in key order */
	struct dpkg_package **installed; /* those with something on disk, in key order */
	uint32_t installed_count;
	uint8_t *buffer; /* DPKG_LINE_MAX, for the one file that is being read */
	struct claim_table claims;
	struct package_file_stamp stamp[DPKG_STAMPS];
};

/*
 * A database that has read nothing yet, or NULL. package_db_close closes its descriptors, which are
 * -1, and frees it.
 */
struct dpkg *dpkg_new(const struct package_db_host *host);

void dpkg_gap(const struct dpkg *dpkg, const char *subject, enum coverage_state state,
	      const char *reason, uint64_t count);

/* Lines of one file; uses dpkg->buffer, so one at a time. */
#define DPKG_FAULTS_MAX 8
struct dpkg_lines {
	struct dpkg *dpkg;
	int fd;
	struct line_reader reader;
	bool over_size;
	char subject[1200]; /* path below the root */
	struct {
		const char *reason;
		uint64_t count;
	} faults[DPKG_FAULTS_MAX];
};

/*
 * Opens dir_fd/name, which `dir` is the path of. False where it cannot be read: told as a gap,
 * but for a missing file that need not be there.
 */
bool dpkg_lines_open(struct dpkg_lines *lines, struct dpkg *dpkg, int dir_fd, const char *dir,
		     const char *name, uint64_t most, bool is_needed);
/* The next line; what is too long is counted as a fault and passed over. */
bool dpkg_lines_next(struct dpkg_lines *lines, struct bytes *line);
void dpkg_lines_fault(struct dpkg_lines *lines, const char *reason);
/* Tells the faults and closes. */
void dpkg_lines_close(struct dpkg_lines *lines);

/*
 * The canonical place of a path as the database spells it: clean, diverted for this package,
 * mapped. Fills in *claim but for md5; both paths are in memory of the two arguments.
 */
struct dpkg_place {
	uint8_t path[PATH_ROOM]; /* clean, then mapped */
	size_t len;
	uint32_t flags;     /* CLAIM_ALIAS, CLAIM_DIVERTED */
	uint32_t diversion; /* 0: none, else 1 + index into diversions */
};
enum path_fault dpkg_place(const struct dpkg *dpkg, struct bytes raw, bool rooted,
			   struct bytes package, struct dpkg_place *place);

/* Loads status, journal and status.d (stanzas.c). */
void dpkg_stanzas_read(struct dpkg *dpkg);
/* Sorts what was read; tells duplicates and names that cannot be. False: no memory. */
bool dpkg_stanzas_sort(struct dpkg *dpkg);

/* The name of a package's file in info/, or in status.d. False where it is too long. */
bool dpkg_file_name(const struct dpkg *dpkg, const struct dpkg_package *package,
		    const char *extension, char *name, size_t room);

/* Opens the package's .list or .md5sums. */
bool dpkg_lines_open_list(struct dpkg_lines *lines, struct dpkg *dpkg,
			  const struct dpkg_package *package);
bool dpkg_lines_open_sums(struct dpkg_lines *lines, struct dpkg *dpkg,
			  const struct dpkg_package *package);
/* One line of .md5sums: digest and path. False where malformed. */
bool dpkg_sums_parse(struct bytes line, uint8_t md5[MD5_SIZE], struct bytes *path);

#endif
