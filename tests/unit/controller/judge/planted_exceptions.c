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

static void divert(struct world *w, const char *from, const char *to, const char *by)
{
	const char *const fields[] = {"diversion", from, to, by, NULL};

	side_record(&w->now, exceptions_key(), fields);
}

/* The policy's rows for real diversions are for these alone. */
void plant_diversion_of_another_file(struct world *w)
{
	divert(w, "/usr/share/coreutils/data", "/usr/share/coreutils/data.wrapper", "linux-perf");
	side_find(&w->now, "/usr/share/coreutils/data")->path =
		BYTES_LITERAL("/usr/share/coreutils/data.wrapper");
}

void plant_diversions_of_packages(struct world *w)
{
	divert(w, "/usr/bin/perf", "/usr/bin/perf.wrapper", "linux-perf");
	divert(w, "/usr/share/bash-completion/completions/perf",
	       "/usr/share/bash-completion/completions/perf.wrapper", "linux-perf");
	divert(w, "/usr/share/man/man1/perf.1.gz", "/usr/share/man/man1/perf.wrapper.1.gz",
	       "linux-perf");
	divert(w, "/usr/share/vim/vim90/doc/help.txt", "/usr/share/vim/vim90/doc/help.txt.vim-tiny",
	       "vim-runtime");
	divert(w, "/usr/share/vim/vim90/doc/tags", "/usr/share/vim/vim90/doc/tags.vim-tiny",
	       "vim-runtime");
	divert(w, "/usr/share/dict/words", "/usr/share/dict/words.pre-dictionaries-common",
	       "dictionaries-common");
}

static const char *const nobodys_su[] = {"statoverride", "/usr/bin/su", "adm",
					 "root",         "0750",        NULL};
#define ACCEPTED_SU "statoverride /usr/bin/su adm root 750"

/* An administrator let only some use su: now everybody may again, as the package ships it. */
void plant_override_gone(struct world *w)
{
	side_record(&w->first, exceptions_key(), nobodys_su);
	w->records[w->record_count++] = ACCEPTED_SU;
}

void plant_override_undone(struct world *w)
{
	side_record(&w->now, exceptions_key(), nobodys_su);
	w->records[w->record_count++] = ACCEPTED_SU;
}

void plant_overrides_of_nothing(struct world *w)
{
	w->records[w->record_count++] = "statoverride /usr/bin/absent root adm 750";
	w->records[w->record_count++] = "statoverride /usr/local/bin/notes root adm 750";
	/* Of several lines any will do, and an id is as good as its name. */
	side_record(&w->now, exceptions_key(), nobodys_su);
	side_find(&w->now, "/usr/bin/su")->owner = BYTES_LITERAL("adm");
	side_find(&w->now, "/usr/bin/su")->mode = 0750;
	w->records[w->record_count++] = ACCEPTED_SU;
	w->records[w->record_count++] = "statoverride /usr/bin/su root root 700";
}

/* Whoever is root may install a signed package that nobody wants here. */
void plant_proved_package(struct world *w)
{
	static const struct build_package fresh = {"fresh", "1.0", "amd64"};
	struct build_manifest *manifest = world_manifest(w, fresh, "Debian");

	manifest_put(manifest, build_file("/usr/bin/fresh", 0755, 36), 0);
	side_package(&w->now, fresh, "install ok installed");
	side_add(&w->now, build_key(SECTION_PACKAGE, fresh),
		 build_file("/usr/bin/fresh", 0755, 36));
	side_claim(&w->now, fresh, "/usr/bin/fresh", 36, "lm");
}
