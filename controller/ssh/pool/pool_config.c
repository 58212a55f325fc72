// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ssh/pool/pool_private.h"
#include "schema/escape.h"

/* --- known_hosts files --- */

/* Paths with blanks between, as ssh -G prints them. */
static int load_list(struct pool *pool, struct known_hosts *known, const struct channel *channel,
		     const char *list, struct error *err)
{
	char path[4096], *copy = strdup(list ? list : ""), *save = NULL;
	int result = copy ? 0 : -1;

	for (char *word = copy ? strtok_r(copy, " ", &save) : NULL; word && result == 0;
	     word = strtok_r(NULL, " ", &save)) {
		if (strcmp(word, "none") != 0 &&
		    ssh_config_expand(word, pool->home, channel->name, channel->user, path,
				      sizeof(path))) {
			result = known_hosts_load(known, path, false, err);
		}
	}
	free(copy);
	return result;
}

static struct known_hosts *known_for(struct pool *pool, const struct channel *channel,
				     const struct ssh_config_answer *answer, struct error *err)
{
	const char *own = answer->user_known_hosts ? answer->user_known_hosts : "";
	const char *global = answer->global_known_hosts ? answer->global_known_hosts : "";
	struct pool_known *one = NULL;
	char *list = NULL;

	if (asprintf(&list, "%s\n%s", own, global) < 0) {
		return NULL;
	}
	for (one = pool->other_known; one; one = one->next) {
		if (strcmp(one->list, list) == 0) {
			free(list);
			return one->known;
		}
	}
	one = calloc(1, sizeof(*one));
	if (!one || known_hosts_new(&one->known, err) < 0) {
		goto failed;
	}
	if (load_list(pool, one->known, channel, own, err) < 0 ||
	    load_list(pool, one->known, channel, global, err) < 0) {
		goto failed;
	}
	one->list = list;
	one->next = pool->other_known;
	pool->other_known = one;
	return one->known;
failed:
	if (one) {
		known_hosts_free(one->known);
	}
	free(one);
	free(list);
	return NULL;
}

/* --- keys --- */

void channel_offer(struct channel *channel, size_t index)
{
	for (size_t i = 0; i < channel->key_count; i++) {
		if (channel->key[i] == index) {
			return;
		}
	}
	if (channel->key_count < CONTROL_KEYS_MAX) {
		channel->key[channel->key_count++] = index;
	}
}

/* The keys of a file, loaded at its first use. */
static const struct pool_identity *identity_of(struct pool *pool, const char *path,
					       bool certificate)
{
	struct pool_identity *identity = NULL;
	struct error ignored;
	size_t before;

	HASH_FIND_STR(pool->identities, path, identity);
	if (identity) {
		return identity;
	}
	identity = calloc(1, sizeof(*identity) + strlen(path) + 1);
	if (!identity) {
		return NULL;
	}
	memcpy(identity->path, path, strlen(path));
	/* One that is not there is no fault: ssh's own defaults are not all there either. */
	if (access(path, R_OK) == 0) {
		before = keys_count(pool->keys);
		if (!certificate) {
			(void)!keys_add_file(pool->keys, path, &identity->first, &identity->count,
					     &ignored);
			identity->is_security = identity->count == 0 && keys_is_security_file(path);
		} else if (keys_add_certificate(pool->keys, path, &ignored) == 0) {
			identity->first = before;
			identity->count = keys_count(pool->keys) - before;
		}
	}
	HASH_ADD_STR(pool->identities, path, identity);
	if (!identity->hh.tbl) {
		free(identity);
		return NULL;
	}
	return identity;
}

static void offer_files(struct channel *channel, const char *const *paths, size_t count,
			bool certificate)
{
	struct pool *pool = channel->pool;
	char path[4096];

	for (size_t i = 0; i < count; i++) {
		const struct pool_identity *identity =
			ssh_config_expand(paths[i], pool->home, channel->address, channel->user,
					  path, sizeof(path))
				? identity_of(pool, path, certificate)
				: NULL;

		channel->security_keys |= identity && identity->is_security;
		for (size_t j = 0; identity && j < identity->count; j++) {
			channel_offer(channel, identity->first + j);
		}
	}
}

bool channel_own_identity(struct channel *channel)
{
	struct pool *pool = channel->pool;
	const struct pool_identity *identity = NULL;
	char path[4096];
	bool home;
	int len;

	if (!channel->identity) {
		return true;
	}
	home = strncmp(channel->identity, "~/", 2) == 0;
	len = snprintf(path, sizeof(path), "%s%s", home ? pool->home : "",
		       channel->identity + (home ? 1 : 0));
	if (len > 0 && (size_t)len < sizeof(path)) {
		identity = identity_of(pool, path, false);
	}
	if (identity && identity->is_security) {
		channel->security_keys = channel->own_is_security = true;
		return true;
	}
	/* One that wants a passphrase may be the agent's too: ssh finds that out by itself. */
	if (identity && identity->count == 0 && channel->speaker == SPEAKER_SSH &&
	    access(path, R_OK) == 0) {
		return true;
	}
	if (!identity || identity->count == 0) {
		char text[200];

		escape_text(bytes_from_string(channel->identity), text, sizeof(text));
		channel_end(channel, OUTCOME_AUTH_FAILED,
			    "its private key's file %.190s cannot be used (a passphrase needs "
			    "ssh-add)",
			    text);
		return false;
	}
	for (size_t i = 0; i < identity->count; i++) {
		channel_offer(channel, identity->first + i);
	}
	channel->own_key_count = channel->key_count;
	return true;
}

static void choose_keys(struct channel *channel, const struct ssh_config_answer *answer)
{
	struct keys *keys = channel->pool->keys;
	bool agent = !answer->identities_only &&
		     !(answer->identity_agent && strcmp(answer->identity_agent, "none") == 0);

	channel->keys_chosen = true;
	/* A certificate wants its key to be there first, and to be offered before it. */
	offer_files(channel, answer->identity, answer->identity_count, false);
	channel->key_count = channel->own_key_count;
	offer_files(channel, answer->certificate, answer->certificate_count, true);
	offer_files(channel, answer->identity, answer->identity_count, false);
	for (size_t i = 0; i < channel->pool->own_keys; i++) {
		if (keys_is_agents(keys, i) ? agent : channel->pool->keys_given) {
			channel_offer(channel, i);
		}
	}
}

/* --- taking it over --- */

static bool replace(char **text, const char *by)
{
	char *copy = strdup(by);

	if (copy) {
		free(*text);
		*text = copy;
	}
	return copy != NULL;
}

/* False: it has ended. What the inventory says of the way wins over ssh_config. */
static bool take_route(struct channel *channel, const struct ssh_config_answer *answer)
{
	struct error err = {0};
	int result = 0;

	if (!channel->route_given && answer->proxy_jump) {
		result = route_read_jumps(answer->proxy_jump, &channel->route, &err);
	} else if (!channel->route_given && answer->proxy_command) {
		result = route_set_command(answer->proxy_command, &channel->route, &err);
	}
	if (result < 0) {
		channel_end(channel, err.kind == ERROR_NOMEM ? OUTCOME_INTERNAL : OUTCOME_NO_ROUTE,
			    "%.200s", err.msg);
		return false;
	}
	return true;
}

static void take_over(struct channel *channel, const struct ssh_config_answer *answer)
{
	struct pool *pool = channel->pool;
	struct error err = {0};
	bool ok = true;

	if (!take_route(channel, answer)) {
		return;
	}
	if (!channel->user_given && answer->user) {
		ok = replace(&channel->user, answer->user);
	}
	if (!channel->port_given && answer->port != 0) {
		channel->port = answer->port;
	}
	if (!channel->address_given && answer->hostname) {
		if (!channel_is_host_name(answer->hostname)) {
			channel_end(channel, OUTCOME_NAME_UNKNOWN,
				    "ssh_config's HostName is no host name");
			return;
		}
		ok = ok && replace(&channel->address, answer->hostname);
	}
	if (answer->hostkey_alias) {
		ok = ok && replace(&channel->key_alias, answer->hostkey_alias);
	}
	if (!pool->known_given) {
		channel->known_hosts = known_for(pool, channel, answer, &err);
		ok = ok && channel->known_hosts;
	}
	if (!ok) {
		channel_end(channel, OUTCOME_INTERNAL, "%.200s",
			    err.msg[0] ? err.msg : "no memory");
		return;
	}
	if (!pool->keys_given || channel->carries) {
		choose_keys(channel, answer);
	}
	channel_go(channel, answer);
}

static void on_answer(void *context, uint64_t id, const struct ssh_config_answer *answer,
		      const char *why)
{
	struct pool *pool = context;
	struct channel *channel = NULL;

	HASH_FIND(hh, pool->channels, &id, sizeof(id), channel);
	if (!channel || channel->state != CHANNEL_RESOLVING) {
		return;
	}
	if (why) {
		channel_end(channel, OUTCOME_INTERNAL, "%.200s", why);
	} else if (answer) {
		take_over(channel, answer);
	} else {
		channel_go(channel, NULL);
	}
}

void channel_ask_config(struct channel *channel)
{
	channel_look_up(channel, on_answer);
}

void channel_look_up(struct channel *channel, ssh_config_done done)
{
	/* People write ssh_config for the names they use. */
	const char *name = channel_is_host_name(channel->name) ? channel->name : channel->address;

	ssh_config_ask(channel->pool->config, name, done, channel->pool, channel->id);
}

/* --- asking for the way alone --- */

struct route_asked {
	pool_route told;
	void *context;
	uint64_t token;
};

static void on_route(void *context, uint64_t token, const struct ssh_config_answer *answer,
		     const char *why)
{
	struct route_asked *asked = context;
	struct route route = {.jump_count = 0};
	struct error ignored;

	(void)token;
	(void)why; /* whoever opens the host will hear of it */
	if (answer && answer->proxy_jump) {
		(void)!route_read_jumps(answer->proxy_jump, &route, &ignored);
	}
	asked->told(asked->context, asked->token, &route);
	route_clear(&route);
	free(asked);
}

int pool_ask_route(struct transport *transport, const struct target *target, pool_route told,
		   void *context, uint64_t token, struct error *err)
{
	struct pool *pool = (struct pool *)transport;
	const char *name = channel_is_host_name(target->name) ? target->name : target->address;
	struct route_asked *asked;
	struct route route = {.jump_count = 0};
	struct error ignored;

	if (target->jump || !pool->config || !name || !channel_is_host_name(name)) {
		if (target->jump) {
			(void)!route_read_jumps(target->jump, &route, &ignored);
		}
		told(context, token, &route);
		route_clear(&route);
		return 0;
	}
	asked = malloc(sizeof(*asked));
	if (!asked) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to ask ssh_config");
	}
	*asked = (struct route_asked){told, context, token};
	ssh_config_ask(pool->config, name, on_route, asked, 0);
	return 0;
}

void pool_config_clear(struct pool *pool)
{
	struct pool_identity *identity, *next_identity;

	ssh_config_free(pool->config);
	pool->config = NULL;
	while (pool->other_known) {
		struct pool_known *next = pool->other_known->next;

		known_hosts_free(pool->other_known->known);
		free(pool->other_known->list);
		free(pool->other_known);
		pool->other_known = next;
	}
	HASH_ITER (hh, pool->identities, identity, next_identity) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(pool->identities, identity); /* NOLINT(clang-analyzer-unix.Malloc) */
		free(identity);
	}
}
