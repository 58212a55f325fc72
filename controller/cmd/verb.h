// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_VERB_H
#define MUSTER_CONTROLLER_CMD_VERB_H

/*
 * The one table of verbs, from which dispatch, help, completion lists and the manual page come. Each
 * verb is one function in one file of this folder.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/cmd/option.h"
#include "schema/error.h"

/* What a run ends with, worst first: FATAL, FINDINGS, INCOMPLETE, CLEAN. */
enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_FINDINGS = 1,
	EXIT_FATAL = 2,
	EXIT_INCOMPLETE = 3,
	EXIT_INTERRUPTED = 130,
};

struct call;

struct verb_example {
	const char *command;
	const char *meaning;
};

#define VERB_EXAMPLES_MAX 5

struct verb {
	const char *name;      /* "check", "baseline import" */
	const char *arguments; /* "HOST...", or "" */
	const char *summary;   /* one line */
	const char *text;      /* paragraphs, an empty line between */
	struct verb_example example[VERB_EXAMPLES_MAX];
	uint64_t options;   /* OPTION_BITs beside those that every verb has */
	size_t least, most; /* words behind the verb */
	/* An exit code, or -1 with *err. */
	int (*run)(struct call *call, struct error *err);
};

/* Options that every verb takes. */
#define VERB_ALWAYS                                                                             \
	(OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_COLOR) | OPTION_BIT(OPTION_QUIET) |      \
	 OPTION_BIT(OPTION_VERBOSE) | OPTION_BIT(OPTION_HELP_SHORT) | OPTION_BIT(OPTION_HELP) | \
	 OPTION_BIT(OPTION_VERSION))

/* NULL behind the last. */
const struct verb *verb_at(size_t index);

/*
 * The verb that the words begin with, and how many of them it takes. CONFIG error where none is one,
 * with the nearest right word.
 */
int verb_find(const char *const *words, size_t count, const struct verb **verb, size_t *used,
	      struct error *err) MUST_CHECK;

int verb_init(struct call *call, struct error *err);
int verb_check(struct call *call, struct error *err);
int verb_sweep(struct call *call, struct error *err);
int verb_status(struct call *call, struct error *err);
int verb_show(struct call *call, struct error *err);
int verb_diff(struct call *call, struct error *err);
int verb_timeline(struct call *call, struct error *err);
int verb_accept(struct call *call, struct error *err);
int verb_ack(struct call *call, struct error *err);
int verb_baseline_import(struct call *call, struct error *err);
int verb_baseline_capture(struct call *call, struct error *err);
int verb_baseline_learn(struct call *call, struct error *err);
int verb_baseline_list(struct call *call, struct error *err);
int verb_baseline_fetch(struct call *call, struct error *err);
int verb_baseline_verify(struct call *call, struct error *err);
int verb_hosts(struct call *call, struct error *err);
int verb_hosts_forget(struct call *call, struct error *err);
int verb_hosts_keys(struct call *call, struct error *err);
int verb_doctor(struct call *call, struct error *err);
int verb_sudoers(struct call *call, struct error *err);
int verb_prune(struct call *call, struct error *err);
int verb_version(struct call *call, struct error *err);

#endif
