// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DPKG_EXCEPTIONS_H
#define MUSTER_PAYLOADS_DPKG_EXCEPTIONS_H

/*
 * What redirects or narrows a check on a dpkg host, as records of [exceptions, dpkg]: diversions,
 * statoverrides, path-exclude and path-include of dpkg.cfg, alternatives with where they lead now.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/package_db.h"
#include "schema/record.h"

#define EXCEPTIONS_MAX 20000

struct dpkg;

struct exceptions {
	struct record *table; /* in canonical order after exceptions_read */
	uint32_t count;
	uint32_t room;
	uint32_t dropped;
};

/* Reads all; diversions must have been read. */
void exceptions_read(struct dpkg *dpkg);
/* Its parts, each a kind of file: for tests. */
void exceptions_read_overrides(struct dpkg *dpkg);
void exceptions_read_config(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name);
void exceptions_read_alternative(struct dpkg *dpkg, int dir_fd, const char *dir, const char *name);
void exceptions_clear(struct exceptions *exceptions);

/* False where the visitor ended it. */
bool exceptions_visit(const struct exceptions *exceptions, record_visitor visit, void *context);

/* The order of records' encodings, without encoding them: shorter strings have smaller heads. */
int record_compare(const struct record *a, const struct record *b);

#endif
