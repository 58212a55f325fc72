// SPDX-License-Identifier: MIT
#ifndef TESTS_FAKE_FAKE_LIBSSH2_H
#define TESTS_FAKE_FAKE_LIBSSH2_H

/*
 * libssh2 replaced at link time by a server that does as it is told: each call may first answer EAGAIN
 * some times, one call may fail, output appears when so many bytes have been written. Checks the
 * rules that libssh2 has and does not check: a call that was blocked on output comes again before
 * any other, with the same bytes. One session at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

struct fake_output {
	size_t after_input; /* bytes written to the channel before this comes */
	int stream;         /* 0, or 1: standard error */
	struct bytes data;
};

struct fake_libssh2 {
	/* told by the test */
	unsigned eagain;      /* times that each new call answers EAGAIN first */
	bool blocks_outbound; /* and says that it waits for output */
	const char *fail;     /* this call fails ("handshake", "read" ...) */
	int fail_code;
	const char *fail_text;
	struct bytes hostkey;
	size_t accepts; /* index of the key that logs in */
	bool asks_signature;
	struct fake_output output[8];
	size_t output_count;
	bool ends; /* end of output after the last, else it goes on for ever */
	int exit_status;
	const char *exit_signal;

	/* seen by the test */
	uint8_t input[65536];
	size_t input_len;
	char command[4096];
	unsigned auth_calls;
	size_t signature_len;
	unsigned violations; /* of the rule above */
	bool freed;

	/* its own */
	unsigned waited;
	const char *waiting;
	const void *waiting_data;
	size_t key;
	size_t output_at;
	size_t output_used;
	int last_errno;
	void **abstract;
	void *(*alloc)(size_t, void **);
};

extern struct fake_libssh2 fake_libssh2;

/* Names of the calls, in the order of a session, for tests that fail each in turn. */
extern const char *const fake_libssh2_calls[];
extern const size_t fake_libssh2_call_count;

#endif
