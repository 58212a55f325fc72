// SPDX-License-Identifier: MIT
#include "controller/config/config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/yaml.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define LIMIT_MAX 10000
#define HOSTS_MAX 65536

static void write_origin(const struct yaml_reader *reader, const char *path, char *to, size_t room)
{
	char shown[CONFIG_ORIGIN_MAX / 2];
	size_t line, column;

	yaml_reader_place(reader, &line, &column);
	(void)snprintf(to, room, "%s:%zu:%zu",
		       escape_text(bytes_from_string(path), shown, sizeof(shown)), line, column);
}

/* ~/x is under the home, and what is relative stands beside the file that names it. */
static int resolve_path(const char *file, const char *home, char *path, struct error *err)
{
	const char *slash = strrchr(file, '/');
	char whole[CONFIG_VALUE_MAX];
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
	char text[CONFIG_VALUE_MAX], origin[CONFIG_ORIGIN_MAX];

	if (yaml_reader_text(file->reader, text, sizeof(text), err) < 0) {
		return -1;
	}
	write_origin(file->reader, file->path, origin, sizeof(origin));
	if (config_settings[key].type == CONFIG_TYPE_PATH && text[0] &&
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
		if (config_settings[i].section &&
		    strcmp(config_settings[i].section, section) == 0) {
			ids[count] = (enum config_key)i;
			keys[count++] = config_settings[i].key;
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

static int read_groups(struct file *file, struct error *err)
{
	char name[CONFIG_VALUE_MAX], origin[CONFIG_ORIGIN_MAX];
	char *hosts = NULL;
	int more;

	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(file->reader, name, sizeof(name), err)) > 0) {
		write_origin(file->reader, file->path, origin, sizeof(origin));
		if (yaml_reader_text_new(file->reader, &hosts, err) < 0 ||
		    config_add_group(file->config, name, &hosts, origin, err) < 0) {
			free(hosts);
			return -1;
		}
	}
	return more;
}

/* Name to number, for one kind. */
static int read_limits(struct file *file, enum config_limit_kind kind, struct error *err)
{
	char name[CONFIG_VALUE_MAX], origin[CONFIG_ORIGIN_MAX];
	uint64_t most;
	int more;

	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(file->reader, name, sizeof(name), err)) > 0) {
		write_origin(file->reader, file->path, origin, sizeof(origin));
		if (config_has_limit(file->config, kind, name, origin)) {
			return yaml_reader_fail(file->reader, err, "this name stands twice");
		}
		if (yaml_reader_number(file->reader, 1, LIMIT_MAX, &most, err) < 0 ||
		    config_set_limit(file->config, kind, name, (size_t)most, origin, err) < 0) {
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

/* Hosts to who speaks with them. */
static int read_transports(struct file *file, struct error *err)
{
	char *hosts = malloc(HOSTS_MAX), origin[CONFIG_ORIGIN_MAX];
	size_t word = 0;
	int more = -1;

	if (!hosts) {
		return config_out_of_memory(err);
	}
	if (yaml_reader_map(file->reader, err) < 0) {
		goto out;
	}
	while ((more = yaml_reader_any_key(file->reader, hosts, HOSTS_MAX, err)) > 0) {
		write_origin(file->reader, file->path, origin, sizeof(origin));
		if (yaml_reader_word(file->reader, config_transport_words, &word, err) < 0 ||
		    config_add_chosen(file->config, hosts, (enum config_transport)word, origin,
				      err) < 0) {
			more = -1;
			goto out;
		}
	}
out:
	free(hosts);
	return more;
}

static int read_top(struct file *file, struct error *err)
{
	const char *keys[CONFIG_KEYS + 5];
	enum config_key ids[CONFIG_KEYS];
	size_t count = 0, index;
	int more, failed;

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		if (!config_settings[i].section) {
			ids[count] = (enum config_key)i;
			keys[count++] = config_settings[i].key;
		}
	}
	keys[count] = "ssh";
	keys[count + 1] = "groups";
	keys[count + 2] = "max_parallel";
	keys[count + 3] = "transports";
	keys[count + 4] = NULL;
	if (yaml_reader_map(file->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(file->reader, keys, &index, err)) > 0) {
		failed = index < count        ? read_setting(file, ids[index], err)
			 : index == count     ? read_section(file, "ssh", err)
			 : index == count + 1 ? read_groups(file, err)
			 : index == count + 2 ? read_max_parallel(file, err)
					      : read_transports(file, err);
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

int config_read_file(struct config *config, const char *path, const char *home, bool must_exist,
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
