// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CONFIG_CONFIG_H
#define MUSTER_CONTROLLER_CONFIG_CONFIG_H

/*
 * The settings of one run of muster, from weakest to strongest: defaults, /etc/muster/muster.yaml,
 * $XDG_CONFIG_HOME/muster/muster.yaml, --config FILE (or MUSTER_CONFIG), MUSTER_* variables, flags.
 * One table in config.c names every setting; files, environment and flags are read by it, so that a
 * value means the same wherever it stands. Each value knows where it came from. Strings live as long
 * as the configuration. Reads files; never writes one. Policy (what is checked) is not here: it
 * stands in the baseline.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct config;

enum config_key {
	CONFIG_INVENTORY,        /* path, or - */
	CONFIG_BASELINE,         /* path */
	CONFIG_BASELINE_FETCH,   /* 0, 1 */
	CONFIG_BASELINE_SIGNERS, /* path */
	CONFIG_DB,               /* path */
	CONFIG_TRUST, /* path: a folder with keys.yaml, in place of the baseline's keys/ */
	CONFIG_USER,
	CONFIG_PORT,
	CONFIG_IDENTITY,        /* path */
	CONFIG_KNOWN_HOSTS,     /* path */
	CONFIG_SSH_CONFIG,      /* path, or none */
	CONFIG_TRANSPORT,       /* enum config_transport */
	CONFIG_CONNECT_TIMEOUT, /* seconds */
	CONFIG_JUMP_CHANNELS,   /* hosts through one session of a jump host */
	CONFIG_PARALLEL,
	CONFIG_TIMEOUT, /* seconds, of one host's whole session */
	CONFIG_BECOME,  /* enum config_become */
	CONFIG_FAIL_ON, /* enum severity, or CONFIG_FAIL_NEVER */
	CONFIG_JOURNAL, /* enum config_journal */
	CONFIG_KEYS
};

enum config_become { CONFIG_BECOME_NONE, CONFIG_BECOME_SUDO, CONFIG_BECOME_PINNED };
enum config_transport { CONFIG_TRANSPORT_AUTO, CONFIG_TRANSPORT_LIBSSH2, CONFIG_TRANSPORT_SSH };
enum config_journal { CONFIG_JOURNAL_NONE, CONFIG_JOURNAL_NEW };
#define CONFIG_FAIL_NEVER 5 /* after SEVERITY_CRITICAL */

/* Where to look. A NULL is not looked at; `file` must exist, the other two need not. */
struct config_sources {
	const char *system_file;
	const char *user_file;
	const char *file;
	char *const *environment; /* NAME=value ..., NULL at its end */
	const char *home;         /* for ~/ in paths */
	bool is_root;             /* the default database */
};

int config_new(struct config **config, struct error *err) MUST_CHECK;
void config_free(struct config *config);

/*
 * Reads all sources over the defaults. `file` (--config; NULL: MUSTER_CONFIG or none) wins over the
 * usual places. A wrong value or an unknown key is a CONFIG error with its place.
 */
int config_load(struct config *config, const char *file, struct error *err) MUST_CHECK;
int config_load_from(struct config *config, const struct config_sources *sources,
		     struct error *err) MUST_CHECK;

/* A file's text, where it is not in a file; `name` stands for its path. */
int config_read_text(struct config *config, const char *name, struct bytes text,
		     struct error *err) MUST_CHECK;

/* One setting from text, as it stands in a file; `origin` is for messages: "--port". */
int config_set(struct config *config, enum config_key key, const char *text, const char *origin,
	       struct error *err) MUST_CHECK;

bool config_is_set(const struct config *config, enum config_key key);
/* NULL: not set and without default. Numbers and words too, as they were written. */
const char *config_text(const struct config *config, enum config_key key);
/* Numbers, seconds, and the enums of words. 0: not set. */
uint64_t config_number(const struct config *config, enum config_key key);
/* "default", "/etc/muster/muster.yaml:3:1", "MUSTER_DB", "--db" ... */
const char *config_origin(const struct config *config, enum config_key key);
/* "ssh.user", as a file has it. */
const char *config_key_name(enum config_key key);

/* The configuration's groups, in order. False behind the last one. */
struct config_group {
	const char *name;
	const char *hosts;  /* nodeset; may name groups above it */
	const char *origin; /* file:line:column */
};
bool config_group(const struct config *config, size_t index, struct config_group *group);

/* Most hosts at once: of a group, or through a jump host. The last file that names it counts. */
enum config_limit_kind { CONFIG_LIMIT_GROUP, CONFIG_LIMIT_JUMP_HOST, CONFIG_LIMIT_KINDS };
struct config_limit {
	enum config_limit_kind kind;
	const char *name;
	size_t most;
	const char *origin; /* file:line:column */
};
bool config_limit(const struct config *config, size_t index, struct config_limit *limit);

/* Who speaks SSH with some hosts (`transports:`), in order: the last one that names a host counts. */
struct config_chosen {
	const char *hosts; /* nodeset; may name groups */
	enum config_transport transport;
	const char *origin; /* file:line:column */
};
bool config_chosen(const struct config *config, size_t index, struct config_chosen *chosen);

#endif
