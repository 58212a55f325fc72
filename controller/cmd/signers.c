// SPDX-License-Identifier: MIT
#include "controller/cmd/signers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "baselines/signature/trust.h"

int signers_split(char *text, const char *list[SIGNERS_LIST_MAX], size_t *count, enum option_id id,
		  struct error *err)
{
	char *rest = NULL;

	*count = 0;
	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (*count == SIGNERS_LIST_MAX) {
			return error_set(err, ERROR_CONFIG, 0, "--%s: more than %d names",
					 option_spec(id)->name, SIGNERS_LIST_MAX);
		}
		list[(*count)++] = word;
	}
	return 0;
}

void signers_clear(struct signers *s)
{
	keyring_free(s->keyring);
	trust_free(s->trust);
	repository_close(s->repository);
	free(s->copy);
}

static int check_fingerprints(const struct signers *s, struct error *err)
{
	for (size_t i = 0; i < s->source.fingerprint_count; i++) {
		const char *one = s->fingerprints[i];
		size_t len = strlen(one);

		if ((len != 40 && len != 64) || strspn(one, "0123456789abcdefABCDEF") != len) {
			return error_set(err, ERROR_CONFIG, 0,
					 "--fingerprint: \"%.80s\" is no whole fingerprint: 40 hex "
					 "digits without blanks (gpg --show-keys FILE)",
					 one);
		}
	}
	return 0;
}

int signers_open(struct call *call, const char *baseline, struct signers *s, struct error *err)
{
	const char *file = call_value(call, OPTION_KEYRING);
	const char *fingerprints = call_value(call, OPTION_FINGERPRINT);

	if (fingerprints) {
		s->copy = strdup(fingerprints);
		if (!s->copy) {
			return error_set(err, ERROR_NOMEM, 0, "out of memory");
		}
		if (signers_split(s->copy, s->fingerprints, &s->source.fingerprint_count,
				  OPTION_FINGERPRINT, err) < 0 ||
		    check_fingerprints(s, err) < 0) {
			return -1;
		}
	}
	s->source.fingerprints = s->fingerprints;
	s->source.now_s = (int64_t)time(NULL);
	if (file) {
		if (keyring_of_file(file, &s->keyring, err) < 0) {
			return -1;
		}
	} else {
		if (repository_open(baseline, NULL, &s->repository, err) < 0 ||
		    trust_read(s->repository, &s->trust, err) < 0) {
			return -1;
		}
		if (s->trust->count == 0) {
			call_advise(call, "name the archive's keys: --keyring FILE");
			call_advise(call, "or list them in the baseline: " TRUST_FILE
					  " (docs/baseline.md)");
			return error_set(
				err, ERROR_CONFIG, 0,
				"no keys to check a signature by: the baseline has no " TRUST_FILE);
		}
		if (keyring_of_trust(s->trust, s->repository, &s->keyring, err) < 0) {
			return -1;
		}
		s->source.trust = s->trust;
	}
	s->source.keyring = keyring_path(s->keyring);
	s->source.put_back = keyring_put_back(s->keyring);
	return 0;
}
