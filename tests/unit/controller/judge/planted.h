// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_JUDGE_PLANTED_H
#define TESTS_UNIT_CONTROLLER_JUDGE_PLANTED_H

/* Changes to the standard host, one by one, and what the judge must say of each. */

#include "tests/unit/controller/judge/builder.h"

struct planted {
	const char *name;
	void (*plant)(struct world *w);
	bool captured;
	enum rule rule;
	const char *subject; /* NULL: nothing of low or above */
	enum severity severity;
	const char *letters;
	enum witness witness;
	size_t telling; /* findings of low or above */
};

extern const struct planted planted[];
extern const size_t planted_count;

/* planted_config.c */
void plant_obsolete_conffile_in_bin(struct world *w);
void plant_obsolete_conffile(struct world *w);
void plant_obsolete_conffile_since_first_sight(struct world *w);
void plant_obsolete_conffile_at_first_sight(struct world *w);
void plant_obsolete_cron_entry_at_first_sight(struct world *w);
void plant_conffile_added_to_local(struct world *w);
void plant_conffile_added_at_first_sight(struct world *w);
void plant_setid_called_conffile(struct world *w);
void plant_setid_called_conffile_at_first_sight(struct world *w);
void plant_setid_called_conffile_of_new_package(struct world *w);
void plant_residue_added(struct world *w);
void plant_residue_since_first_sight(struct world *w);
void plant_residue_edited(struct world *w);
void plant_residue_grown(struct world *w);
void plant_residue_at_first_sight(struct world *w);
void plant_residue_proved(struct world *w);
void plant_residue_differs_from_manifest(struct world *w);
void plant_configuration_without_a_row(struct world *w);

/* planted_exceptions.c */
void plant_alternative_in_cron(struct world *w);
void plant_alternative_in_wants(struct world *w);
void plant_alternative_in_local_bin(struct world *w);
void plant_alternative_in_root(struct world *w);
void plant_alternatives_of_packages(struct world *w);
void plant_proved_package(struct world *w);
void plant_override_gone(struct world *w);
void plant_override_undone(struct world *w);
void plant_overrides_of_nothing(struct world *w);
void plant_diversion_of_another_file(struct world *w);
void plant_diversions_of_packages(struct world *w);

/* planted_mounts.c */
void plant_mount_over_bin(struct world *w);
void plant_mount_over_bin_at_first_sight(struct world *w);
void plant_mount_over_file(struct world *w);
void plant_mount_over_process(struct world *w);
void plant_mount_over_root(struct world *w);
void plant_mount_over_run(struct world *w);
void plant_mount_over_dev_at_first_sight(struct world *w);
void plant_mount_of_dev_at_first_sight(struct world *w);
void plant_other_root(struct world *w);
void plant_mount_on_sys(struct world *w);
void plant_mount_data(struct world *w);
void plant_mount_of_container(struct world *w);
void plant_mount_gone(struct world *w);
void plant_mount_options(struct world *w);

#endif
