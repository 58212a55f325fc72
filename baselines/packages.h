// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_PACKAGES_H
#define MUSTER_BASELINES_PACKAGES_H

/*
 * The manifests of packages in a baseline, packages/MANAGER/ORIGIN/NAME/VERSION_ARCH.mtree, found
 * and parsed when first asked for and kept until packages_free. Names may come from a host: they
 * are escaped (baselines/file_name.h) before they name anything.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/manifest.h"
#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define PACKAGES_FOLDER "packages"

struct packages;

/* `repository` is borrowed. */
int packages_new(struct repository *repository, struct packages **packages,
		 struct error *err) MUST_CHECK;
void packages_free(struct packages *packages);

/* Every manifest of exactly this build. None found is no error: *count 0. */
int packages_manifests(struct packages *packages, struct bytes manager, struct bytes name,
		       struct bytes version, struct bytes arch, const struct manifest *const **list,
		       size_t *count, struct error *err) MUST_CHECK;
/* Of the versions next to one, that one too, and all origins; until the next call. */
#define PACKAGES_VERSIONS_MAX 16U
#define PACKAGES_BUILDS_MAX 64U
int packages_builds(struct packages *packages, struct bytes manager, struct bytes name,
		    struct bytes version, struct bytes arch, const struct manifest *const **list,
		    size_t *count, struct error *err) MUST_CHECK;
/* Whether a build of the package is known to ship no md5sums. */
int packages_self_summed(struct packages *packages, struct bytes manager, struct bytes name,
			 struct bytes arch, bool *self_summed, struct error *err) MUST_CHECK;
bool packages_know(const struct packages *packages, struct bytes manager, struct bytes name);

/* packages/MANAGER/ORIGIN/NAME/VERSION_ARCH.mtree, or false where a name is empty or too long. */
#define PACKAGES_PATH_MAX 1280
bool packages_path(struct bytes manager, struct bytes origin, struct bytes name,
		   struct bytes version, struct bytes arch, char to[PACKAGES_PATH_MAX]);

#endif
