// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_CALL_H
#define MUSTER_CONTROLLER_CMD_CALL_H

/*
 * What a verb gets: its words, options and settings, where to write, and the ways to open what most
 * verbs need. Lives while the verb runs. A verb returns an exit code, or -1 with *err, which is then
 * printed as `muster: WHERE: WHAT`, followed by the advice given here as `  try: ...` lines.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "baselines/policy.h"
#include "controller/cmd/again.h"
#include "controller/cmd/option.h"
#include "controller/cmd/verb.h"
#include "controller/config/config.h"
#include "controller/inventory/inventory.h"
#include "schema/error.h"

#define CALL_ADVICE_MAX 1024

struct call {
	const struct verb *verb;
	const struct options *options;
	const char *const *words; /* behind the verb */
	size_t word_count;
	struct config *config;
	FILE *out; /* data */
	FILE *log; /* progress and errors */
	bool color;
	bool quiet;
	unsigned verbose;
	char advice[CALL_ADVICE_MAX]; /* lines; empty: none */
	/* Of this call, for commands that are advised (again.h); the report borrows them. */
	char look_options[AGAIN_ROOM];
	char decide_options[AGAIN_ROOM];
	char reach_options[AGAIN_ROOM];
};

/* Adds a line of advice for the case that the verb fails. */
void call_advise(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool call_has(const struct call *call, enum option_id id)
{
	return call->options->value[id] != NULL;
}

/* NULL: not given. */
static inline const char *call_value(const struct call *call, enum option_id id)
{
	return call->options->value[id];
}

/* A number behind an option, or `preset` where it is not given. */
int call_number(const struct call *call, enum option_id id, uint64_t least, uint64_t most,
		uint64_t preset, uint64_t *number, struct error *err) MUST_CHECK;

/* The inventory with the configuration's groups; empty where none is configured. */
int call_inventory(struct call *call, struct inventory **inventory, struct error *err) MUST_CHECK;

/* The hosts that the verb's words from `first` on name. Without words: all of the inventory. */
int call_hosts(struct call *call, struct inventory *inventory, size_t first, struct nodeset **hosts,
	       struct error *err) MUST_CHECK;
/* The hosts of --hosts; *hosts NULL where it is not given. */
int call_hosts_option(struct call *call, struct inventory *inventory, struct nodeset **hosts,
		      struct error *err) MUST_CHECK;

#endif
