// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_CONTEXT_H
#define MUSTER_CONTROLLER_JUDGE_CONTEXT_H

/*
 * Private to judge/: what the judging of one host carries from section to section, and the few
 * verbs all its parts use: load a section, ask what is known, add a finding. Lives as long as one
 * judge_host; what must outlast a section's bytes is copied into its arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/arena.h"
#include "baselines/records.h"
#include "controller/judge/compare.h"
#include "controller/judge/judge.h"
#include "controller/judge/package.h"
#include "controller/judge/rpm_verify.h"
#include "controller/judge/trace.h"
#include "schema/record.h"

/* A section's bytes, kept while others are loaded. */
struct buffer {
	uint8_t *data;
	size_t len;
	size_t room;
};

/* A link that an alternative makes, and where it leads. */
struct alternative_link {
	struct bytes path;
	struct bytes target;
};

/* The exceptions of one manager on this host; only known ones explain anything. */
struct exceptions {
	struct redirect_list redirects;
	struct bytes *excludes; /* patterns, known ones */
	size_t exclude_count;
	struct bytes *includes;
	size_t include_count;
	struct alternative_link *links; /* ordered by path */
	size_t link_count;
	struct bytes *overridden; /* paths of statoverrides, known or not, ordered */
	size_t overridden_count;
	bool is_read; /* the host has such a section */
};

/* A directory that packages own, and how far manifests agree with it. */
enum dir_state { DIR_UNSAID = 0, DIR_DIFFERS, DIR_PROVED };
struct dir {
	struct entry entry;
	enum dir_state state;
	struct manifest_entry want; /* where it differs: one expectation */
	uint32_t differences;       /* from that */
	bool is_signed;             /* a vendor's signature says it */
	struct bytes package;
};

/* Something only all sections together can answer: is there an object of this path? */
enum question_kind {
	ASK_ACCEPTED,    /* an accepted object that no tree or config section holds */
	ASK_TREE,        /* likewise of trees/ */
	ASK_VANISHED,    /* an unowned object of the first sight */
	ASK_UNCLAIMED,   /* a manifest's file that the host's .list does not name */
	ASK_ALTERNATIVE, /* the target of an alternative */
	ASK_MOUNT,       /* a mount point: is it a packaged file? */
	ASK_LINK,        /* the target of an unowned link */
	ASK_SOURCE,      /* what compiled Python was made from */
	ASK_CAPABILITY,  /* a file that overrides grant a capability */
	ASK_OVERRIDE,    /* a file that accepted state or overrides give an owner and mode */
	ASK_LEFT,        /* a file of a package that is gone from the database */
};

/* A package that the host's database no longer names. */
struct left {
	struct left *next;
	struct bytes subject;
	struct bytes package;
	enum witness witness;
	size_t asked;
	size_t found; /* files that are still there as they were, and no package's */
	struct bytes first;
};

struct question {
	struct bytes path;
	enum question_kind kind;
	bool found;
	bool in_package; /* found in a package or config section, not in a tree */
	struct entry now;
	struct bytes owner; /* package that has it */
	/* What asked. */
	const struct manifest_entry *want;
	enum witness witness;
	struct bytes package;
	struct bytes line;
	bool known;
	const struct entry *object;
	struct bytecode_case *bytecode;
	struct left *left;
	const struct override *override; /* override_lost.c */
};

struct question_list {
	struct question *item;
	size_t count;
	size_t room;
};

/* Places that a check could not look at whole: absence proves nothing there. */
struct gap_list {
	struct bytes *path; /* ordered by path */
	size_t count;
	bool everywhere;
};

#define OWNERS_ASKED 32

struct judge {
	const struct judge_input *in;
	struct findings *findings;
	struct judge_counts *counts;
	struct arena arena;
	bool captured;      /* the accepted state is whole: first sight is not asked any more */
	bool lost_memory;   /* sticky, told at the end */
	size_t accepted_at; /* where the last search ended: paths mostly ascend */
	bool *accepted_seen;
	bool **tree_seen;
	char *words[2];      /* WORDS_ROOM each */
	char *line;          /* LINE_ROOM */
	bool *root_in_first; /* per policy root: the first sight looked there */
	bool tree_in_first;  /* the tree section at hand is in the first sight */
	struct gap_list package_gaps;
	struct gap_list tree_gaps;
	struct exceptions exceptions;
	struct dir *dirs;                 /* ordered by path; read on first use */
	const struct digest *dirs_digest; /* dirs_section() */
	bool has_dirs;
	bool dirs_malformed;
	bool dirs_failed;
	struct error dirs_error;
	size_t dir_count;
	struct question_list questions;
	struct piles *piles; /* pile.h */
	size_t sources_asked;
	struct left *left;
	size_t left_asked; /* files of packages that are gone */
	struct package_work work;
	struct rpm_names names; /* users and groups of the host; copied */
	struct buffer buffer[9];
	size_t proved_in_packages; /* of counts->files_proved */
	size_t unproved_in_packages;
	size_t listed;  /* sections of packages that the host's list names */
	bool is_traced; /* a unit is being judged that may be kept (unit.h) */
	struct trace trace;
	uint8_t *inputs;              /* of the unit at hand, INPUTS_ROOM (inputs.h) */
	struct expectation *expected; /* of directories */
	size_t expected_count;
	size_t expected_room;
	struct rpm_note *note;
	size_t note_count;
	size_t note_room;
	struct rpm_shared *shared;       /* rpm_shared.h: where there is no cache to hold it */
	bool is_shared_marked;           /* which headers this host has */
	const struct packages *packages; /* those of the manager that is judged */
	struct owner_asked {             /* rpm_asked.c: of the unit at hand */
		enum asked_kind kind;
		struct bytes name;
	} owner_asked[OWNERS_ASKED];
	size_t owner_asked_count;
};

#define BUFFER_DIRS 8 /* of j->buffer: kept for the host's whole judging */
#define WORDS_ROOM ((size_t)96 * 1024)
#define LINE_ROOM ((size_t)64 * 1024)

/* load.c */
/*
 * Bytes of one section in its decoded form, which may be eighty times as large as what came: some
 * 600,000 objects, 800,000 records. No folder and no package has as many.
 */
#define DECODED_MAX ((size_t)128 << 20)
enum decoded { DECODED, MALFORMED, NO_MEMORY, TOO_MANY };
enum decoded entries_decode(struct bytes content, struct entry_list *list);
enum row_order { ROWS_ANY, ROWS_BY_PATH /* the first field, each path once */ };
enum decoded records_decode(struct bytes content, size_t fields, enum row_order order,
			    struct row_list *list);
/* Whether a tree's entries lie below its folder: any other is a malformed section. */
bool entries_fit(const struct entry_list *list, const struct section_key *key);
void entries_clear(struct entry_list *list);
void rows_clear(struct row_list *list);

/* Encodes into `room`, at least SECTION_KEY_MAX. */
struct bytes judge_key(const struct section_key *key, uint8_t *room);

/* Loads and copies. *found false where the observation is NULL or has no such section. */
int judge_load(struct judge *j, const struct observation *from, const struct section_key *key,
	       struct buffer *to, bool *found, struct error *err) MUST_CHECK;
int judge_load_section(struct judge *j, const struct observed_section *section, struct buffer *to,
		       struct error *err) MUST_CHECK;
/* An object the store may have dropped: *found false where it cannot be had. */
int judge_load_digest(struct judge *j, const struct digest *digest, struct buffer *to, bool *found,
		      struct error *err) MUST_CHECK;
/* Loads a section of `now` or an earlier one; a malformed one is told once and counts as absent. */
int judge_entries(struct judge *j, const struct observation *from, const struct section_key *key,
		  struct buffer *buffer, struct entry_list *list, bool *found,
		  struct error *err) MUST_CHECK;
int judge_records(struct judge *j, const struct observation *from, const struct section_key *key,
		  size_t fields, enum row_order order, struct buffer *buffer, struct row_list *list,
		  bool *found, struct error *err) MUST_CHECK;
int judge_broken(struct judge *j, const struct section_key *key, struct error *err) MUST_CHECK;
struct bytes buffer_bytes(const struct buffer *buffer);

/* The one place that knows what an entry points to: all of it copied. *ok only ever goes false. */
struct entry entry_keep(struct arena *arena, const struct entry *from, bool *ok);
/* Copies into the arena; a lack of memory is sticky and told at the end. */
struct bytes judge_keep(struct judge *j, struct bytes from);
struct entry judge_keep_entry(struct judge *j, const struct entry *from);
const struct manifest_entry *judge_keep_want(struct judge *j, const struct manifest_entry *from);
void *judge_alloc(struct judge *j, size_t count, size_t size);

/* known.c: what policy and accepted state know. */
const struct manifest_entry *known_accepted(struct judge *j, struct bytes path);
const struct manifest_entry *known_tree(struct judge *j, struct bytes path, size_t *tree);
/*
 * What a tree wants of this object, in *exact, which borrows of all that is given. Its content is the
 * tree's; owner, mode and ACL, of which a blob knows nothing, are those of the package's `want`, else
 * of the first sight `was` (either may be NULL), else root's alone to write. False: no tree has it.
 */
bool known_by_tree(struct judge *j, const struct entry *now, const struct manifest_entry *want,
		   const struct entry *was, struct manifest_entry *exact);
/* Whether the accepted state, or a tree where that is silent, has exactly this object. */
bool known_as(struct judge *j, const struct entry *now, const struct manifest_entry *want,
	      const struct entry *was);
/* The same where nothing else speaks of the object. */
bool known_content(struct judge *j, const struct entry *now);
bool known_record(struct judge *j, const char *kind, const struct record *record, size_t from);
bool known_accepted_record(struct judge *j, const char *kind, const struct record *record,
			   size_t from);
bool known_line(struct judge *j, struct bytes line);
bool known_absent(struct judge *j, struct bytes path);
/* Takes out what a known statoverride or capability explains. */
uint32_t known_explains(struct judge *j, const struct entry *now, uint32_t differences);
/* Accepted `package M N V A digest` lines. */
enum package_line { PACKAGE_UNKNOWN, PACKAGE_OTHER, PACKAGE_ACCEPTED };
/* With PACKAGE_OTHER, *accepted is one content that was accepted for this build. */
enum package_line known_package(struct judge *j, const struct section_key *key,
				const struct digest *now, struct digest *accepted);
/* What a trigger may write as it likes: never a program, wherever it lies. */
bool known_generated(const struct judge *j, const struct entry *entry);
bool known_excluded(const struct judge *j, struct bytes path);
bool known_ordinary(const struct judge *j, const char *kind, struct bytes text);
/* The same of a path, component by component: `unowned` and `folder`. */
bool known_path(const struct judge *j, const char *kind, struct bytes path);
/* Index of the first accepted line that is not below `line`. */
size_t known_lines_from(const struct judge *j, struct bytes line);

/* emit.c */
struct change {
	enum rule rule;
	enum witness witness;
	uint32_t differences; /* enum difference */
	bool config;
	bool has_severity; /* else by rule, path and object */
	enum severity severity;
	struct bytes path; /* the subject */
	struct bytes package;
	const struct manifest_entry *was; /* for old_value, or was_entry, or old_line */
	const struct entry *was_entry;
	struct bytes old_line;
	const struct entry *now; /* for new_value, or new_line */
	struct bytes new_line;
	const char *detail; /* escaped */
};
int judge_emit(struct judge *j, const struct change *change, struct error *err) MUST_CHECK;
enum severity judge_severity(const struct judge *j, const struct change *change);
/* Whether a finding says already that a packaged file, or a folder of packages, is not as it was. */
bool judge_is_told(const struct judge *j, struct bytes path);
/* The words of an entry as findings carry them; lives until the next call with the same slot. */
struct bytes judge_words(struct judge *j, unsigned slot, const struct manifest_entry *entry);

/* The parts, in the order in which judge_host calls them. */
int judge_coverage(struct judge *j, struct error *err) MUST_CHECK;
int judge_packages(struct judge *j, struct bytes manager, struct error *err) MUST_CHECK;
int judge_dirs_end(struct judge *j, struct error *err) MUST_CHECK;
int judge_trees(struct judge *j, struct error *err) MUST_CHECK;
int judge_volatiles(struct judge *j, struct error *err) MUST_CHECK;
int judge_setids(struct judge *j, struct error *err) MUST_CHECK;
int judge_flags(struct judge *j, struct error *err) MUST_CHECK;
int judge_mounts(struct judge *j, struct error *err) MUST_CHECK;
int judge_questions(struct judge *j, struct error *err) MUST_CHECK;
int judge_first_sight(struct judge *j, struct error *err) MUST_CHECK;

/* judged.c: what was counted and told since `before`, as one package's. */
struct judged_mark {
	struct judge_counts counts;
	size_t findings;
};
struct judged_mark judged_mark(const struct judge *j);
void judged_package_end(struct judge *j, const struct section_key *key,
			const struct judged_mark *before);
/* Files outside of packages, at the end. */
void judged_rest(struct judge *j);

/* dirs.c */
/* Held against [dirs] in judge_dirs_end: any manifest that agrees is enough. */
void dirs_expect(struct judge *j, const struct expectation *expected);
const struct dir *dirs_find(struct judge *j, struct bytes path);
/* Whatever it is like. */
bool dirs_has(struct judge *j, struct bytes path);
/* The section that both are asked of; NULL: none. */
const struct digest *dirs_section(const struct judge *j);
/* /bin/x as /usr/bin/x, where this host has merged the two. */
struct bytes dirs_canonical(struct judge *j, struct bytes path);

/* exceptions.c: a link that is just what a known or judged alternative says. */
bool exceptions_make(struct judge *j, const struct entry *entry);
/* Whether the host's dpkg overrides owner and mode of this path, known or not. */
bool exceptions_override(const struct judge *j, struct bytes path);

/* question.c: NULL for lack of memory (told at the end). */
struct question *judge_ask(struct judge *j, enum question_kind kind, struct bytes path);

/* removed.c: asks whether the files of a package that is gone lie there still. */
int judge_ask_left(struct judge *j, const struct section_key *key, struct bytes subject,
		   struct bytes package, enum witness witness, struct error *err) MUST_CHECK;
void judge_note_left(const struct question *question);
int judge_tell_left(struct judge *j, struct error *err) MUST_CHECK;

/* capability_lost.c: asks for files that overrides grant a capability, and tells those without. */
void judge_ask_capabilities(struct judge *j);
int judge_tell_capability(struct judge *j, const struct question *question,
			  struct error *err) MUST_CHECK;

/* override_lost.c: the same of owner and mode, by statoverrides of accepted state and overrides. */
void judge_ask_overrides(struct judge *j);
int judge_tell_override(struct judge *j, const struct question *question,
			struct error *err) MUST_CHECK;

/* coverage.c */
bool gap_covers(const struct gap_list *gaps, struct bytes path);

/* Whether earlier state of this host may be asked. */
static inline const struct observation *judge_first(const struct judge *j)
{
	return j->captured ? NULL : j->in->first;
}

#endif
