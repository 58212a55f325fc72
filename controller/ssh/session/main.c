// SPDX-License-Identifier: MIT
/*
 * muster-ssh: the part of muster that alone speaks to hosts. Started by muster with a socketpair as
 * descriptor 3 (controller/ssh/control.h), of no use by itself.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "controller/ssh/control.h"
#include "controller/ssh/session/sandbox.h"
#include "controller/ssh/session/worker.h"

#if defined(__SANITIZE_ADDRESS__)
/* The leak check starts a thread and traces it, which the sandbox forbids; unit tests have it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* What libcrypto fetches on first use (configuration, providers, entropy) is fetched before files go. */
static int warm_up(struct error *err)
{
	static const char *const digests[] = {"SHA1", "SHA256", "SHA384", "SHA512", "MD5"};
	static const char *const ciphers[] = {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR",
					      "AES-128-GCM", "AES-256-GCM", "CHACHA20"};
	unsigned char random[32];

	if (libssh2_init(0) != 0 || RAND_bytes(random, sizeof(random)) != 1) {
		return error_set(err, ERROR_SYSTEM, 0, "libcrypto cannot be started");
	}
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		EVP_MD_free(EVP_MD_fetch(NULL, digests[i], NULL));
	}
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, ciphers[i], NULL));
	}
	return 0;
}

static int self_test(void)
{
	struct error err = {0};
	const char *open_door;

	if (warm_up(&err) < 0 || sandbox_prepare(2, &err) < 0 || sandbox_enter(&err) < 0) {
		(void)fprintf(stderr, "muster-ssh: %s\n", err.msg);
		return EXIT_FAILURE;
	}
	open_door = sandbox_probe();
	if (open_door) {
		(void)fprintf(stderr, "muster-ssh: the sandbox lets %s through\n", open_door);
		return EXIT_FAILURE;
	}
	(void)puts("muster-ssh: the sandbox holds");
	return EXIT_SUCCESS;
}

static int serve(void)
{
	struct worker *worker = NULL;
	struct error err = {0};
	int result = -1;

	(void)signal(SIGPIPE, SIG_IGN);
	/* ^C goes to the whole group; the parent decides when we end. */
	(void)signal(SIGINT, SIG_IGN);
	if (warm_up(&err) == 0 && sandbox_prepare(CONTROL_FD, &err) == 0 &&
	    worker_new(CONTROL_FD, &worker, &err) == 0 && sandbox_enter(&err) == 0) {
		result = worker_run(worker, &err);
	}
	if (result < 0) {
		(void)fprintf(stderr, "muster-ssh: %s\n", err.msg);
	}
	worker_free(worker);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--serve") == 0) {
		return serve();
	}
	if (argc == 2 && strcmp(argv[1], "--self-test") == 0) {
		return self_test();
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("muster-ssh: libssh2 %s, %s\n", libssh2_version(0),
			     OpenSSL_version(OPENSSL_VERSION));
		return EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "muster-ssh is started by muster\n");
	return 2;
}
