// SPDX-License-Identifier: MIT
#include "controller/config/config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/muster/muster.yaml"
#define SYSTEM_DB "/var/lib/muster/muster.db"

static const char *environment_value(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment && environment[i]; i++) {
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=') {
			return environment[i] + len + 1;
		}
	}
	return NULL;
}

/* DIR/muster/FILE by the XDG base directory rules: a relative DIR does not count. */
static bool xdg_path(const struct config_sources *sources, const char *variable,
		     const char *fallback, const char *file, char *to, size_t room)
{
	const char *dir = environment_value(sources->environment, variable);
	int n = -1;

	if (dir && dir[0] == '/') {
		n = snprintf(to, room, "%s/muster/%s", dir, file);
	} else if (sources->home && sources->home[0] == '/') {
		n = snprintf(to, room, "%s/%s/muster/%s", sources->home, fallback, file);
	}
	return n > 0 && (size_t)n < room;
}

static int set_defaults(struct config *config, const struct config_sources *sources,
			struct error *err)
{
	char path[CONFIG_VALUE_MAX];

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (config_settings[i].preset &&
		    config_set(config, (enum config_key)i, config_settings[i].preset, "default",
			       err) < 0) {
			return -1;
		}
	}
	if (sources->is_root) {
		return config_set(config, CONFIG_DB, SYSTEM_DB, "default", err);
	}
	if (xdg_path(sources, "XDG_STATE_HOME", ".local/state", "muster.db", path, sizeof(path))) {
		return config_set(config, CONFIG_DB, path, "default", err);
	}
	return 0;
}

/* The current directory, where it is a baseline: a git repository with a policy. */
static int set_default_baseline(struct config *config, struct error *err)
{
	if (config->value[CONFIG_BASELINE].text || access(".git", F_OK) != 0 ||
	    access("muster.yaml", R_OK) != 0) {
		return 0;
	}
	return config_set(config, CONFIG_BASELINE, ".", "default", err);
}

int config_load_from(struct config *config, const struct config_sources *sources, struct error *err)
{
	const char *file = sources->file;

	if (!file) {
		file = environment_value(sources->environment, "MUSTER_CONFIG");
	}
	if (set_defaults(config, sources, err) < 0 ||
	    (sources->system_file &&
	     config_read_file(config, sources->system_file, sources->home, false, err) < 0) ||
	    (sources->user_file &&
	     config_read_file(config, sources->user_file, sources->home, false, err) < 0) ||
	    (file && config_read_file(config, file, sources->home, true, err) < 0)) {
		return -1;
	}
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const char *name = config_settings[i].environment;
		const char *text = environment_value(sources->environment, name);

		/* Set and empty is as good as not set, as everywhere. */
		if (text && *text && config_set(config, (enum config_key)i, text, name, err) < 0) {
			return -1;
		}
	}
	return set_default_baseline(config, err);
}

int config_load(struct config *config, const char *file, struct error *err)
{
	char user_file[CONFIG_VALUE_MAX];
	struct config_sources sources = {
		.system_file = SYSTEM_FILE,
		.file = file,
		.environment = environ,
		.home = getenv("HOME"),
		.is_root = geteuid() == 0,
	};

	if (xdg_path(&sources, "XDG_CONFIG_HOME", ".config", "muster.yaml", user_file,
		     sizeof(user_file))) {
		sources.user_file = user_file;
	}
	return config_load_from(config, &sources, err);
}
