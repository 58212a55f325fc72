// SPDX-License-Identifier: MIT
#include "controller/cmd/cmd.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cmd/call.h"
#include "controller/cmd/help.h"
#include "controller/cmd/open.h"
#include "schema/escape.h"

/* The format of every message: what happened, then what to do about it, a line each. */
static void complain(FILE *log, const struct error *err, const char *advice)
{
	(void)fprintf(log, "muster: %s\n", err->msg);
	while (*advice) {
		size_t len = strcspn(advice, "\n");

		(void)fprintf(log, "  try: %.*s\n", (int)len, advice);
		advice += len + (advice[len] == '\n' ? 1 : 0);
	}
}

/* Colour follows the writer of data, as it is there that it would hurt. */
static bool wants_color(const struct options *options, FILE *out)
{
	const char *when = options->value[OPTION_COLOR];
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0) {
		return strcmp(when, "always") == 0;
	}
	if ((no_color && *no_color) || (term && strcmp(term, "dumb") == 0)) {
		return false;
	}
	return isatty(fileno(out)) == 1;
}

/* Given, but of no meaning for this verb: saying nothing would look as if it had one. */
static int refuse_foreign_options(const struct verb *verb, const struct options *options,
				  struct error *err)
{
	char name[64];

	for (int id = 0; id < OPTIONS; id++) {
		if (options->value[id] && !(help_options(verb) & OPTION_BIT(id))) {
			return error_set(err, ERROR_CONFIG, 0, "%s: not an option of muster %s",
					 option_shown((enum option_id)id, name, sizeof(name)),
					 verb->name);
		}
	}
	return 0;
}

/* A job's log is driven by its lines: only writers that guard them may write there. */
static int check_format(const struct call *call, struct error *err)
{
	const char *format = call_value(call, OPTION_FORMAT);

	if (format && strcmp(format, "rundeck") == 0 &&
	    (call->verb->run == verb_diff || call->verb->run == verb_timeline)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--format rundeck: not a format of muster %s", call->verb->name);
	}
	return 0;
}

static int check_words(const struct call *call, struct error *err)
{
	const struct verb *verb = call->verb;
	char shown[80];

	if (call->word_count < verb->least) {
		return error_set(err, ERROR_CONFIG, 0, "%s: %s is missing", verb->name,
				 verb->arguments);
	}
	if (call->word_count > verb->most) {
		return error_set(err, ERROR_CONFIG, 0, "%s: \"%s\" is one too many", verb->name,
				 escape_text(bytes_from_string(call->words[verb->most]), shown,
					     sizeof(shown)));
	}
	return 0;
}

static int apply_flags(struct call *call, struct error *err)
{
	char name[64];

	for (int id = 0; id < OPTIONS; id++) {
		const struct option_spec *spec = option_spec((enum option_id)id);

		if (spec->setting != OPTION_NO_SETTING && call->options->value[id] &&
		    config_set(call->config, (enum config_key)spec->setting,
			       call->options->value[id],
			       option_shown((enum option_id)id, name, sizeof(name)), err) < 0) {
			if (id == OPTION_KNOWN_HOSTS) {
				call_advise(call, "make it, and review it: muster hosts keys HOST "
						  "--import FILE");
			}
			return -1;
		}
	}
	return 0;
}

/*
 * Where it had no memory to start, libcrypto 3.0 crashes in whatever it is asked for next: so it is
 * started before there is anything to lose, and asked for nothing where that failed.
 */
static int start_libcrypto(struct error *err)
{
	EVP_MD *sha256 = NULL;

	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 &&
	    OSSL_LIB_CTX_get0_global_default()) {
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	}
	if (!sha256) {
		return error_set(err, ERROR_NOMEM, 0,
				 "libcrypto does not start: no memory, or no SHA-256 by its "
				 "configuration");
	}
	EVP_MD_free(sha256);
	return 0;
}

static int run_verb(struct call *call, struct error *err)
{
	int code;

	if (refuse_foreign_options(call->verb, call->options, err) < 0 ||
	    check_format(call, err) < 0 || check_words(call, err) < 0) {
		call_advise(call, "muster %s -h", call->verb->name);
		return -1;
	}
	if (start_libcrypto(err) < 0 || config_new(&call->config, err) < 0) {
		return -1;
	}
	if (config_load(call->config, call_value(call, OPTION_CONFIG), err) < 0) {
		call_advise(call, "man muster.yaml");
		return -1;
	}
	if (apply_flags(call, err) < 0) {
		call_advise(call, "muster %s --help", call->verb->name);
		return -1;
	}
	if (open_format(call) == REPORT_RUNDECK && call->verb->run != verb_hosts) {
		/* Rundeck shows what comes on standard error as errors: a step has one stream. */
		call->log = call->out;
	}
	code = call->verb->run(call, err);
	if (code >= 0 && (fflush(call->out) != 0 || ferror(call->out))) {
		return error_set(err, ERROR_SYSTEM, 0, "standard output: cannot be written");
	}
	return code;
}

/* Bare `muster` says what is open where there is something to tell, and helps otherwise. */
static bool has_database(void)
{
	struct config *config = NULL;
	const char *path = NULL;
	bool has = false;

	if (config_new(&config, NULL) == 0 && config_load(config, NULL, NULL) == 0) {
		path = config_text(config, CONFIG_DB);
		has = path && access(path, R_OK) == 0;
	}
	config_free(config);
	return has;
}

/* help [COMMAND], and for completion: help words [COMMAND]. */
static int help(struct call *call, const char *const *words, size_t count, struct error *err)
{
	bool as_words = count > 0 && strcmp(words[0], "words") == 0;
	size_t used = 0;

	words += as_words ? 1 : 0;
	count -= as_words ? 1 : 0;
	if (count > 0 && verb_find(words, count, &call->verb, &used, err) < 0) {
		call_advise(call, "muster help");
		return -1;
	}
	if (as_words) {
		help_words(call->out, call->verb);
	} else {
		help_print(call->out, call->verb, true);
	}
	return EXIT_CLEAN;
}

static int dispatch(struct call *call, const char *const *words, size_t count, struct error *err)
{
	static const char *const status_words[] = {"status", NULL};
	static const char *const version_words[] = {"version", NULL};
	const struct options *options = call->options;
	size_t used = 0;

	if (options->value[OPTION_VERSION]) {
		words = version_words;
		count = 1;
	} else if (count == 0 && !options->value[OPTION_HELP] &&
		   !options->value[OPTION_HELP_SHORT] && has_database()) {
		words = status_words;
		count = 1;
	}
	if (count > 0 && strcmp(words[0], "help") == 0) {
		return help(call, words + 1, count - 1, err);
	}
	if (count == 0) {
		help_print(call->out, NULL, options->value[OPTION_HELP] != NULL);
		return EXIT_CLEAN;
	}
	if (verb_find(words, count, &call->verb, &used, err) < 0) {
		call_advise(call, "muster -h");
		return -1;
	}
	if (options->value[OPTION_HELP] || options->value[OPTION_HELP_SHORT]) {
		help_print(call->out, call->verb, options->value[OPTION_HELP] != NULL);
		return EXIT_CLEAN;
	}
	call->words = words + used;
	call->word_count = count - used;
	return run_verb(call, err);
}

int cmd_run(int argc, char *const *argv, FILE *out, FILE *log)
{
	struct options options = {0};
	struct call call = {.options = &options, .out = out, .log = log};
	struct error err = {0};
	int code;

	if (options_parse(&options, argc, argv, &err) < 0) {
		complain(log, &err, "muster -h");
		return EXIT_FATAL;
	}
	call.color = wants_color(&options, out);
	call.quiet = options.value[OPTION_QUIET] != NULL;
	call.verbose = options.count[OPTION_VERBOSE];
	code = dispatch(&call, options.words, options.word_count, &err);
	if (code < 0) {
		(void)fflush(out);
		if (!*call.advice && call.verb) {
			call_advise(&call, "muster %s --help", call.verb->name);
		}
		complain(call.log, &err, call.advice);
		code = EXIT_FATAL;
	}
	config_free(call.config);
	options_clear(&options);
	return code;
}
