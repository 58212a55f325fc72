// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_PACKAGES_H
#define MUSTER_CONTROLLER_JUDGE_PACKAGES_H

/*
 * Private to judge/: one package of one host, between packages.c (which packages, which versions)
 * and package_files.c (their files).
 */

#include "controller/judge/context.h"
#include "controller/judge/rpm_claims.h"

/* A package as an observation's database names it. */
struct installed {
	struct bytes name;
	struct bytes arch;
	struct bytes version;
};

struct installed_list {
	const struct installed *item; /* ordered by name, arch, version */
	size_t count;
	bool known;         /* the observation has such a list */
	bool has_odd_state; /* one that judge_state looks at */
};

struct packages {
	struct bytes manager;
	struct installed_list now;
	struct installed_list first;
	struct installed_list last;
	struct installed_list accepted; /* from records */
	const struct finding **down;    /* open downgrades, ordered by subject and package */
	size_t down_count;
	struct entry_list files;
	struct entry_list config;
	struct entry_list was;
	struct entry_list config_was;
	struct row_list claims;
	struct rpm_claims rpm_claims; /* of the package that is judged, where rpm manages it */
	struct row_list measured;
	struct row_list rows;
};

struct one_package {
	struct section_key key;                 /* of kind SECTION_PACKAGE */
	const struct observed_section *section; /* NULL: it has no files, or was not read */
	const struct manifest *const *candidates;
	size_t candidate_count;
	struct bytes text;    /* name version: of findings */
	struct bytes subject; /* name:arch */
	enum package_line accepted;
	struct digest accepted_digest;
	bool has_claims;
	bool was_seen; /* the first sight has it, in whatever version */
	bool is_left;  /* removed and not purged, or named nowhere: nothing but configuration */
	bool self_md5; /* its md5sums are dpkg's own, computed at unpacking */
	const struct digest *header;   /* its section; NULL: it has none */
	const struct rpm_proof *proof; /* of its header; NULL: none */
	struct rpm_facts rpm;          /* rpm.header is that of the proof */
	bool is_signed;                /* the candidate is what a vendor signed */
	const struct manifest *signed_candidate[1];
	bool has_was; /* package_masked.c: first sight of the build is loaded */
};

/* installed.c */
/* By name, architecture, version. */
int installed_compare(const void *left, const void *right);
/* Range of one name and architecture, any version. */
size_t installed_find(const struct installed_list *list, struct bytes name, struct bytes arch,
		      size_t *count);
/* Just this build. */
bool installed_has(const struct installed_list *list, const struct one_package *one);
/* Whether the host has prelink, of whatever version. */
bool package_has_prelink(const struct packages *p);
/* A word of dpkg's state: want, flag, state. */
struct bytes installed_state_word(struct bytes state, unsigned index);
/* What something is to be said about: neither installed nor gone, or with a flaw. */
bool installed_is_odd(struct bytes state);
/* The rows of [packages]; in a buffer that the next call uses again. */
int installed_rows(struct judge *j, const struct observation *from, struct bytes manager,
		   struct row_list *rows, bool *found, struct error *err) MUST_CHECK;
int installed_load(struct judge *j, const struct observation *from, struct packages *p,
		   struct installed_list *list, struct error *err) MUST_CHECK;
/* Accepted lines "package M N V A digest". */
void installed_accepted(struct judge *j, struct packages *p);

/* package_version.c */
/* The content of a package that has no files. */
extern const struct digest package_nothing;
struct bytes package_join(struct judge *j, struct bytes a, char between, struct bytes b);
/* "package M N V A digest" in j->words[slot]. Without a digest: what was. */
struct bytes package_line(struct judge *j, unsigned slot, const struct one_package *one,
			  struct bytes version, const struct digest *digest);
/* Downgrades that are still open. */
void package_list_down(struct judge *j, struct packages *p);
/* Is this build new on the host, and by whose word? */
int package_judge_version(struct judge *j, struct packages *p, const struct one_package *one,
			  struct error *err) MUST_CHECK;

/* The accepted content differs and is not at hand: at least that is said. */
int package_not_accepted(struct judge *j, const struct one_package *one,
			 struct error *err) MUST_CHECK;

/* A finding of the package as a whole; accepting it records the build as it lies there. */
int package_tell(struct judge *j, const struct one_package *one, enum rule rule,
		 enum severity severity, const char *detail, struct error *err) MUST_CHECK;

/* builds.c: files of another build among its own. */
int builds_mixed(struct judge *j, const struct one_package *one,
		 const struct package_verdict *verdict, struct error *err) MUST_CHECK;
/* Of a package without manifest: sets one->self_md5, and tells it. */
int builds_self_md5(struct judge *j, struct one_package *one, struct error *err) MUST_CHECK;

int package_files(struct judge *j, struct packages *p, struct one_package *one,
		  struct error *err) MUST_CHECK;

/* package_masked.c: what is known of content that the header leaves open. Borrows from `p`. */
struct masked {
	const struct manifest_entry *accepted; /* or of a tree; else: */
	const struct entry *was;               /* first sight of the same build; NULL: none */
	uint32_t differences;                  /* of the content, from whichever it is */
	bool is_proved;
	struct manifest_entry exact; /* private */
};
int package_masked(struct judge *j, struct packages *p, struct one_package *one,
		   const struct package_item *item, struct masked *masked,
		   struct error *err) MUST_CHECK;

/* Of a file that is right in all else. */
int package_tell_masked(struct judge *j, const struct one_package *one,
			const struct package_item *item, const struct masked *masked,
			struct error *err) MUST_CHECK;

/* What is left of a package that is removed: its configuration. */
int package_left(struct judge *j, struct packages *p, struct one_package *one,
		 struct error *err) MUST_CHECK;

/* "package M N V A digest": what accepting the build as it stands writes. */
struct bytes package_accept_line(struct judge *j, const struct one_package *one);

/* The names of a [host] section; once a host. */
int rpm_names_load(struct judge *j, struct error *err) MUST_CHECK;
/* package_rpm.c: what its header proves; the candidates of a signed package. Tells what is wrong. */
int rpm_prove(struct judge *j, struct packages *p, struct one_package *one,
	      struct error *err) MUST_CHECK;
/* What the host's database adds to the header: entries that override it, states that hide. */
int rpm_tell_claims(struct judge *j, struct packages *p, const struct one_package *one,
		    struct error *err) MUST_CHECK;
/* rpm_weak.c: notes a signed package whose digests are not SHA-256. */
void rpm_note_weak(struct judge *j, const struct one_package *one);
/* Once all are judged. */
int rpm_tell_weak(struct judge *j, struct error *err) MUST_CHECK;
int rpm_tell_keys(struct judge *j, struct error *err) MUST_CHECK;
/*
 * rpm_shared.c: what another proved package of the host says of the path: takes out of `differences` what that
 * explains. All of it where the object is just what the other one has, and is of the same name or says
 * what the signed entry `mine` leaves open (NULL: all). A package of another name that has just this
 * object and explains nothing is put into *like (which may be NULL).
 */
int rpm_shared_explains(struct judge *j, struct packages *p, const struct one_package *one,
			const struct entry *now, const struct manifest_entry *mine,
			uint32_t *differences, const struct rpm_proof **like,
			struct error *err) MUST_CHECK;
/* Whether a state that leaves a file out may be believed where the file is not there. */
bool rpm_state_excuses(const struct one_package *one, const struct rpm_claims *claims,
		       const struct manifest_entry *want);
int judge_rpm_version_compare(struct bytes a, struct bytes b);

/* exceptions.c: reads what narrows checks, before any file is judged by it. */
int judge_exceptions(struct judge *j, const struct packages *p, struct error *err) MUST_CHECK;

#endif
