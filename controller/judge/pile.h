// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_PILE_H
#define MUSTER_CONTROLLER_JUDGE_PILE_H

/*
 * What no package owns, laid together so that people can read it: everything below the topmost
 * folder that no package owns, or below a language's own package tree, is one pile; single files in
 * a folder that a package owns are one pile a folder. A pile with little to say says it file by
 * file; one with much becomes one finding with a digest. What tells by itself (set-id, devices,
 * hidden programs, what decides who gets in) is never laid on a pile.
 */

#include <stdbool.h>
#include <stddef.h>

#include "controller/judge/context.h"
#include "controller/judge/pile_value.h"

/* Hears of a directory that no package owns, its parents before it. */
void pile_folder(struct judge *j, struct bytes path);
/* The folder that the object's pile is named by. */
struct bytes pile_root(struct judge *j, struct bytes path, bool *deep);

/* First sight of what nothing explains; `rule` is what it breaks by itself or RULE_UNOWNED_PRESENT. */
int pile_present(struct judge *j, const struct entry *now, enum rule rule,
		 struct error *err) MUST_CHECK;
/* A difference, which may be laid on a pile. The detail must be static. */
int pile_change(struct judge *j, const struct change *change, struct error *err) MUST_CHECK;
/* Compiled Python that its head condemns. */
int pile_bytecode(struct judge *j, const struct change *change, struct error *err) MUST_CHECK;

/* Tells what was gathered. */
int pile_end(struct judge *j, struct error *err) MUST_CHECK;

enum pile_heap {
	HEAP_CHANGED,
	HEAP_CHANGED_PROGRAM,
	HEAP_PRESENT,
	HEAP_PRESENT_PROGRAM,
	HEAP_BYTECODE,
	HEAPS
};

/* What a pile has of one sort. */
struct heap {
	size_t count;
	size_t appeared;
	size_t vanished;
	enum severity worst;
	struct change *kept; /* the first ones, as many as are told one by one */
	char *names;         /* of the first ones, below the root, escaped; NAMES_ROOM */
	size_t names_len;
	size_t named;
	bool names_full;
};

/* Of one part of a pile, as it is now. */
struct pile_content {
	size_t files;
	uint64_t bytes;
	void *hash; /* EVP_MD_CTX */
	struct digest digest;
};

struct pile {
	struct bytes root;
	bool deep;     /* all below the root; else only what stands in it */
	bool is_shown; /* some heap is too high to be told one by one */
	uint32_t kinds;
	struct heap heap[HEAPS];
	struct pile_content content[PART_TELLING];
};

struct piles {
	struct bytes *folder; /* topmost unowned ones, ordered by path */
	size_t folder_count;
	size_t folder_room;
	struct pile **item; /* ordered by root, shallow before deep */
	size_t count;
	size_t room;
	size_t last; /* the newest folder: what comes next is mostly below it */
};

extern const size_t heap_limits[HEAPS];
/* The pile of this root, or NULL. */
struct pile *pile_find(const struct piles *piles, struct bytes root, bool deep);

#endif
