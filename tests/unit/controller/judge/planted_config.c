// SPDX-License-Identifier: MIT
/* What the host's database calls configuration, and is none that anybody knows. */
#include "tests/unit/controller/judge/planted.h"

static const struct build_package rootkit = {"rootkit", "6.6", "amd64"};

void plant_obsolete_conffile_in_bin(struct world *w)
{
	side_add(&w->now, build_key(SECTION_CONFIG, build_coreutils),
		 build_file("/usr/bin/evil", 0755, 33));
	side_claim(&w->now, build_coreutils, "/usr/bin/evil", 33, "lco");
}

void plant_obsolete_conffile(struct world *w)
{
	side_add(&w->now, build_key(SECTION_CONFIG, build_coreutils),
		 build_file("/etc/old.conf", 0644, 33));
	side_claim(&w->now, build_coreutils, "/etc/old.conf", 33, "lco");
}

void plant_obsolete_conffile_since_first_sight(struct world *w)
{
	plant_obsolete_conffile(w);
	side_add(&w->first, build_key(SECTION_CONFIG, build_coreutils),
		 build_file("/etc/old.conf", 0644, 33));
	side_claim(&w->first, build_coreutils, "/etc/old.conf", 33, "lco");
}

void plant_obsolete_conffile_at_first_sight(struct world *w)
{
	w->has_first = false;
	plant_obsolete_conffile(w);
}

void plant_obsolete_cron_entry_at_first_sight(struct world *w)
{
	w->has_first = false;
	side_add(&w->now, build_key(SECTION_CONFIG, build_coreutils),
		 build_file("/etc/cron.d/evil", 0644, 33));
	side_claim(&w->now, build_coreutils, "/etc/cron.d/evil", 33, "lco");
}

static void conffile_added(struct world *w, struct build_package package, struct entry entry)
{
	side_add(&w->now, build_key(SECTION_CONFIG, package), entry);
	side_claim(&w->now, package, (const char *)entry.path.data, 33, "lc");
}

void plant_conffile_added_to_local(struct world *w)
{
	conffile_added(w, build_local, build_file("/etc/new.conf", 0644, 33));
}

void plant_conffile_added_at_first_sight(struct world *w)
{
	w->has_first = false;
	plant_conffile_added_to_local(w);
}

void plant_setid_called_conffile(struct world *w)
{
	conffile_added(w, build_local, build_file("/usr/bin/evil", 04755, 33));
}

void plant_setid_called_conffile_at_first_sight(struct world *w)
{
	w->has_first = false;
	plant_setid_called_conffile(w);
}

void plant_setid_called_conffile_of_new_package(struct world *w)
{
	side_package(&w->now, rootkit, "install ok installed");
	conffile_added(w, rootkit, build_file("/usr/bin/evil", 04755, 33));
}

static void residue_on(struct side *side, unsigned seed)
{
	side_package(side, rootkit, "deinstall ok config-files");
	side_add(side, build_key(SECTION_CONFIG, rootkit), build_file("/etc/residue", 0644, seed));
	side_claim(side, rootkit, "/etc/residue", (int)seed, "lc");
}

void plant_residue_added(struct world *w)
{
	residue_on(&w->now, 33);
}

void plant_residue_since_first_sight(struct world *w)
{
	residue_on(&w->now, 33);
	residue_on(&w->first, 33);
}

void plant_residue_edited(struct world *w)
{
	residue_on(&w->now, 34);
	residue_on(&w->first, 33);
}

void plant_residue_grown(struct world *w)
{
	plant_residue_since_first_sight(w);
	conffile_added(w, rootkit, build_file("/usr/bin/evil", 04755, 33));
}

void plant_residue_at_first_sight(struct world *w)
{
	w->has_first = false;
	residue_on(&w->now, 33);
	conffile_added(w, rootkit, build_file("/etc/profile.d/evil.sh", 0644, 35));
}

/* `apt remove` of a package that is in the baseline: what the manifest says of the rest still holds. */
void plant_residue_proved(struct world *w)
{
	w->has_first = false;
	manifest_put(world_manifest(w, rootkit, "Debian"), build_file("/etc/residue", 0644, 33),
		     MANIFEST_CONFIG);
	residue_on(&w->now, 33);
}

void plant_residue_differs_from_manifest(struct world *w)
{
	plant_residue_proved(w);
	*side_find(&w->now, "/etc/residue") = build_file("/etc/residue", 0644, 35);
}

void plant_configuration_without_a_row(struct world *w)
{
	conffile_added(w, rootkit, build_file("/etc/residue", 0644, 33));
}
