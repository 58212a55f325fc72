// SPDX-License-Identifier: MIT
#include "controller/config/config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/nearest.h"
#include "baselines/yaml.h"
#include "schema/escape.h"

#define SHOWN 100

static const char *const no_yes_words[] = {"false", "true", NULL};
static const char *const become_words[] = {"none", "sudo", "pinned", NULL};
const char *const config_transport_words[] = {"auto", "libssh2", "ssh", NULL};
static const char *const journal_words[] = {"none", "new", NULL};
static const char *const severity_words[] = {"info",     "low",   "medium", "high",
					     "critical", "never", NULL};

const struct config_setting config_settings[CONFIG_KEYS] = {
	[CONFIG_INVENTORY] = {NULL, "inventory", "inventory", "MUSTER_INVENTORY", CONFIG_TYPE_PATH,
			      NULL, 0, 0, NULL},
	[CONFIG_BASELINE] = {NULL, "baseline", "baseline", "MUSTER_BASELINE", CONFIG_TYPE_PATH,
			     NULL, 0, 0, NULL},
	[CONFIG_BASELINE_FETCH] = {NULL, "baseline_fetch", "baseline_fetch",
				   "MUSTER_BASELINE_FETCH", CONFIG_TYPE_WORD, "false", 0, 0,
				   no_yes_words},
	[CONFIG_BASELINE_SIGNERS] = {NULL, "baseline_signers", "baseline_signers",
				     "MUSTER_BASELINE_SIGNERS", CONFIG_TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_DB] = {NULL, "db", "db", "MUSTER_DB", CONFIG_TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_TRUST] = {NULL, "keys", "keys", "MUSTER_KEYS", CONFIG_TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_USER] = {"ssh", "user", "ssh.user", "MUSTER_USER", CONFIG_TYPE_TEXT, NULL, 0, 0,
			 NULL},
	[CONFIG_PORT] = {"ssh", "port", "ssh.port", "MUSTER_PORT", CONFIG_TYPE_NUMBER, NULL, 1,
			 65535, NULL},
	[CONFIG_IDENTITY] = {"ssh", "identity", "ssh.identity", "MUSTER_IDENTITY", CONFIG_TYPE_PATH,
			     NULL, 0, 0, NULL},
	[CONFIG_KNOWN_HOSTS] = {"ssh", "known_hosts", "ssh.known_hosts", "MUSTER_KNOWN_HOSTS",
				CONFIG_TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_SSH_CONFIG] = {"ssh", "config", "ssh.config", "MUSTER_SSH_CONFIG", CONFIG_TYPE_PATH,
			       NULL, 0, 0, NULL},
	[CONFIG_TRANSPORT] = {"ssh", "transport", "ssh.transport", "MUSTER_TRANSPORT",
			      CONFIG_TYPE_WORD, "auto", 0, 0, config_transport_words},
	[CONFIG_CONNECT_TIMEOUT] = {"ssh", "connect_timeout", "ssh.connect_timeout",
				    "MUSTER_CONNECT_TIMEOUT", CONFIG_TYPE_TIME, "20s", 1, 3600,
				    NULL},
	[CONFIG_JUMP_CHANNELS] = {"ssh", "jump_channels", "ssh.jump_channels",
				  "MUSTER_JUMP_CHANNELS", CONFIG_TYPE_NUMBER, "50", 1, 1000, NULL},
	[CONFIG_PARALLEL] = {NULL, "parallel", "parallel", "MUSTER_PARALLEL", CONFIG_TYPE_NUMBER,
			     "64", 1, 10000, NULL},
	[CONFIG_TIMEOUT] = {NULL, "timeout", "timeout", "MUSTER_TIMEOUT", CONFIG_TYPE_TIME, "30m",
			    1, 604800, NULL},
	[CONFIG_BECOME] = {NULL, "become", "become", "MUSTER_BECOME", CONFIG_TYPE_WORD, "sudo", 0,
			   0, become_words},
	[CONFIG_FAIL_ON] = {NULL, "fail_on", "fail_on", "MUSTER_FAIL_ON", CONFIG_TYPE_WORD,
			    "medium", 0, 0, severity_words},
	[CONFIG_JOURNAL] = {NULL, "journal", "journal", "MUSTER_JOURNAL", CONFIG_TYPE_WORD, "none",
			    0, 0, journal_words},
};

int config_out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int config_new(struct config **config, struct error *err)
{
	*config = calloc(1, sizeof(**config));
	return *config ? 0 : config_out_of_memory(err);
}

void config_free(struct config *config)
{
	if (!config) {
		return;
	}
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		free(config->value[i].text);
		free(config->value[i].origin);
	}
	config_clear_lists(config);
	free(config);
}

static int store_value(struct config *config, enum config_key key, const char *text,
		       uint64_t number, const char *origin, struct error *err)
{
	struct config_value *value = &config->value[key];
	char *text_copy = strdup(text), *origin_copy = strdup(origin);

	if (!text_copy || !origin_copy) {
		free(text_copy);
		free(origin_copy);
		return config_out_of_memory(err);
	}
	free(value->text);
	free(value->origin);
	*value = (struct config_value){.text = text_copy, .origin = origin_copy, .number = number};
	return 0;
}

static bool parse_number(const char *text, uint64_t *number)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len) {
		return false;
	}
	*number = strtoull(text, NULL, 10);
	return true;
}

static int wrong_word(const struct config_setting *setting, const char *text, const char *origin,
		      struct error *err)
{
	const char *near = nearest_find(bytes_from_string(text), nearest_in_array, setting->words);
	char shown[SHOWN], list[SHOWN] = "";

	(void)escape_text(bytes_from_string(text), shown, sizeof(shown));
	if (near) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: unknown value \"%s\": did you mean \"%s\"?", origin, shown,
				 near);
	}
	for (size_t i = 0; setting->words[i]; i++) {
		size_t used = strlen(list);

		(void)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			       setting->words[i]);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s: unknown value \"%s\": known are %s", origin,
			 shown, list);
}

int config_set(struct config *config, enum config_key key, const char *text, const char *origin,
	       struct error *err)
{
	const struct config_setting *setting = &config_settings[key];
	unsigned long long least = setting->least, most = setting->most;
	uint64_t number = 0;

	switch (setting->type) {
	case CONFIG_TYPE_NUMBER:
		if (!parse_number(text, &number) || number < least || number > most) {
			return error_set(err, ERROR_CONFIG, 0,
					 "%s: expected a number from %llu to %llu", origin, least,
					 most);
		}
		break;
	case CONFIG_TYPE_TIME:
		if (!yaml_parse_duration(text, &number) || number < least || number > most) {
			return error_set(err, ERROR_CONFIG, 0,
					 "%s: expected a time such as 90s, 15m or 6h, from %llu to "
					 "%llu seconds",
					 origin, least, most);
		}
		break;
	case CONFIG_TYPE_WORD:
		while (setting->words[number] && strcmp(setting->words[number], text) != 0) {
			number++;
		}
		if (!setting->words[number]) {
			return wrong_word(setting, text, origin, err);
		}
		break;
	case CONFIG_TYPE_PATH:
	case CONFIG_TYPE_TEXT:
		if (!*text || text[0] == '-') {
			if (key == CONFIG_INVENTORY && strcmp(text, "-") == 0) {
				break;
			}
			return error_set(err, ERROR_CONFIG, 0, "%s: expected %s, not \"%.20s\"",
					 origin,
					 setting->type == CONFIG_TYPE_PATH ? "a file" : "a name",
					 *text ? "-..." : "");
		}
		break;
	}
	return store_value(config, key, text, number, origin, err);
}

bool config_is_set(const struct config *config, enum config_key key)
{
	return config->value[key].text && strcmp(config->value[key].origin, "default") != 0;
}

const char *config_text(const struct config *config, enum config_key key)
{
	return config->value[key].text;
}

uint64_t config_number(const struct config *config, enum config_key key)
{
	return config->value[key].number;
}

const char *config_origin(const struct config *config, enum config_key key)
{
	return config->value[key].origin ? config->value[key].origin : "default";
}

const char *config_key_name(enum config_key key)
{
	return config_settings[key].name;
}
