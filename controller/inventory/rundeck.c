// SPDX-License-Identifier: MIT
/* Rundeck's resource models, resource-yaml and resource-json: nodes in a list, or by their names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/build.h"
#include "controller/inventory/where.h"
#include "controller/inventory/yaml_skip.h"
#include "schema/escape.h"

#define SHOWN 100
#define TAGS_MAX 256

struct node {
	char *name, *hostname, *username;
	char *tag[TAGS_MAX];
	size_t tags;
};

static void node_clear(struct node *node)
{
	free(node->name);
	free(node->hostname);
	free(node->username);
	for (size_t i = 0; i < node->tags; i++) {
		free(node->tag[i]);
	}
	memset(node, 0, sizeof(*node));
}

static int add_tag(const struct yaml_reader *reader, struct node *node, const char *from,
		   size_t len, struct error *err)
{
	while (len > 0 && (*from == ' ' || *from == '\t')) {
		from++;
		len--;
	}
	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t')) {
		len--;
	}
	if (len == 0) {
		return 0;
	}
	if (node->tags == TAGS_MAX) {
		return yaml_reader_fail(reader, err, "more than %d tags", TAGS_MAX);
	}
	node->tag[node->tags] = strndup(from, len);
	if (!node->tag[node->tags]) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	node->tags++;
	return 0;
}

/* A list, or a text with commas. */
static int read_tags(struct yaml_reader *reader, struct node *node, struct error *err)
{
	enum yaml_value kind;
	char *text = NULL;
	int more = 0, status = 0;

	if (yaml_reader_peek(reader, &kind, err) < 0) {
		return -1;
	}
	if (kind == YAML_VALUE_LIST) {
		if (yaml_reader_list(reader, err) < 0) {
			return -1;
		}
		while (status == 0 && (more = yaml_reader_item(reader, err)) > 0) {
			status = yaml_scalar_or_skip(reader, &text, err);
			if (status == 0 && text) {
				status = add_tag(reader, node, text, strlen(text), err);
			}
			free(text);
			text = NULL;
		}
		return status < 0 ? -1 : more;
	}
	if (yaml_scalar_or_skip(reader, &text, err) < 0) {
		return -1;
	}
	for (const char *tag = text; tag && status == 0;) {
		size_t len = strcspn(tag, ",");

		status = add_tag(reader, node, tag, len, err);
		tag = tag[len] ? tag + len + 1 : NULL;
	}
	free(text);
	return status;
}

static int read_text(struct yaml_reader *reader, char **to, struct error *err)
{
	free(*to);
	return yaml_scalar_or_skip(reader, to, err);
}

static int read_node(struct yaml_reader *reader, struct node *node, struct error *err)
{
	char key[1024];
	int more, failed;

	if (yaml_reader_map(reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(reader, key, sizeof(key), err)) > 0) {
		failed = strcmp(key, "nodename") == 0   ? read_text(reader, &node->name, err)
			 : strcmp(key, "hostname") == 0 ? read_text(reader, &node->hostname, err)
			 : strcmp(key, "username") == 0 ? read_text(reader, &node->username, err)
			 : strcmp(key, "tags") == 0     ? read_tags(reader, node, err)
							: yaml_skip(reader, err);
		if (failed < 0) {
			return -1;
		}
	}
	return more;
}

static int add_groups(struct inventory *inventory, const struct yaml_reader *reader,
		      const struct node *node, struct error *err)
{
	char shown[SHOWN];

	for (size_t i = 0; i < node->tags; i++) {
		struct nodeset *one = NULL;
		size_t line, column;

		if (!nodeset_name_is_valid(node->tag[i]) || strcmp(node->tag[i], "all") == 0) {
			yaml_reader_place(reader, &line, &column);
			if (build_note(inventory, err,
				       "line %zu: the tag \"%s\" is no group's name: it does not "
				       "count",
				       line,
				       escape_text(bytes_from_string(node->tag[i]), shown,
						   sizeof(shown))) < 0) {
				return -1;
			}
			continue;
		}
		if (nodeset_new(&one, err) < 0 || nodeset_add(one, node->name, err) < 0 ||
		    build_group(inventory, node->tag[i], one, err) < 0) {
			nodeset_free(one);
			return -1;
		}
	}
	return 0;
}

/* A user of ${job.username} and the like is Rundeck's to fill in. */
static int add_node(struct inventory *inventory, const struct yaml_reader *reader,
		    const struct node *node, struct error *err)
{
	struct inventory_vars vars = {0};
	struct where where = {.port = 0};
	struct nodeset *one = NULL;
	char address[NODESET_NAME_MAX + 1] = "";
	int status = -1;

	if (!node->name || !nodeset_name_is_valid(node->name)) {
		return yaml_reader_fail(reader, err,
					"nodename is missing, or no host name (letters, digits, "
					". _ : -)");
	}
	if (node->hostname && *node->hostname) {
		struct error fault = {.kind = ERROR_NONE};

		if (where_cut(bytes_from_string(node->hostname), &where, &fault) < 0 ||
		    where.name.len > NODESET_NAME_MAX) {
			return yaml_reader_fail(reader, err, "hostname: %s", fault.msg);
		}
		memcpy(address, where.name.data, where.name.len);
		address[where.name.len] = '\0';
		if (!nodeset_name_is_valid(address)) {
			return yaml_reader_fail(reader, err, "hostname is no address");
		}
		vars.address = strcmp(address, node->name) == 0 ? NULL : address;
		vars.port = where.port;
	}
	if (node->username && *node->username && !strstr(node->username, "${")) {
		if (!where_user_is_valid(node->username)) {
			return yaml_reader_fail(reader, err, "username is no user name");
		}
		vars.user = node->username;
	}
	if (nodeset_new(&one, err) == 0 && nodeset_add(one, node->name, err) == 0 &&
	    build_hosts(inventory, one, &vars, BUILD_FOR_HOST, err) == 0) {
		status = add_groups(inventory, reader, node, err);
	}
	nodeset_free(one);
	return status;
}

static int read_one(struct inventory *inventory, struct yaml_reader *reader, const char *name,
		    struct error *err)
{
	struct node node = {.name = name ? strdup(name) : NULL};
	int status = -1;

	if (name && !node.name) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (read_node(reader, &node, err) == 0) {
		status = add_node(inventory, reader, &node, err);
	}
	node_clear(&node);
	return status;
}

static int read_nodes(struct inventory *inventory, struct yaml_reader *reader, struct error *err)
{
	char name[NODESET_NAME_MAX + 1];
	enum yaml_value kind;
	int more;

	if (yaml_reader_peek(reader, &kind, err) < 0) {
		return -1;
	}
	if (kind == YAML_VALUE_LIST) {
		if (yaml_reader_list(reader, err) < 0) {
			return -1;
		}
		while ((more = yaml_reader_item(reader, err)) > 0) {
			if (read_one(inventory, reader, NULL, err) < 0) {
				return -1;
			}
		}
	} else {
		if (yaml_reader_map(reader, err) < 0) {
			return -1;
		}
		while ((more = yaml_reader_any_key(reader, name, sizeof(name), err)) > 0) {
			if (read_one(inventory, reader, name, err) < 0) {
				return -1;
			}
		}
	}
	return more < 0 ? -1 : yaml_reader_done(reader, err);
}

int build_from_rundeck(struct inventory *inventory, const char *name, struct bytes text,
		       struct error *err)
{
	struct yaml_reader *reader = NULL;
	int status = -1;

	if (yaml_reader_new(&reader, name, text, err) == 0) {
		status = read_nodes(inventory, reader, err);
	}
	yaml_reader_free(reader);
	return status;
}
