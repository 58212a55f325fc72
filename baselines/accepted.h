// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_ACCEPTED_H
#define MUSTER_BASELINES_ACCEPTED_H

/*
 * The accepted state of a host: hosts/NAME.{mtree,records} over groups/NAME.{mtree,records} of its
 * groups, a later group over an earlier one. An entry of a higher layer replaces that of a lower
 * one; `absent PATH` of a higher layer takes a lower layer's entry away, and the other way round.
 * Groups are read once; what is made for a host lives until the next host.
 */

#include <stddef.h>

#include "baselines/manifest.h"
#include "baselines/records.h"
#include "baselines/repository.h"
#include "schema/error.h"

#define ACCEPTED_HOSTS "hosts"
#define ACCEPTED_GROUPS "groups"

struct accepted;

/* `repository` is borrowed. */
int accepted_new(struct repository *repository, struct accepted **accepted,
		 struct error *err) MUST_CHECK;
void accepted_free(struct accepted *accepted);

/* Both NULL where neither host nor groups have anything, else neither. */
int accepted_of_host(struct accepted *accepted, const char *host, const char *const *groups,
		     size_t group_count, const struct manifest **manifest,
		     const struct record_list **records, struct error *err) MUST_CHECK;

/* One layer's two files; NULL where absent. For edit.c and verify.c too. */
struct accepted_layer {
	struct manifest *manifest;
	struct record_list *records;
};
int accepted_layer_read(struct repository *repository, const char *folder, const char *name,
			struct accepted_layer *layer, struct error *err) MUST_CHECK;
void accepted_layer_clear(struct accepted_layer *layer);

/* "FOLDER/NAME.SUFFIX", or false where the name is empty or too long. */
#define ACCEPTED_PATH_MAX 320
bool accepted_path(const char *folder, const char *name, const char *suffix,
		   char to[ACCEPTED_PATH_MAX]);

#endif
