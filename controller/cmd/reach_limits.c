// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "controller/cmd/reach.h"
#include "controller/ssh/pool/pool.h"
#include "schema/escape.h"

struct asking {
	struct call *call;
	struct reach *reach;
	bool *falls; /* host by host: under which limits it falls */
};

/* Marks the limits of one kind that have this name. */
static void mark(const struct asking *asking, size_t host, enum config_limit_kind kind,
		 const char *name)
{
	struct config_limit limit;

	for (size_t i = 0; config_limit(asking->call->config, i, &limit); i++) {
		if (limit.kind == kind && strcmp(limit.name, name) == 0) {
			asking->falls[host * asking->reach->limit_count + i] = true;
		}
	}
}

static void on_route(void *context, uint64_t host, const struct route *route)
{
	for (size_t i = 0; i < route->jump_count; i++) {
		mark(context, (size_t)host, CONFIG_LIMIT_JUMP_HOST, route->jump[i].host);
	}
}

static bool has_kind(const struct call *call, enum config_limit_kind kind)
{
	struct config_limit limit;

	for (size_t i = 0; config_limit(call->config, i, &limit); i++) {
		if (limit.kind == kind) {
			return true;
		}
	}
	return false;
}

/* A name that is no group's bounds nothing, which nobody would see. */
static void tell_unknown(struct call *call, struct inventory *inventory)
{
	struct config_limit limit;
	char shown[128];

	for (size_t i = 0; config_limit(call->config, i, &limit); i++) {
		bool known = limit.kind != CONFIG_LIMIT_GROUP;

		for (size_t g = 0; !known && g < inventory_group_count(inventory); g++) {
			known = strcmp(inventory_group_name(inventory, g), limit.name) == 0;
		}
		if (!known && !call->quiet) {
			(void)fprintf(
				call->log, "muster: %s: max_parallel: no group is called %s\n",
				limit.origin,
				escape_text(bytes_from_string(limit.name), shown, sizeof(shown)));
		}
	}
}

/* From marks to lists of indices, one after the other in one piece of memory. */
static int make_lists(struct reach *reach, const bool *falls, struct error *err)
{
	size_t total = 0, used = 0;

	for (size_t i = 0; i < reach->host_count * reach->limit_count; i++) {
		total += falls[i];
	}
	reach->limit_memory = calloc(total + 1, sizeof(*reach->limit_memory));
	if (!reach->limit_memory) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t host = 0; host < reach->host_count; host++) {
		reach->hosts[host].limits = reach->limit_memory + used;
		for (size_t i = 0; i < reach->limit_count; i++) {
			if (falls[host * reach->limit_count + i]) {
				reach->limit_memory[used++] = i;
				reach->hosts[host].limit_count++;
			}
		}
	}
	return 0;
}

int reach_limits(struct call *call, uv_loop_t *loop, struct inventory *inventory,
		 struct reach *reach, struct error *err)
{
	struct asking asking = {.call = call, .reach = reach};
	struct config_limit limit;
	int status = -1;

	while (config_limit(call->config, reach->limit_count, &limit)) {
		reach->limit_count++;
	}
	if (reach->limit_count == 0) {
		return 0;
	}
	tell_unknown(call, inventory);
	reach->limits = calloc(reach->limit_count, sizeof(*reach->limits));
	asking.falls = calloc(reach->host_count * reach->limit_count + 1, sizeof(bool));
	if (!reach->limits || !asking.falls) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	for (size_t i = 0; config_limit(call->config, i, &limit); i++) {
		reach->limits[i].most = limit.most;
	}
	for (size_t host = 0; host < reach->host_count; host++) {
		const struct sweep_host *h = &reach->hosts[host];

		for (size_t i = 0; i < h->group_count; i++) {
			mark(&asking, host, CONFIG_LIMIT_GROUP, h->groups[i]);
		}
		if (h->transport == reach->ssh && has_kind(call, CONFIG_LIMIT_JUMP_HOST) &&
		    pool_ask_route(reach->ssh, &h->target, on_route, &asking, host, err) < 0) {
			goto out;
		}
	}
	/* ssh answers in children of ours; nothing else keeps the loop alive yet. */
	(void)uv_run(loop, UV_RUN_DEFAULT);
	status = make_lists(reach, asking.falls, err);
out:
	free(asking.falls);
	return status;
}
