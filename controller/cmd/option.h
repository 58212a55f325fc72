// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_OPTION_H
#define MUSTER_CONTROLLER_CMD_OPTION_H

/*
 * The one table of options, from which parsing, help, completion lists and the manual page come, and
 * the parser of a command line by it. No option has another meaning for another verb. Options and
 * words may be mixed; `--` ends options; long names are never abbreviated.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/config/config.h"
#include "schema/error.h"

/* In the order in which help shows them. */
enum option_id {
	OPTION_CONFIG,
	OPTION_INVENTORY,
	OPTION_BASELINE,
	OPTION_DB,
	OPTION_USER,
	OPTION_PORT,
	OPTION_IDENTITY,
	OPTION_KNOWN_HOSTS,
	OPTION_SSH_CONFIG,
	OPTION_TRANSPORT,
	OPTION_BECOME,
	OPTION_PARALLEL,
	OPTION_FULL_PARALLEL,
	OPTION_TIMEOUT,
	OPTION_CONNECT_TIMEOUT,
	OPTION_DEADLINE,
	OPTION_RETRIES,
	OPTION_RESUME,
	OPTION_FULL,
	OPTION_REHASH,
	OPTION_READ_RATE,
	OPTION_MAX_INCOMPLETE,
	OPTION_HOSTS,
	OPTION_ALL,
	OPTION_EXPLAINED,
	OPTION_RPM,
	OPTION_INSTALLED,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_REASON,
	OPTION_MESSAGE,
	OPTION_ORIGIN,
	OPTION_RELEASE,
	OPTION_PACKAGES,
	OPTION_KEYRING,
	OPTION_FINGERPRINT,
	OPTION_MIRROR,
	OPTION_LISTS,
	OPTION_UNSIGNED,
	OPTION_COMMIT,
	OPTION_IMPORT,
	OPTION_KEEP,
	OPTION_PROBES,
	OPTION_FAIL_ON,
	OPTION_FORMAT,
	OPTION_OUTPUT,
	OPTION_JOURNAL,
	OPTION_FETCH,
	OPTION_NO_FETCH,
	OPTION_COLOR,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP_SHORT,
	OPTION_HELP,
	OPTION_VERSION,
	OPTIONS
};

#define OPTION_BIT(id) (UINT64_C(1) << (id))

#define OPTION_NO_SETTING (-1)

struct option_spec {
	int letter;               /* 0: none */
	int setting;              /* enum config_key, or OPTION_NO_SETTING */
	const char *name;         /* without --; NULL: only the letter */
	const char *argument;     /* FILE; NULL: takes none */
	const char *help;         /* one line */
	const char *const *words; /* what the argument may be; NULL: anything */
};

const struct option_spec *option_spec(enum option_id id);

/* What a command line said, borrowed from argv. */
struct options {
	const char *value[OPTIONS]; /* NULL: not given; "" for those without argument */
	unsigned count[OPTIONS];    /* how often */
	const char **words;         /* everything that is no option, in order */
	size_t word_count;
	const char **output; /* every value of OPTION_OUTPUT, in order */
	size_t output_count;
};

/* CONFIG error for an unknown option (with the nearest), a missing or a needless argument. */
int options_parse(struct options *options, int argc, char *const *argv,
		  struct error *err) MUST_CHECK;
void options_clear(struct options *options);

/* "--port", "-h" */
const char *option_shown(enum option_id id, char *to, size_t room);

#endif
