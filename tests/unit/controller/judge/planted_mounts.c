// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/planted.h"

#include "schema/record.h"

static struct section_key plain_key(enum section_kind kind)
{
	return build_dir_key(kind, "");
}

static void mount(struct world *w, const char *point, const char *type)
{
	const char *const fields[] = {point, type, type, "/", "relatime", "entered", NULL};

	side_record(&w->now, plain_key(SECTION_MOUNTS), fields);
}

void plant_mount_over_bin(struct world *w)
{
	mount(w, "/usr/local/bin", "tmpfs");
}

void plant_mount_over_bin_at_first_sight(struct world *w)
{
	w->has_first = false;
	mount(w, "/usr/local/bin", "tmpfs");
}

void plant_mount_over_file(struct world *w)
{
	/* Not below a path of a system class. */
	side_add(&w->now, build_key(SECTION_PACKAGE, build_local),
		 build_file("/srv/local/file", 0644, 40));
	side_add(&w->first, build_key(SECTION_PACKAGE, build_local),
		 build_file("/srv/local/file", 0644, 40));
	side_claim(&w->now, build_local, "/srv/local/file", 40, "lm");
	side_claim(&w->first, build_local, "/srv/local/file", 40, "lm");
	mount(w, "/srv/local/file", "tmpfs");
}

void plant_mount_over_process(struct world *w)
{
	mount(w, "/proc/1234", "tmpfs");
}

void plant_mount_over_root(struct world *w)
{
	mount(w, "/", "overlay");
}

void plant_mount_over_run(struct world *w)
{
	mount(w, "/run", "tmpfs");
	w->first = w->now;
	mount(w, "/run", "xfs");
}

void plant_mount_over_dev_at_first_sight(struct world *w)
{
	w->has_first = false;
	mount(w, "/dev", "devtmpfs");
	mount(w, "/dev", "tmpfs");
}

void plant_mount_of_dev_at_first_sight(struct world *w)
{
	w->has_first = false;
	mount(w, "/dev", "devtmpfs");
}

void plant_other_root(struct world *w)
{
	side_remove_record(&w->now, SECTION_MOUNTS, "/");
	mount(w, "/", "ext4");
}

void plant_mount_on_sys(struct world *w)
{
	mount(w, "/sys", "tmpfs");
}

void plant_mount_data(struct world *w)
{
	mount(w, "/srv/data", "xfs");
}

void plant_mount_of_container(struct world *w)
{
	mount(w, "/var/lib/docker/overlay2/abc/merged", "overlay");
}

void plant_mount_gone(struct world *w)
{
	static const char *const fields[] = {"/srv", "xfs", "/dev/sdb", "/", "", "entered", NULL};

	side_record(&w->first, plain_key(SECTION_MOUNTS), fields);
}

void plant_mount_options(struct world *w)
{
	static const char *const noexec[] = {"/srv",   "xfs",     "/dev/sdb", "/",
					     "noexec", "entered", NULL};
	static const char *const exec[] = {"/srv", "xfs", "/dev/sdb", "/", "rw", "entered", NULL};

	side_record(&w->first, plain_key(SECTION_MOUNTS), noexec);
	side_record(&w->now, plain_key(SECTION_MOUNTS), exec);
}
