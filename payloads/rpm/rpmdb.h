// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_RPM_RPMDB_H
#define MUSTER_PAYLOADS_RPM_RPMDB_H

/*
 * What the parts of the rpm reader share: the open database, of which an index of packages is kept
 * and nothing of their headers. Seen by payloads/rpm only; others use payloads/package_db.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/arena.h"
#include "payloads/claim_table.h"
#include "payloads/package_db.h"
#include "payloads/package_paths.h"
#include "payloads/rpm/header.h"
#include "payloads/rpm/storage.h"

#define RPM_PACKAGES_MAX 50000U
#define RPM_ARENA_MAX (6U << 20)
#define RPM_VALUE_MAX 300U          /* bytes of a name, version or architecture */
#define RPM_DIR_TEXT_MAX (4U << 20) /* directory names of one package */
#define RPM_DIRS_MAX 262144U

struct rpm_package {
	const uint8_t *text; /* name, version, arch, source rpm; NUL after each */
	uint16_t name_len;
	uint16_t version_len;
	uint16_t arch_len;
	uint16_t source_len;
	uint32_t install_s;
	uint32_t install_tid;
	bool is_told; /* its gaps were told by an earlier walk */
	struct rpm_locator locator;
};

enum rpm_part { RPM_NAME, RPM_VERSION, RPM_ARCH, RPM_SOURCE, RPM_PARTS };
struct bytes rpm_package_part(const struct rpm_package *package, enum rpm_part part);

/* Faults of one walk, counted by reason. */
#define RPM_FAULTS_MAX 12
struct rpm_faults {
	struct {
		const char *reason;
		uint64_t count;
	} fault[RPM_FAULTS_MAX];
};
void rpm_fault(struct rpm_faults *faults, const char *reason);

#define RPM_STAMPS 3 /* the database, its WAL, its rollback journal */

struct rpmdb {
	struct package_db db;
	struct package_db_host host;
	const struct package_file_access *access;
	struct rpm_storage storage;
	struct rpm_blob blob; /* of the header that is being read */
	struct rpm_header header;
	char dir[64];     /* below the root */
	char subject[96]; /* the database file's path, for gaps */
	struct arena arena;
	struct path_aliases aliases;
	bool is_lock_told;            /* that a lock cannot be asked about */
	struct rpm_package *packages; /* in key order once opened */
	uint32_t package_count;
	uint32_t package_room;
	struct claim_table claims; /* made by the first walk over claims */
	struct package_file_stamp stamp[RPM_STAMPS];
};

/* Tells what was counted, about the database file. */
void rpm_faults_tell(const struct rpmdb *rpmdb, const struct rpm_faults *faults);

/* Opens the package's header into rpmdb->header. A reason why not, or NULL. */
const char *rpm_package_open(struct rpmdb *rpmdb, const struct rpm_package *package);

/* claims.c: the package's files. */
bool rpm_claims(struct package_db *db, uint32_t index, bool wants_sums, claim_visitor visit,
		void *context);
bool rpm_owned(struct package_db *db, path_visitor visit, void *context);

/* records.c */
bool rpm_records(struct package_db *db, enum section_kind kind, uint32_t index,
		 record_visitor visit, void *context);

/* rpmdb.c, for tests: reads an opened storage; takes it over. False: told as a gap. */
struct rpmdb *rpmdb_new(const struct package_db_host *host);
bool rpmdb_load(struct rpmdb *rpmdb);

#endif
