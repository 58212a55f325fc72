// SPDX-License-Identifier: MIT
#include "controller/ssh/openssh/openssh.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "controller/ssh/openssh/ssh_words.h"
#include "controller/ssh/pace.h"
#include "controller/ssh/piped.h"
#include "schema/escape.h"
#include "schema/frame.h"

#define TICK_MS 100U
#define FAILED 255 /* ssh's own status, and that of a command that died of a signal */
#define TAG_BYTES (BOOTSTRAP_TAG_SIZE / 2)

struct openssh {
	struct openssh_handler handler;
	void *context;
	struct piped *piped;
	uv_timer_t tick;
	struct talk talk;
	struct pace pace;
	struct ssh_words words;
	const struct openssh_probe *probe;
	size_t probe_count;
	enum control_stage stage;
	uint32_t connect_timeout_ms;
	bool paused;
	bool ending;
	struct talk_end end;
	uint64_t sent_bytes;
	uint64_t probe_bytes;
};

/* The only place where the stage changes. */
static void set_stage(struct openssh *openssh, enum control_stage stage)
{
	uint64_t phase_ms = openssh->connect_timeout_ms;

	openssh->stage = stage;
	/* Up to the login ssh goes through what are several phases elsewhere, without a word. */
	pace_phase(&openssh->pace,
		   stage == STAGE_RUNNING ? PACE_SILENCE_MS : phase_ms * PACE_SHELL_PATIENCE);
	openssh->handler.stage(openssh->context, stage);
}

static void end(struct openssh *openssh, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* How it ends, once; `closed` comes when all of it is gone. */
static void end(struct openssh *openssh, enum outcome outcome, const char *format, ...)
{
	va_list args;

	if (openssh->ending) {
		return;
	}
	openssh->ending = true;
	openssh->end.outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(openssh->end.reason, sizeof(openssh->end.reason), format, args);
	va_end(args);
	piped_stop(openssh->piped);
}

static void on_tick_closed(uv_handle_t *handle)
{
	struct openssh *openssh = handle->data;
	struct control_closed closed = {
		.outcome = openssh->end.outcome,
		.reason = bytes_from_string(openssh->end.reason),
		.excerpt = {openssh->talk.excerpt, openssh->talk.excerpt_len},
		.sent_bytes = openssh->sent_bytes,
		.received_bytes = openssh->talk.received_bytes,
		.probe_bytes = openssh->probe_bytes,
	};

	if (openssh->handler.closed) {
		openssh->handler.closed(openssh->context, &closed);
	}
	talk_clear(&openssh->talk);
	free(openssh);
}

static void on_gone(void *context)
{
	struct openssh *openssh = context;

	uv_close((uv_handle_t *)&openssh->tick, on_tick_closed);
}

/* --- what comes --- */

static void on_log(void *context, struct bytes data)
{
	struct openssh *openssh = context;

	if (ssh_words_feed(&openssh->words, data) && openssh->stage == STAGE_CONNECTING) {
		/* What stood on standard error before was a banner, or a proxy's. */
		openssh->talk.excerpt_len = 0;
		set_stage(openssh, STAGE_BOOTSTRAP);
	}
}

static void start_upload(struct openssh *openssh)
{
	char line[TALK_HEAD_SIZE];
	struct talk_end none;
	struct error err;

	for (size_t i = 0; i < openssh->probe_count; i++) {
		const struct openssh_probe *probe = &openssh->probe[i];
		size_t len;

		if (strcmp(probe->arch, openssh->talk.bootstrap.word) != 0) {
			continue;
		}
		set_stage(openssh, STAGE_UPLOAD);
		len = talk_head(probe->data.len, &probe->sha256, 0, line);
		if (piped_write(openssh->piped, bytes_make(line, len), (struct bytes){NULL, 0},
				&err) < 0 ||
		    piped_write_borrowed(openssh->piped, probe->data, &err) < 0) {
			end(openssh, OUTCOME_INTERNAL, "%.200s", err.msg);
		}
		return;
	}
	talk_no_probe(&openssh->talk, &none);
	end(openssh, none.outcome, "%s", none.reason);
}

static bool count(struct openssh *openssh, size_t len)
{
	struct talk_end over;

	pace_moved(&openssh->pace, len);
	if (openssh->stage == STAGE_RUNNING) {
		openssh->pace.phase_end_ms = openssh->pace.now_ms + PACE_SILENCE_MS;
	}
	if (talk_count(&openssh->talk, len, &over) == TALK_OVER) {
		end(openssh, over.outcome, "%s", over.reason);
		return false;
	}
	return true;
}

static void on_output(void *context, struct bytes data)
{
	struct openssh *openssh = context;
	struct talk_end over;

	if (!count(openssh, data.len)) {
		return;
	}
	while (data.len > 0 && !openssh->ending) {
		switch (talk_output(&openssh->talk, &data, &over)) {
		case TALK_MORE:
			break;
		case TALK_ARCH:
			start_upload(openssh);
			break;
		case TALK_STREAM:
			set_stage(openssh, STAGE_RUNNING);
			break;
		case TALK_OVER:
			end(openssh, over.outcome, "%s", over.reason);
			break;
		}
	}
}

static void on_error_output(void *context, struct bytes data)
{
	struct openssh *openssh = context;

	talk_keep_excerpt(&openssh->talk, data);
	(void)count(openssh, data.len);
}

static void on_frame(void *context, struct bytes payload)
{
	struct openssh *openssh = context;

	if (!openssh->ending) {
		openssh->handler.frame(openssh->context, payload);
	}
}

static void on_written(void *context, size_t len, bool borrowed, bool ok)
{
	struct openssh *openssh = context;

	if (ok) {
		pace_moved(&openssh->pace, len);
		openssh->sent_bytes += len;
		openssh->probe_bytes += borrowed ? len : 0;
	}
}

/* --- the end --- */

/* ssh itself failed, or the host's command died of a signal: both are 255. */
static void end_failed(struct openssh *openssh)
{
	char text[400], said[160] = "";
	enum outcome outcome = ssh_words_reason(&openssh->words, text, sizeof(text));
	struct talk_end over;

	if (outcome == OUTCOME_NOT_ASKED && openssh->words.authenticated) {
		if (openssh->talk.state == TALK_RUNNING) {
			end(openssh, OUTCOME_KILLED, "the probe died of a signal");
		} else {
			talk_ended(&openssh->talk, FAILED, (struct bytes){NULL, 0}, &over);
			end(openssh, over.outcome, "%s", over.reason);
		}
		return;
	}
	if (!openssh->words.authenticated &&
	    (outcome == OUTCOME_LOST || outcome == OUTCOME_NOT_ASKED)) {
		/* A proxy says its own part on standard error. */
		(void)talk_said(&openssh->talk, said, sizeof(said));
	}
	end(openssh, outcome == OUTCOME_NOT_ASKED ? OUTCOME_LOST : outcome, "%s%s",
	    text[0] ? text : "ssh failed without a word", said);
}

static void on_ended(void *context, int status, int term_signal)
{
	struct openssh *openssh = context;
	struct talk_end over;

	if (term_signal != 0) {
		end(openssh, OUTCOME_INTERNAL, "ssh died of signal %d (%s)", term_signal,
		    strsignal(term_signal));
	} else if (status == FAILED ||
		   (!openssh->words.authenticated && openssh->talk.state == TALK_SHELL &&
		    !openssh->talk.shell_works)) {
		end_failed(openssh);
	} else {
		talk_ended(&openssh->talk, status, (struct bytes){NULL, 0}, &over);
		end(openssh, over.outcome, "%s", over.reason);
	}
}

/* --- deadlines --- */

static const char *stage_name(const struct openssh *openssh)
{
	switch (openssh->stage) {
	case STAGE_BOOTSTRAP:
		return "bootstrap";
	case STAGE_UPLOAD:
		return "upload";
	case STAGE_RUNNING:
		return "running";
	case STAGE_CONNECTING:
	case STAGE_HANDSHAKE:
	case STAGE_AUTH:
	case STAGE_CARRYING:
	case STAGES:
		break;
	}
	return "connect";
}

static void on_tick(uv_timer_t *timer)
{
	struct openssh *openssh = timer->data;
	bool running = openssh->stage == STAGE_RUNNING;

	if (openssh->ending) {
		return;
	}
	switch (pace_check(&openssh->pace, uv_now(timer->loop), !openssh->paused,
			   running && !framer_is_empty(&openssh->talk.framer))) {
	case PACE_ON:
		break;
	case PACE_DEADLINE:
		end(openssh, running ? OUTCOME_KILLED : OUTCOME_TIMEOUT,
		    "not finished at its deadline (%s)", stage_name(openssh));
		break;
	case PACE_STALLED:
		end(openssh, OUTCOME_KILLED, "a message that does not go on");
		break;
	case PACE_PHASE:
		if (running) {
			end(openssh, OUTCOME_KILLED, "the probe says nothing any more");
		} else {
			end(openssh, OUTCOME_TIMEOUT, "no answer in time (%s)",
			    stage_name(openssh));
		}
		break;
	}
}

/* --- the start --- */

static bool make_tag(char tag[BOOTSTRAP_TAG_SIZE + 1])
{
	uint8_t random[TAG_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		(void)snprintf(tag + 2 * i, 3, "%02x", random[i]);
	}
	return true;
}

static int run(struct openssh *openssh, uv_loop_t *loop, const struct openssh_start *start,
	       const char *command, struct error *err)
{
	static const struct piped_handler handler = {
		.output = on_output,
		.error_output = on_error_output,
		.log = on_log,
		.ended = on_ended,
		.gone = on_gone,
		.written = on_written,
	};
	char **args = openssh_arguments(start, command);
	char **environment = openssh_environment(environ, start);
	const struct piped_options options = {
		.file = start->guard,
		.args = args,
		.environment = environment,
		.buffer = start->buffer,
		.stop_signal = SIGTERM,
		.own_session = true,
	};
	int result = args && environment
			     ? piped_start(loop, &options, &handler, openssh, &openssh->piped, err)
			     : error_set(err, ERROR_NOMEM, ENOMEM, "too much for ssh's arguments");

	free(args);
	free(environment);
	return result;
}

static int check(const struct openssh_start *start, struct error *err)
{
	char shown[100];

	if (!openssh_is_user(start->user)) {
		return error_set(err, ERROR_CONFIG, 0, "\"%s\" is no user's name for ssh",
				 escape_text(bytes_from_string(start->user), shown, sizeof(shown)));
	}
	return 0;
}

int openssh_new(uv_loop_t *loop, const struct openssh_start *start,
		const struct openssh_handler *handler, void *context, struct openssh **openssh_out,
		struct error *err)
{
	char tag[BOOTSTRAP_TAG_SIZE + 1], command[BOOTSTRAP_COMMAND_MAX];
	struct openssh *openssh;
	size_t largest = 0;

	for (size_t i = 0; i < start->probe_count; i++) {
		largest = start->probe[i].data.len > largest ? start->probe[i].data.len : largest;
	}
	if (check(start, err) < 0) {
		return -1;
	}
	openssh = calloc(1, sizeof(*openssh));
	if (!openssh || !make_tag(tag) ||
	    bootstrap_command(tag, start->become, largest, command, sizeof(command)) == 0) {
		free(openssh);
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a session");
	}
	openssh->handler = *handler;
	openssh->context = context;
	openssh->probe = start->probe;
	openssh->probe_count = start->probe_count;
	openssh->connect_timeout_ms = start->connect_timeout_ms;
	talk_init(&openssh->talk, tag, start->become, start->cap_bytes, on_frame, openssh);
	ssh_words_init(&openssh->words);
	(void)uv_timer_init(loop, &openssh->tick);
	openssh->tick.data = openssh;
	if (run(openssh, loop, start, command, err) < 0) {
		openssh->handler.closed = NULL;
		on_gone(openssh);
		return -1;
	}
	pace_begin(&openssh->pace, uv_now(loop), start->timeout_ms);
	set_stage(openssh, STAGE_CONNECTING);
	(void)uv_timer_start(&openssh->tick, on_tick, TICK_MS, TICK_MS);
	*openssh_out = openssh;
	return 0;
}

/* --- what the owner says --- */

int openssh_send(struct openssh *openssh, struct bytes payload, struct error *err)
{
	uint8_t head[FRAME_HEAD];

	/* Nothing goes to the host before its probe has spoken. */
	if (openssh->ending || openssh->stage != STAGE_RUNNING || payload.len == 0 ||
	    payload.len > FRAME_MAX) {
		return 0;
	}
	frame_head((uint32_t)payload.len, head);
	return piped_write(openssh->piped, bytes_make(head, sizeof(head)), payload, err);
}

void openssh_pause(struct openssh *openssh, bool paused)
{
	openssh->paused = paused;
	pace_restart(&openssh->pace);
	piped_pause(openssh->piped, paused);
}

void openssh_abort(struct openssh *openssh)
{
	end(openssh, OUTCOME_NOT_ASKED, "ended by us");
}
