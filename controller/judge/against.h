// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_AGAINST_H
#define MUSTER_CONTROLLER_JUDGE_AGAINST_H

/*
 * Private to judge/: one package's files held against one thing, and how a difference becomes a
 * finding. Which thing that is lies with package_files.c (manifest, signed header),
 * package_history.c (what the package was) and package_config.c (configuration). Lives for one
 * package; borrows all it names.
 */

#include "controller/judge/packages.h"

#define MODE_SETID 06000U

/* What one package's files are held against, and what findings say of it. */
struct against {
	struct judge *j;
	struct packages *p;
	struct one_package *one;
	enum witness witness;
	const char *detail;
	bool self_md5; /* the manifest's package ships no md5sums */
};

struct change against_begin(const struct against *a, enum rule rule, struct bytes path);
void against_count(const struct against *a, const struct entry *entry, bool proved);
uint32_t against_compare(const struct against *a, const struct entry *now,
			 const struct manifest_entry *want);

/* The flag is told apart from what else differs: it is there to defend that. */
int against_tell_flags(struct change change, struct error *err, const struct against *a) MUST_CHECK;
/* *proved where nothing is left to tell. */
int against_tell_file(const struct against *a, struct change change, bool *proved,
		      struct error *err) MUST_CHECK;
/* The host gives a path to the package that the package does not have. */
int against_tell_extra(const struct against *a, const struct entry *now,
		       struct error *err) MUST_CHECK;
int against_tell_missing(const struct against *a, const struct manifest_entry *want, bool config,
			 bool claimed, struct error *err) MUST_CHECK;
/* Two witnesses of a file's MD5 that disagree. The line is what accepting it records. */
int against_tell_md5(const struct against *a, struct bytes path, const uint8_t *was,
		     struct bytes claimed, struct error *err) MUST_CHECK;

/* package_config.c: accepted state, then trees, then the manifest, then first sight. */
int package_config_tell(const struct against *a, const struct entry *now,
			const struct manifest_entry *want, struct error *err) MUST_CHECK;
int package_config_by_history(struct judge *j, struct packages *p, struct one_package *one,
			      struct error *err) MUST_CHECK;

/* package_history.c */
int package_by_history(struct judge *j, struct packages *p, struct one_package *one,
		       struct error *err) MUST_CHECK;
bool package_same_section(const struct observation *a, const struct observation *b,
			  const struct section_key *of, enum section_kind kind);
/* What was measured stays true while the files are the same. */
int package_load_measured(struct judge *j, struct packages *p, const struct one_package *one,
			  struct error *err) MUST_CHECK;

#endif
