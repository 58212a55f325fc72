// SPDX-License-Identifier: MIT
#include "controller/cmd/run_options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "baselines/yaml.h"
#include "controller/cmd/version.h"

#define RETRIES_MAX 10
#define PARALLEL_MAX 10000
/* First contacts at once: each reads all of a guest's disk, and guests share storage. */
#define FULL_PARALLEL 32
#define REHASH_MAX 366
/* Descriptors of muster itself and, with its share of the hosts, of each muster-ssh. */
#define OWN_DESCRIPTORS 64

static bool is_number(const char *text, size_t len, uint64_t most, uint64_t *number)
{
	char *end = NULL;

	if (len == 0 || len > 15 || strspn(text, "0123456789") != len) {
		return false;
	}
	*number = strtoull(text, &end, 10);
	return *number <= most;
}

bool run_options_parse_size(const char *text, uint64_t *bytes)
{
	static const char letters[] = "kMGT";
	size_t len = strlen(text);
	const char *unit = len > 0 ? strchr(letters, text[len - 1]) : NULL;
	unsigned shift = unit ? 10U * (unsigned)(unit - letters + 1) : 0;

	if (!is_number(text, unit ? len - 1 : len, UINT64_C(999999999999999), bytes) ||
	    *bytes == 0 || *bytes > UINT64_MAX >> shift) {
		return false;
	}
	*bytes <<= shift;
	return true;
}

bool run_options_parse_part(const char *text, uint32_t *of)
{
	uint64_t number;

	if (strncmp(text, "1/", 2) != 0 ||
	    !is_number(text + 2, strlen(text + 2), REHASH_MAX, &number) || number == 0) {
		return false;
	}
	*of = (uint32_t)number;
	return true;
}

/* As many sessions as the system lets us have; what was asked for beyond that is told. */
static void fit_descriptors(struct call *call, struct sweep_config *config)
{
	struct rlimit limit;
	size_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return;
	}
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) {
		return;
	}
	most = limit.rlim_cur > 2 * OWN_DESCRIPTORS ? (size_t)limit.rlim_cur - OWN_DESCRIPTORS
						    : OWN_DESCRIPTORS;
	if (config->parallel > most) {
		if (!call->quiet) {
			(void)fprintf(call->log,
				      "muster: %zu hosts at once instead of %zu: the limit of open "
				      "files is %llu (ulimit -Hn)\n",
				      most, config->parallel, (unsigned long long)limit.rlim_cur);
		}
		config->parallel = most;
	}
}

static int read_amounts(struct call *call, struct sweep_config *config, struct error *err)
{
	const char *rehash = call_value(call, OPTION_REHASH);
	const char *rate = call_value(call, OPTION_READ_RATE);

	if (rehash && !run_options_parse_part(rehash, &config->rehash_of)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--rehash: expected a part such as 1/30, at most 1/%d",
				 REHASH_MAX);
	}
	if (rate && !run_options_parse_size(rate, &config->rate_bytes_s)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--read-rate: expected bytes a second such as 500k or 20M");
	}
	return 0;
}

int run_options_read(struct call *call, struct sweep_config *config, struct error *err)
{
	const char *deadline = call_value(call, OPTION_DEADLINE);
	uint64_t seconds = 0, retries, full_parallel;

	if (deadline &&
	    (!yaml_parse_duration(deadline, &seconds) || seconds < 1 || seconds > UINT32_MAX)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--deadline: expected a time such as 90s, 15m or 6h");
	}
	if (call_number(call, OPTION_RETRIES, 0, RETRIES_MAX, 0, &retries, err) < 0 ||
	    call_number(call, OPTION_FULL_PARALLEL, 1, PARALLEL_MAX, FULL_PARALLEL, &full_parallel,
			err) < 0 ||
	    read_amounts(call, config, err) < 0) {
		return -1;
	}
	config->deadline_s = (uint32_t)seconds;
	config->retries = (unsigned)retries;
	config->parallel = (size_t)config_number(call->config, CONFIG_PARALLEL);
	config->full_parallel = (size_t)full_parallel;
	config->full = call_has(call, OPTION_FULL);
	config->sweep = "";
	config->version = version_text;
	fit_descriptors(call, config);
	return 0;
}

int run_options_max_incomplete(const struct call *call, unsigned *percent, struct error *err)
{
	const char *text = call_value(call, OPTION_MAX_INCOMPLETE);
	size_t len = text ? strlen(text) : 0;
	uint64_t number = 0;

	if (text &&
	    !is_number(text, len > 0 && text[len - 1] == '%' ? len - 1 : len, 100, &number)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--max-incomplete: expected a part of the hosts such as 2%%");
	}
	*percent = (unsigned)number;
	return 0;
}
