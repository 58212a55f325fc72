// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/authreq.h"

#include "controller/ssh/wire.h"

#define MSG_USERAUTH_REQUEST 50U
#define CERT_SUFFIX "-cert-v01@openssh.com"

static struct bytes without_suffix(struct bytes name)
{
	size_t len = sizeof(CERT_SUFFIX) - 1;

	if (name.len > len && memcmp(name.data + name.len - len, CERT_SUFFIX, len) == 0) {
		name.len -= len;
	}
	return name;
}

bool authreq_read(struct bytes data, struct authreq *request)
{
	struct wire_reader r = wire_reader_make(data);
	struct bytes service, method;
	bool request_byte, has_signature;

	request->session_id = wire_read_string(&r);
	request_byte = wire_read_byte(&r) == MSG_USERAUTH_REQUEST;
	request->user = wire_read_string(&r);
	service = wire_read_string(&r);
	method = wire_read_string(&r);
	has_signature = wire_read_byte(&r) == 1;
	request->algorithm = without_suffix(wire_read_string(&r));
	request->blob = wire_read_string(&r);
	/* A hash of the key exchange: SHA-256, SHA-384 or SHA-512. */
	return wire_is_done(&r) && request_byte && has_signature &&
	       (request->session_id.len == 32 || request->session_id.len == 48 ||
		request->session_id.len == 64) &&
	       bytes_equal_string(service, "ssh-connection") &&
	       bytes_equal_string(method, "publickey");
}
