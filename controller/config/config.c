// SPDX-License-Identifier: MIT
#include "controller/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baselines/nearest.h"
#include "baselines/yaml.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define VALUE_MAX 4096
#define ORIGIN_MAX 512
#define SHOWN 100
#define LIMIT_MAX 10000
#define SYSTEM_FILE "/etc/muster/muster.yaml"
#define SYSTEM_DB "/var/lib/muster/muster.db"

enum type { TYPE_PATH, TYPE_TEXT, TYPE_NUMBER, TYPE_TIME, TYPE_WORD };

static const char *const no_yes_words[] = {"false", "true", NULL};
static const char *const become_words[] = {"none", "sudo", "pinned", NULL};
static const char *const transport_words[] = {"auto", "libssh2", "ssh", NULL};
static const char *const journal_words[] = {"none", "new", NULL};
static const char *const severity_words[] = {"info",     "low",   "medium", "high",
					     "critical", "never", NULL};

/* The settings. `section` NULL: at the top of the file. */
static const struct setting {
	const char *section;
	const char *key;
	const char *name; /* section.key */
	const char *environment;
	enum type type;
	const char *preset; /* NULL: none, or made by set_defaults */
	uint64_t least, most;
	const char *const *words;
} settings[CONFIG_KEYS] = {
	[CONFIG_INVENTORY] = {NULL, "inventory", "inventory", "MUSTER_INVENTORY", TYPE_PATH, NULL,
			      0, 0, NULL},
	[CONFIG_BASELINE] = {NULL, "baseline", "baseline", "MUSTER_BASELINE", TYPE_PATH, NULL, 0, 0,
			     NULL},
	[CONFIG_BASELINE_FETCH] = {NULL, "baseline_fetch", "baseline_fetch",
				   "MUSTER_BASELINE_FETCH", TYPE_WORD, "false", 0, 0, no_yes_words},
	[CONFIG_BASELINE_SIGNERS] = {NULL, "baseline_signers", "baseline_signers",
				     "MUSTER_BASELINE_SIGNERS", TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_DB] = {NULL, "db", "db", "MUSTER_DB", TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_TRUST] = {NULL, "keys", "keys", "MUSTER_KEYS", TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_USER] = {"ssh", "user", "ssh.user", "MUSTER_USER", TYPE_TEXT, NULL, 0, 0, NULL},
	[CONFIG_PORT] = {"ssh", "port", "ssh.port", "MUSTER_PORT", TYPE_NUMBER, NULL, 1, 65535,
			 NULL},
	[CONFIG_IDENTITY] = {"ssh", "identity", "ssh.identity", "MUSTER_IDENTITY", TYPE_PATH, NULL,
			     0, 0, NULL},
	[CONFIG_KNOWN_HOSTS] = {"ssh", "known_hosts", "ssh.known_hosts", "MUSTER_KNOWN_HOSTS",
				TYPE_PATH, NULL, 0, 0, NULL},
	[CONFIG_SSH_CONFIG] = {"ssh", "config", "ssh.config", "MUSTER_SSH_CONFIG", TYPE_PATH, NULL,
			       0, 0, NULL},
	[CONFIG_TRANSPORT] = {"ssh", "transport", "ssh.transport", "MUSTER_TRANSPORT", TYPE_WORD,
			      "auto", 0, 0, transport_words},
	[CONFIG_CONNECT_TIMEOUT] = {"ssh", "connect_timeout", "ssh.connect_timeout",
				    "MUSTER_CONNECT_TIMEOUT", TYPE_TIME, "20s", 1, 3600, NULL},
	[CONFIG_JUMP_CHANNELS] = {"ssh", "jump_channels", "ssh.jump_channels",
				  "MUSTER_JUMP_CHANNELS", TYPE_NUMBER, "50", 1, 1000, NULL},
	[CONFIG_PARALLEL] = {NULL, "parallel", "parallel", "MUSTER_PARALLEL", TYPE_NUMBER, "64", 1,
			     10000, NULL},
	[CONFIG_TIMEOUT] = {NULL, "timeout", "timeout", "MUSTER_TIMEOUT", TYPE_TIME, "30m", 1,
			    604800, NULL},
	[CONFIG_BECOME] = {NULL, "become", "become", "MUSTER_BECOME", TYPE_WORD, "sudo", 0, 0,
			   become_words},
	[CONFIG_FAIL_ON] = {NULL, "fail_on", "fail_on", "MUSTER_FAIL_ON", TYPE_WORD, "medium", 0, 0,
			    severity_words},
	[CONFIG_JOURNAL] = {NULL, "journal", "journal", "MUSTER_JOURNAL", TYPE_WORD, "none", 0, 0,
			    journal_words},
};

struct value {
	char *text;
	char *origin;
	uint64_t number;
};

struct group {
	char *name;
	char *hosts;
	char *origin;
};

struct limit {
	enum config_limit_kind kind;
	char *name;
	char *origin;
	size_t most;
};

struct config {
	struct value value[CONFIG_KEYS];
	struct group *group;
	size_t groups;
	struct limit *limit;
	size_t limits;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int config_new(struct config **config, struct error *err)
{
	*config = calloc(1, sizeof(**config));
	return *config ? 0 : out_of_memory(err);
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
	for (size_t i = 0; i < config->groups; i++) {
		free(config->group[i].name);
		free(config->group[i].hosts);
		free(config->group[i].origin);
	}
	for (size_t i = 0; i < config->limits; i++) {
		free(config->limit[i].name);
		free(config->limit[i].origin);
	}
	free(config->group);
	free(config->limit);
	free(config);
}

static int store_value(struct config *config, enum config_key key, const char *text,
		       uint64_t number, const char *origin, struct error *err)
{
	struct value *value = &config->value[key];
	char *text_copy = strdup(text), *origin_copy = strdup(origin);

	if (!text_copy || !origin_copy) {
		free(text_copy);
		free(origin_copy);
		return out_of_memory(err);
	}
	free(value->text);
	free(value->origin);
	*value = (struct value){.text = text_copy, .origin = origin_copy, .number = number};
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

static int wrong_word(const struct setting *setting, const char *text, const char *origin,
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
	const struct setting *setting = &settings[key];
	unsigned long long least = setting->least, most = setting->most;
	uint64_t number = 0;

	switch (setting->type) {
	case TYPE_NUMBER:
		if (!parse_number(text, &number) || number < least || number > most) {
			return error_set(err, ERROR_CONFIG, 0,
					 "%s: expected a number from %llu to %llu", origin, least,
					 most);
		}
		break;
	case TYPE_TIME:
		if (!yaml_parse_duration(text, &number) || number < least || number > most) {
			return error_set(err, ERROR_CONFIG, 0,
					 "%s: expected a time such as 90s, 15m or 6h, from %llu to "
					 "%llu seconds",
					 origin, least, most);
		}
		break;
	case TYPE_WORD:
		while (setting->words[number] && strcmp(setting->words[number], text) != 0) {
			number++;
		}
		if (!setting->words[number]) {
			return wrong_word(setting, text, origin, err);
		}
		break;
	case TYPE_PATH:
	case TYPE_TEXT:
		if (!*text || text[0] == '-') {
			if (key == CONFIG_INVENTORY && strcmp(text, "-") == 0) {
				break;
			}
			return error_set(err, ERROR_CONFIG, 0, "%s: expected %s, not \"%.20s\"",
					 origin, setting->type == TYPE_PATH ? "a file" : "a name",
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
	return settings[key].name;
}

bool config_group(const struct config *config, size_t index, struct config_group *group)
{
	if (index >= config->groups) {
		return false;
	}
	*group = (struct config_group){.name = config->group[index].name,
				       .hosts = config->group[index].hosts,
				       .origin = config->group[index].origin};
	return true;
}

bool config_limit(const struct config *config, size_t index, struct config_limit *limit)
{
	if (index >= config->limits) {
		return false;
	}
	*limit = (struct config_limit){.kind = config->limit[index].kind,
				       .name = config->limit[index].name,
				       .most = config->limit[index].most,
				       .origin = config->limit[index].origin};
	return true;
}

static void write_origin(const struct yaml_reader *reader, const char *path, char *to, size_t room)
{
	char shown[ORIGIN_MAX / 2];
	size_t line, column;

	yaml_reader_place(reader, &line, &column);
	(void)snprintf(to, room, "%s:%zu:%zu",
		       escape_text(bytes_from_string(path), shown, sizeof(shown)), line, column);
}

/* ~/x is under the home, and what is relative stands beside the file that names it. */
static int resolve_path(const char *file, const char *home, char *path, struct error *err)
{
	const char *slash = strrchr(file, '/');
	char whole[VALUE_MAX];
	int n = 0;

	if (strncmp(path, "~/", 2) == 0 && home) {
		n = snprintf(whole, sizeof(whole), "%s/%s", home, path + 2);
	} else if (path[0] != '/' && slash && strcmp(path, "-") != 0) {
		n = snprintf(whole, sizeof(whole), "%.*s/%s", (int)(slash - file), file, path);
	} else {
		return 0;
	}
	if (n < 0 || (size_t)n >= sizeof(whole)) {
		return error_set(err, ERROR_CONFIG, ENAMETOOLONG, "%.100s: %s", file,
				 strerror(ENAMETOOLONG));
	}
	memcpy(path, whole, (size_t)n + 1);
	return 0;
}

struct file {
	struct config *config;
	struct yaml_reader *reader;
	const char *path;
	const char *home;
};

static int read_setting(struct file *file, enum config_key key, struct error *err)
{
	char text[VALUE_MAX], origin[ORIGIN_MAX];

	if (yaml_reader_text(file->reader, text, sizeof(text), err) < 0) {
		return -1;
	}
	write_origin(file->reader, file->path, origin, sizeof(origin));
	if (settings[key].type == TYPE_PATH && text[0] &&
	    !(key == CONFIG_SSH_CONFIG && strcmp(text, "none") == 0) &&
	    resolve_path(file->path, file->home, text, err) < 0) {
		return -1;
	}
	return config_set(file->config, key, text, origin, err);
}

static int read_section(struct file *file, const char *section, struct error *err)
{
	const char *keys[CONFIG_KEYS + 1];
	enum config_key ids[CONFIG_KEYS];
	size_t count = 0, index;
	int more;

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (settings[i].section && strcmp(settings[i].section, section) == 0) {
			ids[count] = (enum config_key)i;
			keys[count++] = settings[i].key;
		}
	}
	keys[count] = NULL;
	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(file->reader, keys, &index, err)) > 0) {
		if (read_setting(file, ids[index], err) < 0) {
			return -1;
		}
	}
	return more;
}

static int add_group(struct config *config, const char *name, char **hosts, const char *origin,
		     struct error *err)
{
	struct group *grown = realloc(config->group, (config->groups + 1) * sizeof(*grown));
	struct group made = {.name = strdup(name), .origin = strdup(origin)};

	if (grown) {
		config->group = grown;
	}
	if (!grown || !made.name || !made.origin) {
		free(made.name);
		free(made.origin);
		return out_of_memory(err);
	}
	made.hosts = *hosts;
	*hosts = NULL;
	grown[config->groups++] = made;
	return 0;
}

static int read_groups(struct file *file, struct error *err)
{
	char name[VALUE_MAX], origin[ORIGIN_MAX];
	char *hosts = NULL;
	int more;

	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(file->reader, name, sizeof(name), err)) > 0) {
		write_origin(file->reader, file->path, origin, sizeof(origin));
		if (yaml_reader_text_new(file->reader, &hosts, err) < 0 ||
		    add_group(file->config, name, &hosts, origin, err) < 0) {
			free(hosts);
			return -1;
		}
	}
	return more;
}

static int set_limit(struct config *config, enum config_limit_kind kind, const char *name,
		     size_t most, const char *origin, struct error *err)
{
	struct limit made = {kind, strdup(name), strdup(origin), most};
	struct limit *grown = NULL;
	size_t i = 0;

	while (i < config->limits &&
	       (config->limit[i].kind != kind || strcmp(config->limit[i].name, name) != 0)) {
		i++;
	}
	grown = i < config->limits ? config->limit
				   : realloc(config->limit, (config->limits + 1) * sizeof(*grown));
	if (grown) {
		config->limit = grown;
	}
	if (!grown || !made.name || !made.origin) {
		free(made.name);
		free(made.origin);
		return out_of_memory(err);
	}
	if (i < config->limits) {
		free(grown[i].name);
		free(grown[i].origin);
	} else {
		config->limits++;
	}
	grown[i] = made;
	return 0;
}

/* Whether two origins (FILE:LINE:COLUMN) are of the same file. */
static bool is_same_file(const char *a, const char *b)
{
	const char *end = strrchr(a, ':');

	while (end && end > a && end[-1] != ':') {
		end--;
	}
	return end && strncmp(a, b, (size_t)(end - a)) == 0;
}

static bool stands_already(const struct config *config, enum config_limit_kind kind,
			   const char *name, const char *origin)
{
	for (size_t i = 0; i < config->limits; i++) {
		const struct limit *limit = &config->limit[i];

		if (limit->kind == kind && strcmp(limit->name, name) == 0) {
			return is_same_file(origin, limit->origin);
		}
	}
	return false;
}

/* Name to number, for one kind. */
static int read_limits(struct file *file, enum config_limit_kind kind, struct error *err)
{
	char name[VALUE_MAX], origin[ORIGIN_MAX];
	uint64_t most;
	int more;

	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(file->reader, name, sizeof(name), err)) > 0) {
		write_origin(file->reader, file->path, origin, sizeof(origin));
		if (stands_already(file->config, kind, name, origin)) {
			return yaml_reader_fail(file->reader, err, "this name stands twice");
		}
		if (yaml_reader_number(file->reader, 1, LIMIT_MAX, &most, err) < 0 ||
		    set_limit(file->config, kind, name, (size_t)most, origin, err) < 0) {
			return -1;
		}
	}
	return more;
}

static int read_max_parallel(struct file *file, struct error *err)
{
	static const char *const keys[] = {
		[CONFIG_LIMIT_GROUP] = "groups",
		[CONFIG_LIMIT_JUMP_HOST] = "jump_hosts",
		[CONFIG_LIMIT_KINDS] = NULL,
	};
	size_t index;
	int more;

	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(file->reader, keys, &index, err)) > 0) {
		if (read_limits(file, (enum config_limit_kind)index, err) < 0) {
			return -1;
		}
	}
	return more;
}

static int read_top(struct file *file, struct error *err)
{
	const char *keys[CONFIG_KEYS + 4];
	enum config_key ids[CONFIG_KEYS];
	size_t count = 0, index;
	int more, failed;

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (!settings[i].section) {
			ids[count] = (enum config_key)i;
			keys[count++] = settings[i].key;
		}
	}
	keys[count] = "ssh";
	keys[count + 1] = "groups";
	keys[count + 2] = "max_parallel";
	keys[count + 3] = NULL;
	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(file->reader, keys, &index, err)) > 0) {
		failed = index < count        ? read_setting(file, ids[index], err)
			 : index == count     ? read_section(file, "ssh", err)
			 : index == count + 1 ? read_groups(file, err)
					      : read_max_parallel(file, err);
		if (failed < 0) {
			return -1;
		}
	}
	return more;
}

static int read_document(struct file *file, struct error *err)
{
	enum yaml_value value;
	int status = 0;

	if (yaml_reader_peek(file->reader, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NULL) {
		status = yaml_reader_null(file->reader, err);
	} else if (value != YAML_VALUE_NONE) {
		status = read_top(file, err);
	}
	return status < 0 ? -1 : yaml_reader_done(file->reader, err);
}

static int read_file(struct config *config, const char *path, const char *home, bool must_exist,
		     struct error *err)
{
	struct file file = {.config = config, .path = path, .home = home};
	struct error fault = {0};
	int status;

	if (yaml_reader_open(&file.reader, path, &fault) < 0) {
		if (!must_exist && (fault.os_errno == ENOENT || fault.os_errno == ENOTDIR)) {
			return 0;
		}
		if (err) {
			*err = fault;
		}
		return -1;
	}
	status = read_document(&file, err);
	yaml_reader_free(file.reader);
	return status;
}

int config_read_text(struct config *config, const char *name, struct bytes text, struct error *err)
{
	struct file file = {.config = config, .path = name};
	int status;

	if (yaml_reader_new(&file.reader, name, text, err) < 0) {
		return -1;
	}
	status = read_document(&file, err);
	yaml_reader_free(file.reader);
	return status;
}

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
	char path[VALUE_MAX];

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (settings[i].preset && config_set(config, (enum config_key)i, settings[i].preset,
						     "default", err) < 0) {
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
	     read_file(config, sources->system_file, sources->home, false, err) < 0) ||
	    (sources->user_file &&
	     read_file(config, sources->user_file, sources->home, false, err) < 0) ||
	    (file && read_file(config, file, sources->home, true, err) < 0)) {
		return -1;
	}
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const char *name = settings[i].environment;
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
	char user_file[VALUE_MAX];
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
