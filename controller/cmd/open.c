// SPDX-License-Identifier: MIT
#include "controller/cmd/open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/cmd/rules.h"
#include "controller/cmd/run_options.h"
#include "schema/escape.h"

#define SHOWN 200

/* The folders above `path`, closed to others: what stands in the database is the fleet's weak spots. */
static int make_folders(const char *path, struct error *err)
{
	char *copy = strdup(path), shown[SHOWN];
	int status = 0;

	if (!copy) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (char *slash = strchr(copy + 1, '/'); slash && status == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
			status = error_set(
				err, ERROR_STORE, errno, "%s: %s",
				escape_text(bytes_from_string(copy), shown, sizeof(shown)),
				strerror(errno));
		}
		*slash = '/';
	}
	free(copy);
	return status;
}

int open_store(struct call *call, enum store_mode mode, struct store **store, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_DB);
	char shown[SHOWN];

	*store = NULL;
	if (!path) {
		call_advise(call, "name a place for the database: --db FILE");
		return error_set(err, ERROR_CONFIG, 0, "no place for the database");
	}
	(void)escape_text(bytes_from_string(path), shown, sizeof(shown));
	if (mode == STORE_READ && access(path, F_OK) != 0) {
		call_advise(call, "look at a host first: muster check localhost");
		call_advise(call, "or name the database of an earlier run: --db FILE");
		return error_set(err, ERROR_STORE, errno, "%s: no database yet", shown);
	}
	if (mode == STORE_WRITE && !config_is_set(call->config, CONFIG_DB) &&
	    make_folders(path, err) < 0) {
		call_advise(call, "name a place for the database: --db FILE");
		return -1;
	}
	if (store_open(path, mode, store, err) < 0) {
		call_advise(call, "another database: --db FILE (this one was named by %s)",
			    config_origin(call->config, CONFIG_DB));
		return -1;
	}
	return 0;
}

int open_baseline(struct call *call, struct baseline **baseline, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_BASELINE);

	*baseline = NULL;
	if (!path) {
		return 0;
	}
	if (baseline_open(path, NULL, baseline, err) < 0) {
		call_advise(call, "another baseline: --baseline DIR (this one was named by %s)",
			    config_origin(call->config, CONFIG_BASELINE));
		call_advise(call, "make one: muster init DIR; find every fault: muster baseline "
				  "verify");
		return -1;
	}
	if (rules_check_policy(baseline_policy(*baseline), err) < 0) {
		call_advise(call, "muster baseline verify --baseline DIR, after it is mended");
		baseline_close(*baseline);
		*baseline = NULL;
		return -1;
	}
	return 0;
}

int open_baseline_path(struct call *call, const char **path, struct error *err)
{
	*path = config_text(call->config, CONFIG_BASELINE);
	if (*path) {
		return 0;
	}
	call_advise(call, "name it: --baseline DIR, or `baseline:` in the configuration");
	call_advise(call, "make one: muster init DIR");
	return error_set(err, ERROR_CONFIG, 0, "%s: no baseline is configured", call->verb->name);
}

bool open_is_ndjson(const struct call *call)
{
	return open_format(call) == REPORT_NDJSON;
}

enum report_format open_format(const struct call *call)
{
	const char *format = call_value(call, OPTION_FORMAT);

	for (unsigned i = 0; format && i < REPORT_FORMATS; i++) {
		if (strcmp(format, report_format_name((enum report_format)i)) == 0) {
			return (enum report_format)i;
		}
	}
	return REPORT_TEXT;
}

int open_report(struct call *call, bool is_run, struct report **report, struct error *err)
{
	struct report_options options = {
		.format = open_format(call),
		.out = call->out,
		.color = call->color,
		.quiet = call->quiet,
		.all = call_has(call, OPTION_ALL),
		.explained = call_has(call, OPTION_EXPLAINED),
		.verbose = call->verbose,
		.fail_on = (unsigned)config_number(call->config, CONFIG_FAIL_ON),
		.is_run = is_run,
		.look_options = again_to_look(call, call->look_options),
		.decide_options = again_to_decide(call, call->decide_options),
		.reach_options = again_to_reach(call, call->reach_options),
	};

	if (run_options_max_incomplete(call, &options.max_incomplete, err) < 0) {
		return -1;
	}
	return report_new(report, &options, err);
}
