// SPDX-License-Identifier: MIT
#include "controller/ssh/talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/ssh/probe_end.h"
#include "schema/escape.h"

#define SAID_SIZE 160U

void talk_init(struct talk *talk, const char *tag, enum become become, uint64_t cap_bytes,
	       void (*frame)(void *context, struct bytes payload), void *context)
{
	*talk = (struct talk){
		.become = become, .cap_bytes = cap_bytes, .frame = frame, .context = context};
	framer_init(&talk->framer, FRAME_MAX);
	bootstrap_init(&talk->bootstrap, tag);
}

void talk_clear(struct talk *talk)
{
	framer_clear(&talk->framer);
}

void talk_keep_excerpt(struct talk *talk, struct bytes data)
{
	size_t room = sizeof(talk->excerpt) - talk->excerpt_len;
	size_t count = data.len < room ? data.len : room;

	if (count > 0) {
		memcpy(talk->excerpt + talk->excerpt_len, data.data, count);
		talk->excerpt_len += count;
	}
}

const char *talk_said(const struct talk *talk, char *to, size_t room)
{
	struct bytes text = {talk->excerpt, talk->excerpt_len};

	while (text.len > 0 && text.data[text.len - 1] <= ' ') {
		text.len--;
	}
	while (text.len > 0 && text.data[0] <= ' ') {
		text.data++;
		text.len--;
	}
	if (text.len == 0) {
		to[0] = '\0';
		return to;
	}
	(void)snprintf(to, room, ": ");
	escape_text(text, to + 2, room - 2);
	return to;
}

static enum talk_event over(struct talk_end *end, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum talk_event over(struct talk_end *end, enum outcome outcome, const char *format, ...)
{
	va_list args;

	end->outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(end->reason, sizeof(end->reason), format, args);
	va_end(args);
	return TALK_OVER;
}

/* --- what comes --- */

static enum talk_event take_bootstrap(struct talk *talk, struct bytes *data, struct talk_end *end)
{
	struct bytes before = *data;
	char text[SAID_SIZE];

	switch (bootstrap_feed(&talk->bootstrap, data)) {
	case BOOTSTRAP_MORE:
		if (talk->state == TALK_SHELL) {
			talk_keep_excerpt(talk, before);
			talk->noisy = before.len > 0;
		}
		return TALK_MORE;
	case BOOTSTRAP_SHELL:
		talk->shell_works = true;
		/* What sudo said on standard error may have come before this line. */
		talk->excerpt_len = talk->noisy ? 0 : talk->excerpt_len;
		talk->noisy = false;
		return TALK_MORE;
	case BOOTSTRAP_READY:
		if (talk->state != TALK_SHELL) {
			break; /* once is enough: the probe is on its way */
		}
		talk->excerpt_len = 0;
		talk->state = TALK_UPLOAD;
		return TALK_ARCH;
	case BOOTSTRAP_FAILED:
		if (strcmp(talk->bootstrap.word, "short") == 0) {
			return over(end, OUTCOME_NO_PLACE, "the probe arrived cut short%s",
				    talk_said(talk, text, sizeof(text)));
		}
		talk->excerpt_len = 0;
		return over(end, OUTCOME_NO_PLACE, "no folder can be written and executed from");
	case BOOTSTRAP_STREAM:
		talk->state = TALK_RUNNING;
		return TALK_STREAM;
	case BOOTSTRAP_TOO_MUCH:
		break;
	}
	talk_keep_excerpt(talk, before);
	return over(end, OUTCOME_OVER_LIMIT, "output without end instead of a shell's answer%s",
		    talk_said(talk, text, sizeof(text)));
}

static bool on_frame(void *context, struct bytes payload)
{
	struct talk *talk = context;

	talk->frame(talk->context, payload);
	return true;
}

static enum talk_event take_stream(struct talk *talk, struct bytes *data, struct talk_end *end)
{
	struct bytes input = *data;

	data->len = 0;
	switch (framer_feed(&talk->framer, input, on_frame, talk)) {
	case FRAMER_OK:
	case FRAMER_STOPPED:
		return TALK_MORE;
	case FRAMER_INVALID:
		talk->excerpt_len = 0;
		talk_keep_excerpt(talk, input);
		return over(end, OUTCOME_PROTOCOL_ERROR, "a message with an impossible length");
	case FRAMER_NOMEM:
		break;
	}
	return over(end, OUTCOME_INTERNAL, "no memory for a message");
}

enum talk_event talk_count(struct talk *talk, size_t len, struct talk_end *end)
{
	talk->received_bytes += len;
	if (talk->cap_bytes != 0 && talk->received_bytes > talk->cap_bytes) {
		return over(end, OUTCOME_OVER_LIMIT, "sent more than %llu bytes",
			    (unsigned long long)talk->cap_bytes);
	}
	return TALK_MORE;
}

enum talk_event talk_output(struct talk *talk, struct bytes *data, struct talk_end *end)
{
	enum talk_event event = TALK_MORE;

	while (event == TALK_MORE && data->len > 0) {
		event = talk->state == TALK_RUNNING ? take_stream(talk, data, end)
						    : take_bootstrap(talk, data, end);
	}
	return event;
}

/* --- the upload --- */

size_t talk_head(size_t size, const struct digest *sha256, size_t packed, char line[TALK_HEAD_SIZE])
{
	int len = snprintf(line, TALK_HEAD_SIZE, "%zu ", size);

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		len += snprintf(line + len, TALK_HEAD_SIZE - (size_t)len, "%02x", sha256->bytes[i]);
	}
	if (packed > 0) {
		len += snprintf(line + len, TALK_HEAD_SIZE - (size_t)len, " %zu", packed);
	}
	len += snprintf(line + len, TALK_HEAD_SIZE - (size_t)len, "\n");
	return (size_t)len;
}

void talk_no_probe(const struct talk *talk, struct talk_end *end)
{
	(void)over(end, OUTCOME_ARCH_UNKNOWN, "there is no probe for %s", talk->bootstrap.word);
}

/* --- the end --- */

static void end_before_probe(const struct talk *talk, int status, struct talk_end *end)
{
	bool uploading = talk->state == TALK_UPLOAD;
	char text[SAID_SIZE];

	(void)talk_said(talk, text, sizeof(text));
	if (memmem(talk->excerpt, talk->excerpt_len, "fork", 4)) {
		(void)over(end, OUTCOME_NO_PROCESS, "cannot start a process%s", text);
	} else if (uploading && talk->become == BECOME_PINNED && status == 1) {
		/* The probe has no status 1: it is sudo that did not start it. */
		(void)over(end, OUTCOME_NO_SUDO,
			   "sudo -n does not allow this probe: muster sudoers prints the rule%s",
			   text);
	} else if (uploading) {
		const char *own = probe_end_text(status);

		(void)over(end, probe_end_outcome(status, false),
			   "the probe did not start (status %d)%s%s%s", status, own ? ": " : "",
			   own ? own : "", text);
	} else if (talk->shell_works) {
		(void)over(end, OUTCOME_NO_SUDO, "sudo -n ended with status %d%s", status, text);
	} else {
		(void)over(end, OUTCOME_SHELL_REFUSED, "no shell answered (status %d)%s", status,
			   text);
	}
}

void talk_ended(const struct talk *talk, int status, struct bytes signal, struct talk_end *end)
{
	const char *own = probe_end_text(status);
	char text[SAID_SIZE];

	if (signal.len > 0) {
		escape_text(signal, text, sizeof(text));
		(void)over(end, OUTCOME_KILLED, "%s died of signal %s",
			   talk->state == TALK_RUNNING ? "the probe" : "the shell", text);
	} else if (talk->state != TALK_RUNNING) {
		end_before_probe(talk, status, end);
	} else if (status == 0 && framer_is_empty(&talk->framer)) {
		(void)over(end, OUTCOME_CLEAN, "%s", "");
	} else if (status == 0) {
		(void)over(end, OUTCOME_KILLED, "ended in the middle of a message");
	} else {
		(void)over(end, probe_end_outcome(status, true),
			   "the probe ended with status %d%s%s%s", status, own ? ": " : "",
			   own ? own : "", talk_said(talk, text, sizeof(text)));
	}
}
