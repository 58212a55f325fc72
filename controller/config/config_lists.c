// SPDX-License-Identifier: MIT
#include "controller/config/config_private.h"

#include <stdlib.h>
#include <string.h>

void config_clear_lists(struct config *config)
{
	for (size_t i = 0; i < config->groups; i++) {
		free(config->group[i].name);
		free(config->group[i].hosts);
		free(config->group[i].origin);
	}
	for (size_t i = 0; i < config->limits; i++) {
		free(config->limit[i].name);
		free(config->limit[i].origin);
	}
	for (size_t i = 0; i < config->chosens; i++) {
		free(config->chosen[i].hosts);
		free(config->chosen[i].origin);
	}
	free(config->group);
	free(config->limit);
	free(config->chosen);
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

bool config_chosen(const struct config *config, size_t index, struct config_chosen *chosen)
{
	if (index >= config->chosens) {
		return false;
	}
	*chosen = (struct config_chosen){.hosts = config->chosen[index].hosts,
					 .transport = config->chosen[index].transport,
					 .origin = config->chosen[index].origin};
	return true;
}

int config_add_group(struct config *config, const char *name, char **hosts, const char *origin,
		     struct error *err)
{
	struct config_kept_group *grown =
		realloc(config->group, (config->groups + 1) * sizeof(*grown));
	struct config_kept_group made = {.name = strdup(name), .origin = strdup(origin)};

	if (grown) {
		config->group = grown;
	}
	if (!grown || !made.name || !made.origin) {
		free(made.name);
		free(made.origin);
		return config_out_of_memory(err);
	}
	made.hosts = *hosts;
	*hosts = NULL;
	grown[config->groups++] = made;
	return 0;
}

int config_set_limit(struct config *config, enum config_limit_kind kind, const char *name,
		     size_t most, const char *origin, struct error *err)
{
	struct config_kept_limit made = {kind, strdup(name), strdup(origin), most};
	struct config_kept_limit *grown = NULL;
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
		return config_out_of_memory(err);
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

bool config_has_limit(const struct config *config, enum config_limit_kind kind, const char *name,
		      const char *origin)
{
	for (size_t i = 0; i < config->limits; i++) {
		const struct config_kept_limit *limit = &config->limit[i];

		if (limit->kind == kind && strcmp(limit->name, name) == 0) {
			return is_same_file(origin, limit->origin);
		}
	}
	return false;
}

int config_add_chosen(struct config *config, const char *hosts, enum config_transport transport,
		      const char *origin, struct error *err)
{
	struct config_kept_chosen *grown =
		realloc(config->chosen, (config->chosens + 1) * sizeof(*grown));
	struct config_kept_chosen made = {strdup(hosts), strdup(origin), transport};

	if (grown) {
		config->chosen = grown;
	}
	if (!grown || !made.hosts || !made.origin) {
		free(made.hosts);
		free(made.origin);
		return config_out_of_memory(err);
	}
	grown[config->chosens++] = made;
	return 0;
}
