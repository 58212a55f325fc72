// SPDX-License-Identifier: MIT
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/ssh/session/session_carry.h"
#include "controller/ssh/session/session_private.h"

/*
 * Cheapest first (libssh2 encrypts 16 bytes a call); nothing with SHA-1 or CBC. The last two names of
 * the first list are markers: RFC 8308, and strict key exchange against CVE-2023-48795.
 */
#define OUR_KEX                                                                                  \
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"  \
	"ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512," \
	"diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,ext-info-c,"                \
	"kex-strict-c-v00@openssh.com"
#define OUR_HOSTKEYS                                                                            \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512," \
	"rsa-sha2-256"
#define OUR_CIPHERS                                                                              \
	"chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes192-ctr,aes128-gcm@openssh.com," \
	"aes256-gcm@openssh.com"
#define OUR_MACS \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"
/* Each side's, in a reason: ours fit. */
#define OFFER_SIZE 320U
/* Beyond the channel's own cap: what the transport around it may cost. */
#define RAW_SLACK (4U << 20)

static socklen_t make_sockaddr(const struct control_address *address, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (address->ip.len == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->ip.data, 4);
		return sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(address->port);
		in6->sin6_scope_id = address->scope;
		memcpy(&in6->sin6_addr, address->ip.data, 16);
		return sizeof(*in6);
	}
}

static void close_fd(struct session *session)
{
	if (session->fd >= 0) {
		(void)close(session->fd);
		session->fd = -1;
	}
}

/* Begins with the next address; false where connect failed at once. */
static bool begin_connect(struct session *session)
{
	static const int on = 1, idle_s = 60, count = 3;
	struct sockaddr_storage to;
	socklen_t len = make_sockaddr(&session->start.address[session->next_address++], &to);

	session->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (session->fd < 0) {
		session->connect_errno = errno;
		return false;
	}
	/* Before connect: saves two waits of 40 ms a session (Nagle against delayed ACK). */
	(void)setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(session->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(session->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(session->fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	if (connect(session->fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		session->connect_errno = errno;
		close_fd(session);
		return false;
	}
	return true;
}

static enum outcome outcome_of_errno(int os_errno)
{
	switch (os_errno) {
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ETIMEDOUT:
		return OUTCOME_TIMEOUT;
	case ECONNRESET:
	case EPIPE:
		return OUTCOME_LOST;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return OUTCOME_INTERNAL;
	default:
		return OUTCOME_NO_ROUTE;
	}
}

int session_io_root_fd(const struct session *session)
{
	while (session->via) {
		session = session->via;
	}
	return session->fd;
}

enum progress session_io_connect(struct session *session, enum outcome *outcome, char *why,
				 size_t room)
{
	if (session->carrier) {
		return PROGRESS_NEXT;
	}
	for (;;) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int failed = 0;

		if (session->fd >= 0) {
			if (getpeername(session->fd, (struct sockaddr *)&peer, &len) == 0) {
				return PROGRESS_NEXT;
			}
			len = sizeof(failed);
			(void)getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &failed, &len);
			if (failed == 0) {
				return PROGRESS_AGAIN;
			}
			session->connect_errno = failed;
			close_fd(session);
		}
		if (session->next_address == session->start.address_count) {
			*outcome = outcome_of_errno(session->connect_errno);
			(void)snprintf(why, room, "connect: %s", strerror(session->connect_errno));
			return PROGRESS_DONE;
		}
		(void)begin_connect(session);
	}
}

bool session_io_skip_address(struct session *session)
{
	if (session->next_address == session->start.address_count) {
		return false;
	}
	session->connect_errno = ETIMEDOUT;
	close_fd(session);
	return true;
}

static void *on_alloc(size_t size, void **abstract)
{
	struct session *session = *abstract;

	return session_memory_alloc(&session->memory, size);
}

static void *on_realloc(void *pointer, size_t size, void **abstract)
{
	struct session *session = *abstract;

	return session_memory_realloc(&session->memory, pointer, size);
}

static void on_free(void *pointer, void **abstract)
{
	struct session *session = *abstract;

	session_memory_free(&session->memory, pointer);
}

static ssize_t receive(struct session *session, void *to, size_t len)
{
	ssize_t n;

	if (session->dry || (session->carry && !session_carry_may_receive(session))) {
		return -EAGAIN;
	}
	if (session->start.via != 0) {
		n = session_carried_read(session, to, len);
	} else {
		n = recv(session->fd, to, len, MSG_NOSIGNAL);
		n = n < 0 ? -errno : n;
	}
	if (n < 0) {
		session->dry = n == -EAGAIN;
		return n;
	}
	/* Less than asked for: the socket is empty. libssh2 would ask five times in a step. */
	session->dry = (size_t)n < len && n > 0;
	session->raw_bytes += (uint64_t)n;
	session->step_bytes += (size_t)n;
	if (session->start.cap_bytes != 0 &&
	    session->raw_bytes / 2 > session->start.cap_bytes + RAW_SLACK) {
		return -ECONNABORTED;
	}
	return n;
}

static bool has_banner(const struct session *session)
{
	struct exchange exchange;

	exchange_read((struct bytes){session->head, session->head_len}, &exchange);
	return exchange.banner.len > 0;
}

/*
 * Reads ahead into `head` while the connection is in the clear: libssh2 takes the banner byte by
 * byte, and what it takes here is the proof that goes with a request to sign.
 */
static ssize_t on_receive(libssh2_socket_t fd, void *to, size_t len, int flags, void **abstract)
{
	struct session *session = *abstract;
	size_t count;

	(void)fd;
	(void)flags;
	if (session->dead) {
		return -ECONNRESET;
	}
	if (session->head_at == session->head_len && !session->head_whole) {
		size_t room = SESSION_HEAD_MAX - session->head_len;
		ssize_t n = room > 0 && session->head
				    ? receive(session, session->head + session->head_len, room)
				    : 0;

		if (room > 0 && session->head) {
			if (n <= 0) {
				return n;
			}
			session->head_len += (size_t)n;
		} else {
			session->head_whole = true;
			session->bannerless = session->head && !has_banner(session);
		}
	}
	/* RFC 4253, section 4.2, lets lines come before it; libssh2 would read them for ever. */
	if (session->bannerless) {
		return -ECONNABORTED;
	}
	if (!session->head || session->head_at == session->head_len) {
		return receive(session, to, len);
	}
	count = session->head_len - session->head_at;
	count = count < len ? count : len;
	memcpy(to, session->head + session->head_at, count);
	session->head_at += count;
	return (ssize_t)count;
}

static ssize_t on_send(libssh2_socket_t fd, const void *from, size_t len, int flags,
		       void **abstract)
{
	struct session *session = *abstract;
	ssize_t n;

	(void)fd;
	(void)flags;
	if (session->dead) {
		return -ECONNRESET;
	}
	if (session->carry) {
		return session_carry_queue(session, from, len);
	}
	if (session->start.via != 0) {
		return session_carried_write(session, from, len);
	}
	n = send(session->fd, from, len, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static bool prefer(struct session *session)
{
	char hostkeys[1025];

	(void)snprintf(hostkeys, sizeof(hostkeys), "%.*s", (int)session->start.hostkey_types.len,
		       (const char *)session->start.hostkey_types.data);
	return libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_KEX, OUR_KEX) == 0 &&
	       libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_HOSTKEY,
					   hostkeys[0] ? hostkeys : OUR_HOSTKEYS) == 0 &&
	       libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_CRYPT_CS, OUR_CIPHERS) ==
		       0 &&
	       libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_CRYPT_SC, OUR_CIPHERS) ==
		       0 &&
	       libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_MAC_CS, OUR_MACS) == 0 &&
	       libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_MAC_SC, OUR_MACS) == 0;
}

int session_io_start(struct session *session)
{
	(void)snprintf(session->user, sizeof(session->user), "%.*s", (int)session->start.user.len,
		       (const char *)session->start.user.data);
	session->head = malloc(SESSION_HEAD_MAX);
	session->ssh = libssh2_session_init_ex(on_alloc, on_free, on_realloc, session);
	if (!session->head || !session->ssh) {
		return -1;
	}
	(void)libssh2_session_callback_set2(session->ssh, LIBSSH2_CALLBACK_RECV,
					    (libssh2_cb_generic *)on_receive);
	(void)libssh2_session_callback_set2(session->ssh, LIBSSH2_CALLBACK_SEND,
					    (libssh2_cb_generic *)on_send);
	libssh2_session_set_blocking(session->ssh, 0);
	return prefer(session) ? 0 : -1;
}

static void our_lists(const struct session *session, struct bytes ours[EXCHANGE_LISTS])
{
	ours[EXCHANGE_KEX] = BYTES_LITERAL(OUR_KEX);
	ours[EXCHANGE_HOSTKEY] = session->start.hostkey_types.len > 0 ? session->start.hostkey_types
								      : BYTES_LITERAL(OUR_HOSTKEYS);
	ours[EXCHANGE_CIPHER_OUT] = BYTES_LITERAL(OUR_CIPHERS);
	ours[EXCHANGE_CIPHER] = BYTES_LITERAL(OUR_CIPHERS);
	ours[EXCHANGE_MAC_OUT] = BYTES_LITERAL(OUR_MACS);
	ours[EXCHANGE_MAC] = BYTES_LITERAL(OUR_MACS);
}

/* Which of the lists has nothing in common with ours, or -1. */
static int failed_list(const struct session *session, const struct exchange *exchange)
{
	struct bytes ours[EXCHANGE_LISTS];
	enum exchange_list failed;

	our_lists(session, ours);
	failed = exchange_failed_list(ours, exchange->list);
	return failed == EXCHANGE_LISTS ? -1 : (int)failed;
}

struct bytes session_io_offers(const struct session *session)
{
	struct exchange exchange;
	int which;

	exchange_read((struct bytes){session->head, session->head_len}, &exchange);
	which = exchange.has_lists ? failed_list(session, &exchange) : -1;
	return which < 0 ? (struct bytes){NULL, 0} : exchange.list[which];
}

static void explain_negotiation(const struct session *session, const struct exchange *exchange,
				enum outcome *outcome, char *why, size_t room)
{
	static const char *const names[EXCHANGE_LISTS] = {
		[EXCHANGE_KEX] = "key exchange",  [EXCHANGE_HOSTKEY] = "host key",
		[EXCHANGE_CIPHER_OUT] = "cipher", [EXCHANGE_CIPHER] = "cipher",
		[EXCHANGE_MAC_OUT] = "MAC",       [EXCHANGE_MAC] = "MAC",
	};
	int which = exchange->has_lists ? failed_list(session, exchange) : -1;
	bool pinned = which == EXCHANGE_HOSTKEY && session->start.pin_count > 0;
	struct bytes ours[EXCHANGE_LISTS];
	char theirs_text[OFFER_SIZE], ours_text[OFFER_SIZE];

	*outcome = OUTCOME_KEX_FAILED;
	if (which < 0) {
		(void)snprintf(why, room, "the key exchange failed");
		return;
	}
	if (pinned) {
		/* Known by one type of key, and now it has none of that type. */
		*outcome = OUTCOME_KEY_MISMATCH;
	}
	our_lists(session, ours);
	(void)snprintf(why, room, "no common %s: host offers %s; %s %s", names[which],
		       exchange_print(exchange->list[which], theirs_text, sizeof(theirs_text)),
		       pinned ? "known_hosts has" : "muster offers",
		       exchange_print(ours[which], ours_text, sizeof(ours_text)));
}

void session_io_explain_handshake(const struct session *session, int rc, enum outcome *outcome,
				  char *why, size_t room)
{
	struct exchange exchange;

	if (session->bannerless) {
		*outcome = OUTCOME_OVER_LIMIT;
		(void)snprintf(why, room, "output without end instead of an SSH banner");
		return;
	}
	exchange_read((struct bytes){session->head, session->head_len}, &exchange);
	switch (rc) {
	case LIBSSH2_ERROR_HOSTKEY_INIT:
	case LIBSSH2_ERROR_HOSTKEY_SIGN:
		*outcome = OUTCOME_KEY_MISMATCH;
		(void)snprintf(why, room, "its host key's signature is wrong");
		break;
	case LIBSSH2_ERROR_KEX_FAILURE:
	case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
	case LIBSSH2_ERROR_METHOD_NONE:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
		explain_negotiation(session, &exchange, outcome, why, room);
		break;
	case LIBSSH2_ERROR_ALLOC:
		*outcome = OUTCOME_OVER_LIMIT;
		(void)snprintf(why, room, "the key exchange wants too much memory");
		break;
	default:
		*outcome = OUTCOME_LOST;
		(void)snprintf(why, room,
			       exchange.banner.len > 0
				       ? "it closed the connection during the key exchange"
				       : "it closed the connection without an SSH banner");
		break;
	}
}

void session_io_forget_head(struct session *session)
{
	/* What libssh2 has not yet taken of it must still be delivered. */
	session->head_whole = true;
	if (session->head_at == session->head_len) {
		free(session->head);
		session->head = NULL;
		session->head_len = 0;
		session->head_at = 0;
	}
}

void session_io_close(struct session *session)
{
	if (session->ssh) {
		if (session->state == SESSION_CLOSED && !session->dead) {
			(void)libssh2_session_disconnect_ex(session->ssh,
							    SSH_DISCONNECT_BY_APPLICATION, "", "");
		}
		/* With the socket dead libssh2 cannot ask for another call. */
		session->dead = true;
		session_carry_end(session);
		if (session->channel) {
			(void)libssh2_channel_free(session->channel);
			session->channel = NULL;
		}
		for (unsigned i = 0; i < 4 && session->ssh; i++) {
			if (libssh2_session_free(session->ssh) != LIBSSH2_ERROR_EAGAIN) {
				session->ssh = NULL;
			}
		}
		session->ssh = NULL;
	}
	free(session->head);
	session->head = NULL;
	session->head_len = 0;
	session->head_at = 0;
	session_carried_leave(session);
	close_fd(session);
}
