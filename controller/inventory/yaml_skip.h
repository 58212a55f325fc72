// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_YAML_SKIP_H
#define MUSTER_CONTROLLER_INVENTORY_YAML_SKIP_H

/*
 * Reading what other programs wrote, where most of it is none of ours: values are passed over whatever
 * they are, and kinds are asked for. JSON is read as the YAML that it is, so that faults have a place.
 */

#include "baselines/yaml.h"
#include "schema/error.h"

/* Passes over the next value, with all that is in it. */
int yaml_skip(struct yaml_reader *reader, struct error *err) MUST_CHECK;

/* The next value's text (free) where it is a scalar; NULL, and passed over, where it is not. */
int yaml_scalar_or_skip(struct yaml_reader *reader, char **text, struct error *err) MUST_CHECK;

#endif
