// SPDX-License-Identifier: MIT
#ifndef TESTS_FUZZ_RPM_MEMORY_H
#define TESTS_FUZZ_RPM_MEMORY_H

/*
 * An rpm database in memory: one fuzz input as its file (and its WAL). Everything that package_db.h
 * offers is walked. A broken promise of the reader aborts.
 */

#include "payloads/rpm/rpmdb.h"

void rpm_memory_walk(const struct rpm_storage_type *type, struct bytes file, struct bytes wal);

#endif
