// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ssh/helper.h"
#include "controller/ssh/piped.h"
#include "controller/ssh/pool/pool_private.h"
#include "controller/ssh/route/choose.h"
#include "schema/escape.h"

/* Each is a process with keys and a key exchange of its own, in muster's memory and on its cores. */
#define RUNNING_MAX 32U

/* Hosts that libssh2 turned out to be no match for: a retry asks ssh at once. */
struct pool_remembered {
	UT_hash_handle hh;
	const char *why;
	char host[];
};

/* --- one session --- */

static void on_stage(void *context, enum control_stage stage)
{
	struct channel *channel = context;
	struct control_message message = {.type = CONTROL_STAGE};

	channel->through |= stage == STAGE_BOOTSTRAP;

	message.stage.id = channel->id;
	message.stage.stage = stage;
	channel_message(channel, &message);
}

static void on_frame(void *context, struct bytes payload)
{
	struct channel *channel = context;
	struct control_message message = {.type = CONTROL_FRAME};

	message.data.id = channel->id;
	message.data.payload = payload;
	channel_message(channel, &message);
}

static void on_closed(void *context, const struct control_closed *closed)
{
	struct channel *channel = context;
	struct control_message message = {.type = CONTROL_CLOSED, .closed = *closed};
	struct pool *pool = channel->pool;

	channel->openssh = NULL;
	pool->openssh_running--;
	channel_message(channel, &message);
	pool_openssh_next(pool);
}

static int launch(struct channel *channel, const struct ssh_config_answer *answer,
		  struct error *err)
{
	static const struct openssh_handler handler = {
		.stage = on_stage, .frame = on_frame, .closed = on_closed};
	struct pool *pool = channel->pool;
	struct pool_ssh_options *options = malloc(sizeof(*options));
	struct openssh_start start = {
		.guard = pool->guard,
		.host = channel_is_host_name(channel->name) ? channel->name : channel->address,
		.address = channel->address,
		.user = channel->user,
		.port = channel->port,
		.no_agent = pool->no_agent,
		.become = channel->sudo     ? BECOME_SUDO
			  : channel->pinned ? BECOME_PINNED
					    : BECOME_NONE,
		.connect_timeout_ms = channel->connect_timeout_ms,
		.timeout_ms = channel->timeout_ms,
		.cap_bytes = channel->cap_bytes,
		.probe = pool->openssh_probe,
		.probe_count = pool->probe_count,
		.buffer = pool->openssh_buffer,
	};
	int result;

	if (!options) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for ssh's options");
	}
	pool_ssh_options_fill(options, channel, answer);
	start.options = options->item;
	start.option_count = options->count;
	start.environment = options->hop;
	start.environment_count = options->hop_count;
	result = options->full
			 ? error_set(err, ERROR_CONFIG, 0, "ssh_config says too much for one host")
			 : openssh_new(pool->loop, &start, &handler, channel, &channel->openssh,
				       err);
	free(options);
	return result;
}

static void go(struct channel *channel, const struct ssh_config_answer *answer)
{
	struct error err = {0};

	channel->state = CHANNEL_STARTED;
	channel->overdue_ms = 0; /* it has its own deadlines, here */
	channel->pool->openssh_running++;
	if (launch(channel, answer, &err) < 0) {
		channel->pool->openssh_running--;
		channel_end(channel, OUTCOME_INTERNAL, "%.300s", err.msg);
	}
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
	} else {
		go(channel, answer);
	}
}

static void begin(struct channel *channel)
{
	channel->waits_for_ssh = false;
	if (channel->pool->config) {
		/* It was asked before: the answer is at hand. */
		channel_look_up(channel, on_answer);
	} else {
		go(channel, NULL);
	}
}

void pool_openssh_next(struct pool *pool)
{
	struct channel *channel, *next;

	/* In the order in which they came. */
	HASH_ITER (hh, pool->channels, channel, next) {
		if (pool->openssh_running >= RUNNING_MAX) {
			return;
		}
		if (channel->waits_for_ssh && channel->state == CHANNEL_RESOLVING) {
			begin(channel);
		}
	}
}

static bool prepare(struct pool *pool, struct error *err)
{
	if (pool->openssh_buffer) {
		return true;
	}
	if (access(OPENSSH_PROGRAM, X_OK) != 0) {
		(void)error_set(err, ERROR_CONFIG, 0, OPENSSH_PROGRAM " is not installed");
		return false;
	}
	if (!pool->guard[0] &&
	    helper_path("muster-run-ssh", pool->guard, sizeof(pool->guard), err) < 0) {
		return false;
	}
	pool->openssh_buffer = malloc(PIPED_READ_SIZE);
	for (size_t i = 0; i < pool->probe_count; i++) {
		pool->openssh_probe[i] = (struct openssh_probe){
			.arch = pool->probe[i].arch,
			.sha256 = pool->probe[i].sha256,
			.data = {pool->probe[i].data, pool->probe[i].size},
		};
	}
	return pool->openssh_buffer != NULL;
}

/* --- who speaks --- */

void channel_by_ssh(struct channel *channel, const char *why)
{
	struct error err = {0};
	char stage[TRANSPORT_WHO_SIZE + 16];

	(void)snprintf(channel->transport, sizeof(channel->transport), "ssh (%s)", why);
	(void)snprintf(stage, sizeof(stage), "transport: %s", channel->transport);
	channel_progress(channel, stage);
	if (!prepare(channel->pool, &err)) {
		channel_end(channel, OUTCOME_INTERNAL, "ssh is needed (%s): %.300s", why,
			    err.msg[0] ? err.msg : "no memory");
		return;
	}
	channel->waits_for_ssh = true;
	pool_openssh_next(channel->pool);
}

static void remember(struct pool *pool, const char *host, const char *why)
{
	struct pool_remembered *one = calloc(1, sizeof(*one) + strlen(host) + 1);

	/* Where there is no memory for it, it is only found out again. */
	if (one) {
		one->why = why;
		memcpy(one->host, host, strlen(host));
		HASH_ADD_STR(pool->remembered, host, one);
		if (!one->hh.tbl) {
			free(one);
		}
	}
}

const char *channel_choose(struct channel *channel, const struct ssh_config_answer *answer,
			   size_t pins, size_t authorities)
{
	struct pool_remembered *remembered = NULL;
	struct choose_facts facts = {
		.speaker = channel->carries ? SPEAKER_AUTO : channel->speaker,
		.answer = answer,
		.proxy_command = channel->route.command != NULL,
		.alone_authority = pins == 0 && authorities > 0,
		.keys = channel->own_is_security ? 0 : channel_key_count(channel),
		.security_keys = channel->security_keys || channel->pool->security_keys,
	};

	if (channel->fetching) {
		return NULL;
	}
	if (!channel->carries) {
		HASH_FIND_STR(channel->pool->remembered, channel->name, remembered);
	}
	return remembered && channel->speaker == SPEAKER_AUTO ? remembered->why
							      : choose_speaker(&facts);
}

bool channel_fall_back(struct channel *channel, const struct control_closed *closed)
{
	struct choose_end end = {
		.outcome = closed->outcome,
		.offers = closed->excerpt,
		.security_keys = channel->security_keys || channel->pool->security_keys,
	};
	const char *why;

	if (channel->speaker != SPEAKER_AUTO || channel->fetching || channel->aborting ||
	    !channel->child) {
		return false;
	}
	for (size_t i = 0; i < channel->known_count; i++) {
		end.authority |= channel->known[i].kind == KNOWN_AUTHORITY;
	}
	why = choose_again(&end);
	if (!why) {
		return false;
	}
	if (channel->carries) {
		channel_jump_by_ssh(channel, why);
		return false;
	}
	channel_jump_leave(channel);
	channel->jump = NULL;
	if (!channel_again(channel)) {
		return true;
	}
	remember(channel->pool, channel->name, why);
	channel_by_ssh(channel, why);
	return true;
}

void pool_openssh_clear(struct pool *pool)
{
	struct pool_remembered *one, *next;

	HASH_ITER (hh, pool->remembered, one, next) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(pool->remembered, one); /* NOLINT(clang-analyzer-unix.Malloc) */
		free(one);
	}
	for (size_t i = 0; i < pool->key_file_count; i++) {
		free(pool->key_file[i]);
	}
	for (size_t i = 0; i < pool->known_file_count; i++) {
		free(pool->known_file[i]);
	}
	free(pool->ssh_config);
	free(pool->openssh_buffer);
}
