// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_PACKAGE_LIST_H
#define MUSTER_CONTROLLER_STORE_PACKAGE_LIST_H

/*
 * The set of package builds that a snapshot's keys name, in tables that people can query
 * (v_packages) without decoding a snapshot. Hosts with the same set share one; a set much like
 * another is rows of difference from it.
 */

#include "controller/store/snapshot.h"

/* Inside a transaction: the id of the set of these pairs, made where it was never seen. */
int package_list_put(const struct snapshot_store *s, const struct pairs *pairs, int64_t *id,
		     struct error *err) MUST_CHECK;

#endif
