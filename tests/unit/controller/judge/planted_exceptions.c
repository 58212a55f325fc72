// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/planted.h"

#include "schema/record.h"

static struct section_key exceptions_key(void)
{
	return build_dir_key(SECTION_EXCEPTIONS, "dpkg");
}

/* A link of an alternative, in a folder that the standard host does not have. */
static void plant_alternative(struct world *w, const char *const *fields, const char *folder,
			      const char *middle)
{
	side_record(&w->now, exceptions_key(), fields);
	side_add(&w->now, build_dir_key(SECTION_TREE, "/etc/alternatives"),
		 build_link(middle, fields[ALTERNATIVE_TARGET]));
	side_add(&w->now, build_dir_key(SECTION_TREE, folder),
		 build_link(fields[ALTERNATIVE_LINK], middle));
}

void plant_alternative_in_cron(struct world *w)
{
	static const char *const fields[] = {"alternative", "x",           "/etc/cron.daily/x",
					     "auto",        "/usr/bin/ls", NULL};

	plant_alternative(w, fields, "/etc/cron.daily", "/etc/alternatives/x");
}

void plant_alternative_in_wants(struct world *w)
{
	static const char *const fields[] = {
		"alternative-slave",
		"x.service",
		"/etc/systemd/system/multi-user.target.wants/x.service",
		"auto",
		"/usr/share/coreutils/data",
		NULL};

	plant_alternative(w, fields, "/etc/systemd/system/multi-user.target.wants",
			  "/etc/alternatives/x.service");
}

void plant_alternative_in_local_bin(struct world *w)
{
	static const char *const fields[] = {"alternative", "ps",          "/usr/local/bin/ps",
					     "auto",        "/usr/bin/ls", NULL};

	side_record(&w->now, exceptions_key(), fields);
	side_add(&w->now, build_dir_key(SECTION_TREE, "/etc/alternatives"),
		 build_link("/etc/alternatives/ps", "/usr/bin/ls"));
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/local/bin"),
		 build_link("/usr/local/bin/ps", "/etc/alternatives/ps"));
}

void plant_alternative_in_root(struct world *w)
{
	static const char *const fields[] = {"alternative", "x",           "/root/x",
					     "manual",      "/usr/bin/ls", NULL};

	plant_alternative(w, fields, "/root", "/etc/alternatives/x");
}

/* As those of mariadb, blas and ksh. */
void plant_alternatives_of_packages(struct world *w)
{
	static const char *const config[] = {
		"alternative", "my.cnf", "/etc/mysql/my.cnf", "auto", "/usr/share/coreutils/data",
		NULL};
	static const char *const library[] = {"alternative",
					      "libblas.so.3",
					      "/usr/lib/x86_64-linux-gnu/libblas.so.3",
					      "auto",
					      "/usr/lib/x86_64-linux-gnu/libc.so.6",
					      NULL};
	static const char *const shell[] = {"alternative", "ksh",         "/bin/ksh",
					    "auto",        "/usr/bin/ls", NULL};

	side_record(&w->now, exceptions_key(), config);
	side_record(&w->now, exceptions_key(), library);
	side_record(&w->now, exceptions_key(), shell);
}
