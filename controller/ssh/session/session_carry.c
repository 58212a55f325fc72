// SPDX-License-Identifier: MIT
#include "controller/ssh/session/session_carry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/ssh/wire.h"

#define WINDOW_SIZE 65536U
#define PACKET_SIZE 32768U
/* For each one carried: libssh2 grants a window and a read more, in packets that have heads. */
#define CARRY_MEMORY (192U << 10)
#define OUT_HIGH (128U << 10) /* those carried wait from here on */
#define OUT_MAX (1U << 20)    /* what libssh2 itself answers to a host that does not read */
#define STEP_BYTES (256U << 10)
/* What it may send beside what those it carries have read: heads, padding, keep-alives, lost data. */
#define OVERHEAD_BASE (8U << 20)
#define OVERHEAD_FACTOR 4U
#define LEAVING_MAX 1024U
#define OPEN_TRIES 3U

/* A channel that was given up: libssh2 lets go of it when the jump host has closed it too. */
struct leaving {
	struct leaving *next;
	LIBSSH2_CHANNEL *channel;
};

struct carry {
	struct session *first; /* those carried, or waiting for a channel */
	size_t count;
	bool opening;                           /* a request is out: libssh2 has one at a time */
	struct session *opener;                 /* whose; NULL: it has left meanwhile */
	uint8_t message[CONTROL_TEXT_MAX + 64]; /* of the request; libssh2 borrows it */
	size_t message_len;
	struct leaving *leaving;
	size_t leaving_count;
	uint8_t *out;
	size_t out_at;
	size_t out_len;
	size_t out_room;
	uint64_t delivered_bytes;
	bool broken;
	bool deaf; /* nobody is carried and something has come: it waits in the socket */
};

static size_t pending(const struct carry *carry)
{
	return carry->out_len - carry->out_at;
}

static void wake(struct session *session)
{
	session->handler.ready(session->context);
}

int session_carry_begin(struct session *jump)
{
	long seconds = (long)(jump->start.connect_timeout_ms + 999) / 1000;

	jump->carry = calloc(1, sizeof(*jump->carry));
	if (!jump->carry) {
		return -1;
	}
	/* A host that does not answer holds the only request that libssh2 can have out. */
	libssh2_session_set_read_timeout(jump->ssh, seconds > 0 ? seconds : 1);
	return 0;
}

/* --- the jump host's own output --- */

static ssize_t send_below(struct session *jump, const void *from, size_t len)
{
	ssize_t n;

	if (jump->start.via != 0) {
		return session_carried_write(jump, from, len);
	}
	n = send(jump->fd, from, len, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static bool keep_out(struct carry *carry, const uint8_t *from, size_t len)
{
	if (carry->out_at > 0) {
		memmove(carry->out, carry->out + carry->out_at, pending(carry));
		carry->out_len -= carry->out_at;
		carry->out_at = 0;
	}
	if (len > carry->out_room - carry->out_len) {
		size_t room = carry->out_room ? carry->out_room : 16384;
		uint8_t *grown;

		while (room < carry->out_len + len) {
			room *= 2;
		}
		grown = realloc(carry->out, room);
		if (!grown) {
			return false;
		}
		carry->out = grown;
		carry->out_room = room;
	}
	memcpy(carry->out + carry->out_len, from, len);
	carry->out_len += len;
	return true;
}

/*
 * libssh2 wants a blocked call to come again before any other, with the same bytes: with several
 * channels that would be several calls. So the session of a jump host is never blocked: what its socket
 * does not take is kept, and those it carries are held back instead.
 */
ssize_t session_carry_queue(struct session *jump, const void *from, size_t len)
{
	struct carry *carry = jump->carry;
	ssize_t n = 0;

	if (pending(carry) == 0) {
		n = send_below(jump, from, len);
		if (n < 0 && n != -EAGAIN) {
			carry->broken = true;
			return n;
		}
		n = n < 0 ? 0 : n;
	}
	if ((size_t)n < len) {
		if (pending(carry) + len > OUT_MAX ||
		    !keep_out(carry, (const uint8_t *)from + n, len - (size_t)n)) {
			carry->broken = true;
			return -ECONNABORTED;
		}
		wake(jump);
	}
	return (ssize_t)len;
}

static void flush(struct session *jump)
{
	struct carry *carry = jump->carry;

	while (pending(carry) > 0) {
		ssize_t n = send_below(jump, carry->out + carry->out_at, pending(carry));

		if (n < 0) {
			carry->broken = carry->broken || n != -EAGAIN;
			return;
		}
		carry->out_at += (size_t)n;
	}
	carry->out_at = 0;
	carry->out_len = 0;
}

/* --- those it carries --- */

void session_go_through(struct session *inner, struct session *jump)
{
	struct carry *carry = jump ? jump->carry : NULL;
	size_t most;

	if (!carry || jump->state != SESSION_CARRYING) {
		inner->via_fault = VIA_LOST;
		return;
	}
	inner->via = jump;
	inner->next_carried = carry->first;
	carry->first = inner;
	carry->count++;
	most = SESSION_MEMORY_CAP + (carry->count + carry->leaving_count) * CARRY_MEMORY;
	if (most > jump->memory.cap_bytes) {
		jump->memory.cap_bytes = most;
	}
	wake(jump);
}

void *session_via_context(const struct session *session)
{
	return session->via ? session->via->context : NULL;
}

static void let_go(struct carry *carry, LIBSSH2_CHANNEL *channel)
{
	struct leaving *leaving = calloc(1, sizeof(*leaving));

	if (leaving) { /* else it goes with the session */
		leaving->channel = channel;
		leaving->next = carry->leaving;
		carry->leaving = leaving;
		carry->leaving_count++;
	}
}

void session_carried_leave(struct session *inner)
{
	struct session *jump = inner->via;
	struct carry *carry;

	if (!jump) {
		return;
	}
	carry = jump->carry;
	for (struct session **at = &carry->first; *at; at = &(*at)->next_carried) {
		if (*at == inner) {
			*at = inner->next_carried;
			carry->count--;
			break;
		}
	}
	if (carry->opener == inner) {
		carry->opener = NULL;
	}
	if (inner->carrier) {
		let_go(carry, inner->carrier);
	}
	inner->carrier = NULL;
	inner->via = NULL;
	wake(jump);
}

void session_carry_end(struct session *jump)
{
	struct carry *carry = jump->carry;

	if (!carry) {
		return;
	}
	while (carry->first) {
		struct session *inner = carry->first;

		carry->first = inner->next_carried;
		inner->via = NULL;
		inner->carrier = NULL; /* libssh2 frees it with the jump host's session */
		inner->via_fault = VIA_LOST;
		wake(inner);
	}
	while (carry->leaving) {
		struct leaving *next = carry->leaving->next;

		free(carry->leaving);
		carry->leaving = next;
	}
	free(carry->out);
	free(carry);
	jump->carry = NULL;
}

ssize_t session_carried_read(struct session *inner, void *to, size_t len)
{
	struct session *jump = inner->via;
	ssize_t n;

	if (!jump || !inner->carrier) {
		return -ECONNRESET;
	}
	n = libssh2_channel_read_ex(inner->carrier, 0, to, len);
	if (n == LIBSSH2_ERROR_EAGAIN) {
		return -EAGAIN;
	}
	if (n < 0) {
		return -ECONNRESET;
	}
	jump->carry->delivered_bytes += (uint64_t)n;
	return n;
}

/*
 * libssh2 takes 32,700 bytes a call, and a full packet of the inner session is a little longer. All of it
 * goes here: for a rest that is left while the jump host has nothing to say nobody would wake us.
 */
ssize_t session_carried_write(struct session *inner, const void *from, size_t len)
{
	struct session *jump = inner->via;
	size_t done = 0;

	if (!jump || !inner->carrier) {
		return -ECONNRESET;
	}
	while (done < len && pending(jump->carry) <= OUT_HIGH) {
		ssize_t n = libssh2_channel_write_ex(inner->carrier, 0, (const char *)from + done,
						     len - done);

		if (n == LIBSSH2_ERROR_EAGAIN || n == 0) {
			break; /* its window is shut, or keys are being exchanged */
		}
		if (n < 0) {
			return -ECONNRESET;
		}
		done += (size_t)n;
	}
	return done > 0 ? (ssize_t)done : -EAGAIN;
}

/* --- channels --- */

static bool make_request(struct carry *carry, const struct session *inner)
{
	struct wire_writer w = {.data = carry->message, .room = sizeof(carry->message)};

	wire_write_string(&w, inner->start.host);
	wire_write_u32(&w, inner->start.port);
	wire_write_string(&w, BYTES_LITERAL("127.0.0.1")); /* who asks: nobody's business */
	wire_write_u32(&w, 0);
	carry->message_len = w.len;
	return !w.overflow;
}

static bool next_opener(struct carry *carry)
{
	struct session *oldest = NULL;

	/* The list is youngest first. */
	for (struct session *inner = carry->first; inner; inner = inner->next_carried) {
		if (!inner->carrier && inner->via_fault == VIA_FINE) {
			oldest = inner;
		}
	}
	if (!oldest || !make_request(carry, oldest)) {
		return false;
	}
	carry->opener = oldest;
	carry->opening = true;
	return true;
}

/* libssh2 tells the reason code in words alone (channel.c, _libssh2_channel_open). */
static enum control_via fault_of(LIBSSH2_SESSION *ssh)
{
	char *text = NULL;
	int len = 0;

	switch (libssh2_session_last_error(ssh, &text, &len, 0)) {
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
		break;
	case LIBSSH2_ERROR_TIMEOUT:
		return VIA_SLOW;
	case LIBSSH2_ERROR_ALLOC:
		return VIA_FULL;
	default:
		return VIA_LOST;
	}
	return strstr(text, "prohibited")        ? VIA_FORBIDDEN
	       : strstr(text, "shortage")        ? VIA_FULL
	       : strstr(text, "unknown channel") ? VIA_FORBIDDEN
						 : VIA_REFUSED;
}

/* The answer to the request that is out: a channel, or none. */
static void opened(struct session *jump, LIBSSH2_CHANNEL *channel, enum control_via fault)
{
	struct carry *carry = jump->carry;
	struct session *inner = carry->opener;

	carry->opening = false;
	carry->opener = NULL;
	if (channel) {
		(void)libssh2_channel_handle_extended_data2(channel,
							    LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
	}
	if (!inner) {
		if (channel) {
			let_go(carry, channel);
		}
		return;
	}
	inner->carrier = channel;
	if (!channel && fault == VIA_LOST && ++inner->open_tries < OPEN_TRIES) {
		return; /* a late answer to a request that was given up: again */
	}
	inner->via_fault = channel ? VIA_FINE : fault;
	wake(inner);
}

static void open_channels(struct session *jump)
{
	struct carry *carry = jump->carry;

	while (!carry->broken && (carry->opening || next_opener(carry))) {
		LIBSSH2_CHANNEL *channel = libssh2_channel_open_ex(
			jump->ssh, "direct-tcpip", sizeof("direct-tcpip") - 1, WINDOW_SIZE,
			PACKET_SIZE, (const char *)carry->message, (unsigned)carry->message_len);

		if (channel) {
			opened(jump, channel, VIA_FINE);
			continue;
		}
		switch (libssh2_session_last_errno(jump->ssh)) {
		case LIBSSH2_ERROR_EAGAIN:
			return;
		case LIBSSH2_ERROR_SOCKET_DISCONNECT:
		case LIBSSH2_ERROR_SOCKET_RECV:
		case LIBSSH2_ERROR_SOCKET_SEND:
			carry->broken = true;
			return;
		default:
			opened(jump, NULL, fault_of(jump->ssh));
			break;
		}
	}
}

static void close_channels(struct carry *carry)
{
	struct leaving **at = &carry->leaving;

	while (*at) {
		struct leaving *leaving = *at;

		if (libssh2_channel_free(leaving->channel) == LIBSSH2_ERROR_EAGAIN) {
			at = &leaving->next;
			continue;
		}
		*at = leaving->next;
		carry->leaving_count--;
		free(leaving);
	}
}

/* --- input --- */

/* Somebody whose asking reads the connection; it does not take anything from anybody. */
static const struct session *a_reader(const struct carry *carry)
{
	for (const struct session *inner = carry->first; inner; inner = inner->next_carried) {
		if (inner->carrier && session_wants(inner) != 0) {
			return inner;
		}
	}
	return NULL;
}

/* Takes what has come apart, for all channels. */
static void drain(struct session *jump)
{
	struct carry *carry = jump->carry;
	const struct session *reader = a_reader(carry);
	char none;
	ssize_t n;

	if (!reader) {
		return;
	}
	/* There is no such stream (it is ignored): all that is read goes to the channels' queues. */
	n = libssh2_channel_read_ex(reader->carrier, SSH_EXTENDED_DATA_STDERR, &none, 1);
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN) {
		carry->broken = true;
	}
}

static bool has_input(const struct session *inner)
{
	unsigned long waiting = 0;

	(void)libssh2_channel_window_read_ex(inner->carrier, &waiting, NULL);
	return waiting > 0 || libssh2_channel_eof(inner->carrier) == 1;
}

static void wake_carried(struct carry *carry)
{
	for (struct session *inner = carry->first; inner; inner = inner->next_carried) {
		unsigned wants = inner->carrier ? session_wants(inner) : 0;

		if (((wants & SESSION_WANT_WRITE) != 0 && pending(carry) <= OUT_HIGH) ||
		    ((wants & SESSION_WANT_READ) != 0 && has_input(inner))) {
			wake(inner);
		}
	}
}

static bool is_idle(const struct carry *carry)
{
	return !carry->first && !carry->opening && !carry->leaving;
}

/* Nobody asks libssh2 to read: whether the connection is still there must be seen without it. */
static void look_while_idle(struct session *jump)
{
	struct carry *carry = jump->carry;
	char byte;
	ssize_t n;

	if (jump->start.via != 0) {
		carry->broken = !jump->carrier || libssh2_channel_eof(jump->carrier) == 1;
		return;
	}
	n = recv(jump->fd, &byte, 1, MSG_PEEK);
	carry->broken = n == 0 || (n < 0 && errno != EAGAIN);
	carry->deaf = n > 0;
}

enum progress session_carry_step(struct session *jump)
{
	struct carry *carry = jump->carry;

	carry->deaf = false;
	flush(jump);
	open_channels(jump);
	close_channels(carry);
	drain(jump);
	if (is_idle(carry) && !carry->broken) {
		look_while_idle(jump);
	}
	/* Only a step of its own reads the connection, so that nobody's input arrives unseen. */
	jump->dry = true;
	if (carry->broken) {
		return session_finish(jump, OUTCOME_LOST, "the connection broke");
	}
	if (carry->leaving_count > LEAVING_MAX ||
	    jump->raw_bytes / OVERHEAD_FACTOR > carry->delivered_bytes + OVERHEAD_BASE) {
		return session_finish(jump, OUTCOME_OVER_LIMIT,
				      "sends what nobody has asked for, or closes nothing");
	}
	if (jump->step_bytes >= STEP_BYTES) {
		jump->more = true;
	}
	wake_carried(carry);
	return PROGRESS_AGAIN;
}

unsigned session_carry_wants(const struct session *jump)
{
	const struct carry *carry = jump->carry;
	unsigned wants = pending(carry) > 0 ? SESSION_WANT_WRITE : 0;

	if (carry->opening || carry->leaving || a_reader(carry) ||
	    (!carry->first && !carry->deaf)) {
		wants |= SESSION_WANT_READ;
	}
	return wants;
}

bool session_carry_may_receive(const struct session *jump)
{
	return jump->step_bytes < STEP_BYTES;
}
