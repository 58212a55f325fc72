// SPDX-License-Identifier: MIT
#include "tests/fake/fake_libssh2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

struct fake_libssh2 fake_libssh2;

const char *const fake_libssh2_calls[] = {"handshake", "auth", "open", "exec", "write", "read"};
const size_t fake_libssh2_call_count = sizeof(fake_libssh2_calls) / sizeof(fake_libssh2_calls[0]);

static void *session_abstract;

/* Whether the call has to wait, or fails: then *result is what it returns. */
static bool stops(const char *call, const void *data, int *result)
{
	struct fake_libssh2 *f = &fake_libssh2;

	if (f->waiting && f->blocks_outbound && f->waited > 0 && f->waited < f->eagain &&
	    (strcmp(f->waiting, call) != 0 || f->waiting_data != data)) {
		f->violations++;
	}
	if (!f->waiting || strcmp(f->waiting, call) != 0) {
		f->waiting = call;
		f->waiting_data = data;
		f->waited = 0;
	}
	if (f->waited < f->eagain) {
		f->waited++;
		f->last_errno = LIBSSH2_ERROR_EAGAIN;
		*result = LIBSSH2_ERROR_EAGAIN;
		return true;
	}
	f->waiting = NULL;
	if (f->fail && strcmp(f->fail, call) == 0) {
		f->last_errno = f->fail_code;
		*result = f->fail_code;
		return true;
	}
	f->last_errno = 0;
	return false;
}

LIBSSH2_SESSION *libssh2_session_init_ex(LIBSSH2_ALLOC_FUNC((*my_alloc)),
					 LIBSSH2_FREE_FUNC((*my_free)),
					 LIBSSH2_REALLOC_FUNC((*my_realloc)), void *abstract)
{
	(void)my_free;
	(void)my_realloc;
	session_abstract = abstract;
	fake_libssh2.abstract = &session_abstract;
	fake_libssh2.alloc = my_alloc;
	return (LIBSSH2_SESSION *)&fake_libssh2;
}

libssh2_cb_generic *libssh2_session_callback_set2(LIBSSH2_SESSION *session, int cbtype,
						  libssh2_cb_generic *callback)
{
	(void)session;
	(void)cbtype;
	(void)callback;
	return NULL;
}

void libssh2_session_set_blocking(LIBSSH2_SESSION *session, int blocking)
{
	(void)session;
	(void)blocking;
}

int libssh2_session_method_pref(LIBSSH2_SESSION *session, int method_type, const char *prefs)
{
	(void)session;
	(void)method_type;
	return prefs && prefs[0] ? 0 : -1;
}

int libssh2_session_handshake(LIBSSH2_SESSION *session, libssh2_socket_t sock)
{
	int result;

	(void)session;
	(void)sock;
	return stops("handshake", NULL, &result) ? result : 0;
}

const char *libssh2_session_hostkey(LIBSSH2_SESSION *session, size_t *len, int *type)
{
	(void)session;
	(void)type;
	*len = fake_libssh2.hostkey.len;
	return (const char *)fake_libssh2.hostkey.data;
}

int libssh2_userauth_publickey(LIBSSH2_SESSION *session, const char *username,
			       const unsigned char *pubkeydata, size_t pubkeydata_len,
			       LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC((*sign_callback)),
			       void **abstract)
{
	struct fake_libssh2 *f = &fake_libssh2;
	unsigned char *signature = NULL;
	int result;

	(void)username;
	(void)pubkeydata_len;
	f->auth_calls++;
	if (stops("auth", pubkeydata, &result)) {
		return result;
	}
	if (f->key++ != f->accepts) {
		return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
	}
	if (f->asks_signature) {
		result = sign_callback(session, &signature, &f->signature_len,
				       (const unsigned char *)"data", 4, abstract);
		if (result == LIBSSH2_ERROR_EAGAIN) {
			f->key--;
			return result;
		}
		if (result != 0) {
			return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
		}
		/* libssh2 frees it with the session's own function, which counts. */
		free(signature - sizeof(max_align_t));
	}
	return 0;
}

LIBSSH2_CHANNEL *libssh2_channel_open_ex(LIBSSH2_SESSION *session, const char *channel_type,
					 unsigned int channel_type_len, unsigned int window_size,
					 unsigned int packet_size, const char *message,
					 unsigned int message_len)
{
	int result;

	(void)channel_type;
	(void)channel_type_len;
	(void)window_size;
	(void)packet_size;
	(void)message;
	(void)message_len;
	return stops("open", NULL, &result) ? NULL : (LIBSSH2_CHANNEL *)session;
}

int libssh2_channel_process_startup(LIBSSH2_CHANNEL *channel, const char *request,
				    unsigned int request_len, const char *message,
				    unsigned int message_len)
{
	int result;

	(void)channel;
	(void)request;
	(void)request_len;
	if (stops("exec", NULL, &result)) {
		return result;
	}
	memcpy(fake_libssh2.command, message, message_len);
	fake_libssh2.command[message_len] = '\0';
	return 0;
}

/* The output that is due on a stream, or NULL. */
static const struct fake_output *due(int stream)
{
	const struct fake_libssh2 *f = &fake_libssh2;
	const struct fake_output *output = &f->output[f->output_at];

	return f->output_at < f->output_count && output->stream == stream &&
			       f->input_len >= output->after_input
		       ? output
		       : NULL;
}

ssize_t libssh2_channel_read_ex(LIBSSH2_CHANNEL *channel, int stream_id, char *buf, size_t buflen)
{
	struct fake_libssh2 *f = &fake_libssh2;
	const struct fake_output *output = due(stream_id);
	size_t count;
	int result;

	(void)channel;
	if (!output) {
		if (f->output_at == f->output_count && f->ends) {
			return 0;
		}
		f->last_errno = LIBSSH2_ERROR_EAGAIN;
		return LIBSSH2_ERROR_EAGAIN;
	}
	if (stops(stream_id == 0 ? "read" : "read-error", NULL, &result)) {
		return result;
	}
	count = output->data.len - f->output_used;
	count = count < buflen ? count : buflen;
	memcpy(buf, output->data.data + f->output_used, count);
	f->output_used += count;
	if (f->output_used == output->data.len) {
		f->output_at++;
		f->output_used = 0;
	}
	return (ssize_t)count;
}

ssize_t libssh2_channel_write_ex(LIBSSH2_CHANNEL *channel, int stream_id, const char *buf,
				 size_t buflen)
{
	struct fake_libssh2 *f = &fake_libssh2;
	size_t count = buflen < 1000 ? buflen : 1000;
	int result;

	(void)channel;
	(void)stream_id;
	if (stops("write", buf, &result)) {
		return result;
	}
	if (count > sizeof(f->input) - f->input_len) {
		count = sizeof(f->input) - f->input_len;
	}
	memcpy(f->input + f->input_len, buf, count);
	f->input_len += count;
	return (ssize_t)count;
}

int libssh2_channel_eof(LIBSSH2_CHANNEL *channel)
{
	(void)channel;
	return fake_libssh2.output_at == fake_libssh2.output_count && fake_libssh2.ends;
}

int libssh2_channel_wait_closed(LIBSSH2_CHANNEL *channel)
{
	int result;

	(void)channel;
	return stops("wait", NULL, &result) ? result : 0;
}

int libssh2_channel_get_exit_status(LIBSSH2_CHANNEL *channel)
{
	(void)channel;
	return fake_libssh2.exit_status;
}

int libssh2_channel_get_exit_signal(LIBSSH2_CHANNEL *channel, char **exitsignal,
				    size_t *exitsignal_len, char **errmsg, size_t *errmsg_len,
				    char **langtag, size_t *langtag_len)
{
	struct fake_libssh2 *f = &fake_libssh2;

	(void)channel;
	(void)errmsg;
	(void)errmsg_len;
	(void)langtag;
	(void)langtag_len;
	*exitsignal = NULL;
	if (f->exit_signal) {
		*exitsignal_len = strlen(f->exit_signal);
		*exitsignal = f->alloc(*exitsignal_len + 1, f->abstract);
		if (*exitsignal) {
			memcpy(*exitsignal, f->exit_signal, *exitsignal_len + 1);
		}
	}
	return 0;
}

int libssh2_channel_free(LIBSSH2_CHANNEL *channel)
{
	(void)channel;
	return 0;
}

int libssh2_session_free(LIBSSH2_SESSION *session)
{
	(void)session;
	fake_libssh2.freed = true;
	return 0;
}

int libssh2_session_disconnect_ex(LIBSSH2_SESSION *session, int reason, const char *description,
				  const char *lang)
{
	(void)session;
	(void)reason;
	(void)description;
	(void)lang;
	return 0;
}

int libssh2_session_block_directions(LIBSSH2_SESSION *session)
{
	(void)session;
	return fake_libssh2.last_errno == LIBSSH2_ERROR_EAGAIN && fake_libssh2.waiting &&
			       fake_libssh2.blocks_outbound
		       ? LIBSSH2_SESSION_BLOCK_OUTBOUND
		       : LIBSSH2_SESSION_BLOCK_INBOUND;
}

int libssh2_session_last_error(LIBSSH2_SESSION *session, char **text, int *len, int want)
{
	static char words[64];

	(void)session;
	(void)want;
	(void)snprintf(words, sizeof(words), "%s",
		       fake_libssh2.fail_text ? fake_libssh2.fail_text : "");
	*text = words;
	*len = (int)strlen(words);
	return fake_libssh2.last_errno;
}

void libssh2_session_set_read_timeout(LIBSSH2_SESSION *session, long timeout)
{
	(void)session;
	(void)timeout;
}

int libssh2_channel_handle_extended_data2(LIBSSH2_CHANNEL *channel, int ignore_mode)
{
	(void)channel;
	(void)ignore_mode;
	return 0;
}

unsigned long libssh2_channel_window_read_ex(LIBSSH2_CHANNEL *channel, unsigned long *read_avail,
					     unsigned long *window_size_initial)
{
	const struct fake_output *output = due(0);

	(void)channel;
	(void)window_size_initial;
	*read_avail = output ? output->data.len - fake_libssh2.output_used : 0;
	return 65536;
}

int libssh2_session_last_errno(LIBSSH2_SESSION *session)
{
	(void)session;
	return fake_libssh2.last_errno;
}
