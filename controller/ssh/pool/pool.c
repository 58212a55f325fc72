// SPDX-License-Identifier: MIT
#include "controller/ssh/pool/pool.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "controller/ssh/helper.h"
#include "controller/ssh/pool/pool_private.h"

#define TICK_MS 1000U
/* A second child is worth its start only for some hosts. */
#define CHILD_ENOUGH 32U
/* OpenSSH does not count what it forwards; one connection should not carry everybody. */
#define JUMP_CHANNELS 50U

/* --- children --- */

static void on_message(void *context, const struct control_message *message);
static void on_gone(void *context, const char *why);

static bool send_probe(struct pool_child *child, const struct pool_probe *probe)
{
	for (size_t at = 0; at < probe->size; at += CONTROL_CHUNK_MAX) {
		struct control_message message = {.type = CONTROL_PROBE};
		size_t left = probe->size - at;

		message.probe = (struct control_probe){
			.arch = bytes_from_string(probe->arch),
			.sha256 = probe->sha256,
			.size = probe->size,
			.offset = at,
			.chunk = {probe->data + at,
				  left < CONTROL_CHUNK_MAX ? left : CONTROL_CHUNK_MAX},
		};
		if (!link_send(&child->process->link, &message)) {
			return false;
		}
	}
	return true;
}

static int start_child(struct pool_child *child, struct error *err)
{
	struct pool *pool = child->pool;

	if (child_start(pool->loop, pool->helper, on_message, on_gone, child, &child->process,
			err) < 0) {
		return -1;
	}
	child->ready = false;
	for (size_t i = 0; i < pool->probe_count; i++) {
		if (!send_probe(child, &pool->probe[i])) {
			child_close(child->process);
			child->process = NULL;
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for the probes");
		}
	}
	return 0;
}

struct pool_child *pool_take_child(struct pool *pool, struct error *err)
{
	struct pool_child *best = NULL, *idle = NULL;

	for (unsigned i = 0; i < pool->child_count; i++) {
		struct pool_child *child = &pool->child[i];

		if (!child->process) {
			idle = idle ? idle : child;
		} else if (!best || child->live < best->live) {
			best = child;
		}
	}
	if (idle && (!best || best->live >= CHILD_ENOUGH)) {
		if (start_child(idle, err) == 0) {
			return idle;
		}
		return best; /* one is better than none */
	}
	return best;
}

static void on_message(void *context, const struct control_message *message)
{
	struct pool_child *child = context;
	struct channel *channel = NULL;
	uint64_t id = 0;

	switch (message->type) {
	case CONTROL_READY:
		child->ready = true;
		return;
	case CONTROL_STAGE:
		id = message->stage.id;
		break;
	case CONTROL_FRAME:
		id = message->data.id;
		break;
	case CONTROL_SIGN:
		id = message->sign.id;
		break;
	case CONTROL_CLOSED:
		id = message->closed.id;
		break;
	case CONTROL_PROBE:
	case CONTROL_START:
	case CONTROL_SEND:
	case CONTROL_PAUSE:
	case CONTROL_ABORT:
	case CONTROL_SIGNED:
		break; /* never from a child: id 0 is no channel */
	}
	HASH_FIND(hh, child->pool->channels, &id, sizeof(id), channel);
	/* A child speaks for its own hosts only. */
	if (channel && channel->child == child) {
		channel_message(channel, message);
	}
}

static void on_gone(void *context, const char *why)
{
	struct pool_child *child = context;
	struct channel *channel, *next;

	child_close(child->process);
	child->process = NULL;
	HASH_ITER (hh, child->pool->channels, channel, next) {
		if (channel->child == child) {
			channel_end(channel, OUTCOME_INTERNAL, "%.200s", why);
		}
	}
	child->live = 0;
}

/* --- telling --- */

static void on_defer(uv_timer_t *timer)
{
	struct pool *pool = timer->data;

	while (pool->ended) {
		struct channel *channel = pool->ended;

		pool->ended = channel->next_ended;
		if (!pool->ended) {
			pool->ended_tail = &pool->ended;
		}
		channel_tell_and_free(channel);
	}
	if (pool->jumps_due) {
		pool_jumps_pump(pool);
	}
	if (pool->guests == 0) {
		for (unsigned i = 0; i < pool->child_count; i++) {
			if (pool->child[i].process) {
				child_hold(pool->child[i].process, false);
			}
		}
		(void)uv_timer_stop(&pool->tick);
	}
}

void pool_wake(struct pool *pool)
{
	if (!uv_is_active((uv_handle_t *)&pool->defer)) {
		(void)uv_timer_start(&pool->defer, on_defer, 0, 0);
	}
}

/* A child that has lost a host must not cost the run its end. */
static void on_tick(uv_timer_t *timer)
{
	struct pool *pool = timer->data;
	struct channel *channel, *next;
	uint64_t now_ms = uv_now(pool->loop);

	HASH_ITER (hh, pool->channels, channel, next) {
		if (channel->state == CHANNEL_STARTED && channel->overdue_ms != 0 &&
		    now_ms >= channel->overdue_ms) {
			channel_end(channel, OUTCOME_INTERNAL, "muster-ssh did not end it in time");
		}
	}
	pool_jumps_tick(pool);
}

void pool_hold(struct pool *pool)
{
	for (unsigned i = 0; i < pool->child_count; i++) {
		if (pool->child[i].process) {
			child_hold(pool->child[i].process, true);
		}
	}
	(void)uv_timer_start(&pool->tick, on_tick, TICK_MS, TICK_MS);
}

/* --- the transport --- */

static int pool_open(struct transport *self, const struct target *target,
		     const struct channel_handler *handler, void *context, struct channel **channel,
		     struct error *err)
{
	struct pool *pool = (struct pool *)self;

	*channel = channel_new(pool, target, handler, context, err);
	if (!*channel) {
		return -1;
	}
	channel_begin(*channel);
	return 0;
}

static int pool_send(struct channel *channel, struct bytes payload, struct error *err)
{
	if (channel->openssh) {
		return openssh_send(channel->openssh, payload, err);
	}
	if (channel->state != CHANNEL_STARTED ||
	    link_send_data(&channel->child->process->link, CONTROL_SEND, channel->id, payload)) {
		return 0;
	}
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a message");
}

static void pool_pause(struct channel *channel, bool paused)
{
	struct control_message message = {.type = CONTROL_PAUSE};

	if (channel->openssh) {
		openssh_pause(channel->openssh, paused);
		return;
	}
	message.pause.id = channel->id;
	message.pause.on = paused;
	if (channel->state == CHANNEL_STARTED &&
	    !link_send(&channel->child->process->link, &message)) {
		channel_end(channel, OUTCOME_INTERNAL, "no memory for a message");
	}
}

static void pool_abort(struct channel *channel, enum outcome outcome, const char *reason)
{
	channel_abort(channel, outcome, reason);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct pool *pool = handle->data;

	if (--pool->handles > 0) {
		return;
	}
	for (size_t i = 0; i < pool->probe_count; i++) {
		free(pool->probe[i].data);
	}
	for (size_t i = 0; i < pool->jump_limit_count; i++) {
		free((char *)(uintptr_t)pool->jump_limit[i].host);
	}
	free(pool->jump_limit);
	free(pool->user);
	free(pool->login);
	free(pool->home);
	free(pool);
}

static void pool_free(struct transport *self)
{
	struct pool *pool = (struct pool *)self;

	if (!pool) {
		return;
	}
	assert(pool->guests == 0);
	channel_free_all(pool);
	for (unsigned i = 0; i < pool->child_count; i++) {
		child_close(pool->child[i].process);
	}
	keys_free(pool->keys);
	known_hosts_free(pool->known);
	pool_config_clear(pool);
	pool_jumps_clear(pool);
	pool_openssh_clear(pool);
	uv_close((uv_handle_t *)&pool->defer, on_handle_closed);
	uv_close((uv_handle_t *)&pool->tick, on_handle_closed);
}

/* --- making one --- */

static int load_probe(struct pool *pool, const char *path, struct error *err)
{
	struct pool_probe *probe = &pool->probe[pool->probe_count];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strncmp(name, "probe-", 6) != 0 || strlen(name) - 6 >= sizeof(probe->arch)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: a probe is called probe-ARCH", path);
	}
	if (pool->probe_count == sizeof(pool->probe) / sizeof(pool->probe[0])) {
		return error_set(err, ERROR_CONFIG, 0, "%s: too many probes", path);
	}
	if (helper_read(path, HELPER_PROBE_MAX, &probe->data, &probe->size, err) < 0) {
		return -1;
	}
	(void)snprintf(probe->arch, sizeof(probe->arch), "%s", name + 6);
	(void)SHA256(probe->data, probe->size, probe->sha256.bytes);
	pool->probe_count++;
	return 0;
}

static int load_probes(struct pool *pool, const struct pool_options *options, struct error *err)
{
	static const char *const names[] = {"probe-x86_64", "probe-aarch64"};
	char path[4096];

	for (size_t i = 0; i < options->probe_count; i++) {
		if (load_probe(pool, options->probes[i], err) < 0) {
			return -1;
		}
	}
	if (options->probe_count > 0) {
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* Where a cross compiler was missing there is one only. */
		if (helper_path(names[i], path, sizeof(path), err) == 0 &&
		    load_probe(pool, path, err) < 0) {
			return -1;
		}
	}
	return pool->probe_count > 0 ? 0 : -1;
}

/* For ssh, which reads it itself, out of an option in which it stands between quotes. */
static int keep_path(const char *path, char **list, size_t *count, struct error *err)
{
	if (*count == POOL_FILES_MAX || strpbrk(path, "\"\n")) {
		return error_set(err, ERROR_CONFIG, 0, "%.100s: %s", path,
				 *count == POOL_FILES_MAX ? "too many files"
							  : "a name that ssh cannot be given");
	}
	list[*count] = strdup(path);
	if (!list[*count]) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a pool");
	}
	++*count;
	return 0;
}

static int load_known(struct pool *pool, const struct pool_options *options, struct error *err)
{
	static const char *const own[] = {".ssh/known_hosts", ".ssh/known_hosts2"};
	static const char *const system[] = {"/etc/ssh/ssh_known_hosts",
					     "/etc/ssh/ssh_known_hosts2"};
	char path[4096];

	pool->known_given = options->known_hosts_count > 0;
	if (known_hosts_new(&pool->known, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < options->known_hosts_count; i++) {
		if (keep_path(options->known_hosts[i], pool->known_file, &pool->known_file_count,
			      err) < 0 ||
		    known_hosts_load(pool->known, options->known_hosts[i], true, err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < 2 && options->known_hosts_count == 0; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", pool->home, own[i]);
		if (known_hosts_load(pool->known, path, false, err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < 2 && options->known_hosts_count == 0; i++) {
		if (known_hosts_load(pool->known, system[i], false, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int load_keys(struct pool *pool, const struct pool_options *options, struct error *err)
{
	static const char *const own[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
	const char *agent = getenv("SSH_AUTH_SOCK");
	struct error ignored;
	char path[4096];

	if (keys_new(pool->loop, &pool->keys, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < options->identity_count; i++) {
		const char *file = options->identities[i];

		if (keep_path(file, pool->key_file, &pool->key_file_count, err) < 0) {
			return -1;
		}
		if (keys_add_file(pool->keys, file, NULL, NULL, err) == 0) {
			continue;
		}
		if (!keys_is_security_file(file)) {
			return -1;
		}
		pool->security_keys = true;
	}
	/* Nobody asked for these by name: where one cannot be used, others may. */
	if (!options->no_agent && agent && agent[0]) {
		(void)!keys_add_agent(pool->keys, agent, &ignored);
	}
	for (size_t i = 0; i < 3 && options->identity_count == 0; i++) {
		(void)snprintf(path, sizeof(path), "%s/.ssh/%s", pool->home, own[i]);
		if (access(path, R_OK) == 0) {
			(void)!keys_add_file(pool->keys, path, NULL, NULL, &ignored);
		}
	}
	pool->security_keys |= keys_agent_has_security(pool->keys);
	pool->keys_given = options->identity_count > 0;
	pool->own_keys = keys_count(pool->keys);
	return 0;
}

static int load_user(struct pool *pool, const struct pool_options *options, struct error *err)
{
	/* Not $HOME: ssh does not look at it either. */
	const struct passwd *entry = getpwuid(geteuid());

	pool->user_given = options->user != NULL;
	pool->login = strdup(entry ? entry->pw_name : "root");
	pool->user = strdup(options->user ? options->user : entry ? entry->pw_name : "root");
	pool->home = strdup(entry ? entry->pw_dir : "/root");
	return pool->user && pool->home && pool->login
		       ? 0
		       : error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a pool");
}

static int load_limits(struct pool *pool, const struct pool_options *options, struct error *err)
{
	size_t count = options->jump_limit_count;

	pool->jump_channels = options->jump_channels ? options->jump_channels : JUMP_CHANNELS;
	pool->jump_limit = calloc(count + 1, sizeof(*pool->jump_limit));
	for (size_t i = 0; pool->jump_limit && i < count; i++) {
		char *host = strdup(options->jump_limits[i].host);

		if (!host) {
			break;
		}
		pool->jump_limit[i] = (struct pool_jump_limit){host, options->jump_limits[i].most};
		pool->jump_limit_count++;
	}
	return pool->jump_limit && pool->jump_limit_count == count
		       ? 0
		       : error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a pool");
}

int pool_new(uv_loop_t *loop, const struct pool_options *options, struct transport **transport,
	     struct error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned children = options->children;

	if (!pool) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a pool");
	}
	pool->transport = (struct transport){
		.name = "ssh",
		.open = pool_open,
		.send = pool_send,
		.pause = pool_pause,
		.abort = pool_abort,
		.free = pool_free,
	};
	pool->loop = loop;
	pool->port = options->port;
	pool->ended_tail = &pool->ended;
	if (children == 0) {
		children = cores > 0 ? (unsigned)cores : 1;
	}
	pool->child_count = children < POOL_CHILDREN_MAX ? children : POOL_CHILDREN_MAX;
	for (unsigned i = 0; i < pool->child_count; i++) {
		pool->child[i].pool = pool;
	}
	(void)uv_timer_init(loop, &pool->defer);
	(void)uv_timer_init(loop, &pool->tick);
	pool->defer.data = pool;
	pool->tick.data = pool;
	pool->handles = 2;
	pool->no_agent = options->no_agent;
	if (options->guard) {
		(void)snprintf(pool->guard, sizeof(pool->guard), "%s", options->guard);
	}
	if (options->helper) {
		(void)snprintf(pool->helper, sizeof(pool->helper), "%s", options->helper);
	} else if (helper_path("muster-ssh", pool->helper, sizeof(pool->helper), err) < 0) {
		goto out;
	}
	if (load_limits(pool, options, err) < 0 || load_user(pool, options, err) < 0 ||
	    load_probes(pool, options, err) < 0 || load_known(pool, options, err) < 0 ||
	    load_keys(pool, options, err) < 0) {
		goto out;
	}
	if (options->ssh_config && !(pool->ssh_config = strdup(options->ssh_config))) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a pool");
		goto out;
	}
	if (!options->no_ssh_config &&
	    ssh_config_new(loop, options->ssh_config, &pool->config, err) < 0) {
		goto out;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	*transport = &pool->transport;
	return 0;
out:
	pool_free(&pool->transport);
	return -1;
}
