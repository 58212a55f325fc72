// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CONFIG_CONFIG_PRIVATE_H
#define MUSTER_CONTROLLER_CONFIG_CONFIG_PRIVATE_H

/*
 * The inside of the configuration, shared by its parts: config.c (the table of settings and their
 * values), config_lists.c (groups, limits, transports), config_file.c (what a file says), config_load.c (which
 * sources there are, and which is the stronger). Nobody else includes this.
 */

#include "controller/config/config.h"

#define CONFIG_VALUE_MAX 4096
#define CONFIG_ORIGIN_MAX 512

enum config_type {
	CONFIG_TYPE_PATH,
	CONFIG_TYPE_TEXT,
	CONFIG_TYPE_NUMBER,
	CONFIG_TYPE_TIME,
	CONFIG_TYPE_WORD
};

/* The settings. `section` NULL: at the top of the file. */
struct config_setting {
	const char *section;
	const char *key;
	const char *name; /* section.key */
	const char *environment;
	enum config_type type;
	const char *preset; /* NULL: none, or made by config_load_from */
	uint64_t least, most;
	const char *const *words;
};
extern const struct config_setting config_settings[CONFIG_KEYS];

struct config_value {
	char *text;
	char *origin;
	uint64_t number;
};

struct config_kept_group {
	char *name;
	char *hosts;
	char *origin;
};

struct config_kept_limit {
	enum config_limit_kind kind;
	char *name;
	char *origin;
	size_t most;
};

struct config_kept_chosen {
	char *hosts;
	char *origin;
	enum config_transport transport;
};

struct config {
	struct config_value value[CONFIG_KEYS];
	struct config_kept_group *group;
	size_t groups;
	struct config_kept_limit *limit;
	size_t limits;
	struct config_kept_chosen *chosen;
	size_t chosens;
};

extern const char *const config_transport_words[];

int config_out_of_memory(struct error *err);

/* config_lists.c */
void config_clear_lists(struct config *config);
/* Takes `hosts` over where it succeeds, which is then NULL. */
int config_add_group(struct config *config, const char *name, char **hosts, const char *origin,
		     struct error *err) MUST_CHECK;
/* In the place of what another file said. */
int config_set_limit(struct config *config, enum config_limit_kind kind, const char *name,
		     size_t most, const char *origin, struct error *err) MUST_CHECK;
/* Whether the same file has said it already. */
bool config_has_limit(const struct config *config, enum config_limit_kind kind, const char *name,
		      const char *origin);
int config_add_chosen(struct config *config, const char *hosts, enum config_transport transport,
		      const char *origin, struct error *err) MUST_CHECK;

/* config_file.c */
/* The settings of a file. `home` may be NULL. */
int config_read_file(struct config *config, const char *path, const char *home, bool must_exist,
		     struct error *err) MUST_CHECK;

#endif
