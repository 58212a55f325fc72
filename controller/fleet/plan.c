// SPDX-License-Identifier: MIT
#include "controller/fleet/plan.h"

#include <openssl/hmac.h>
#include <sys/random.h>

#define DAY_S 86400
#define NS_PER_S 1000000000LL
#define CLOCK_AHEAD_S 300 /* a host's clock may be so far before ours */

static int copy_list(struct plan_list *to, const struct string_list *from, const char *what,
		     struct error *err)
{
	if (from->count > PLAN_ITEMS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "policy: %zu %s, at most %d are possible",
				 from->count, what, PLAN_ITEMS_MAX);
	}
	for (size_t i = 0; i < from->count; i++) {
		to->item[i] = bytes_from_string(from->item[i]);
	}
	to->count = from->count;
	return 0;
}

/* One part a day; a new secret order once all have had their turn. */
static int choose_slice(const struct plan_options *options, uint32_t of, const char *host,
			struct plan *plan, struct error *err)
{
	int64_t day = options->now_s / DAY_S;
	uint8_t message[8 + 256], mac[EVP_MAX_MD_SIZE];
	size_t host_len = strlen(host);
	unsigned mac_len = 0;
	uint64_t cycle;

	if (of == 0 || !options->secret) {
		return 0;
	}
	cycle = (uint64_t)day / of;
	for (unsigned i = 0; i < 8; i++) {
		message[i] = (uint8_t)(cycle >> (56 - 8 * i));
	}
	if (host_len > sizeof(message) - 8) {
		host_len = sizeof(message) - 8;
	}
	memcpy(message + 8, host, host_len);
	if (!HMAC(EVP_sha256(), options->secret, PLAN_SECRET_SIZE, message, 8 + host_len, mac,
		  &mac_len)) {
		return error_set(err, ERROR_NOMEM, 0, "cannot derive a slice");
	}
	memcpy(plan->slice_key, mac, SEED_SIZE);
	plan->slice_of = of;
	plan->slice_part = (uint32_t)((uint64_t)day % of);
	return 0;
}

/*
 * By the host's own clock, but for one that was ahead of ours: what it says would put off the
 * timeline for as long as the host likes. One that is honestly ahead sends some of it twice.
 */
static int64_t since_of(const struct plan_clock *complete, int64_t now_s)
{
	int64_t most = (now_s + CLOCK_AHEAD_S) * NS_PER_S, ours;

	if (complete->offset_ns > CLOCK_AHEAD_S * NS_PER_S &&
	    !__builtin_sub_overflow(complete->clock_ns, complete->offset_ns, &ours)) {
		return ours < most ? ours : most;
	}
	return complete->clock_ns < most ? complete->clock_ns : most;
}

int plan_make(const struct policy *policy, const struct plan_options *options, const char *host,
	      const struct plan_clock *complete, struct plan *plan, struct error *err)
{
	uint32_t of = options->rehash_of > 0 ? options->rehash_of : policy->rehash_of;

	memset(plan, 0, sizeof(*plan));
	if (getrandom(plan->nonce, NONCE_SIZE, 0) != NONCE_SIZE ||
	    getrandom(plan->seed, SEED_SIZE, 0) != SEED_SIZE) {
		return error_set(err, ERROR_SYSTEM, 0, "no randomness to be had");
	}
	plan->checks = CHECK_ALL;
	plan->budget_s = policy->budget_s;
	plan->budget_read_bytes = policy->budget_read_bytes;
	plan->budget_entries = policy->budget_entries;
	plan->budget_depth = policy->budget_depth;
	plan->rate_bytes_s = options->rate_bytes_s > 0 ? options->rate_bytes_s
						       : policy->rate_bytes_s;
	/* The host's own clock where it is known: its ctimes are compared with it. */
	plan->since_ns = complete ? since_of(complete, options->now_s)
				  : (options->now_s - policy->timeline_window_s) * NS_PER_S;
	plan->full = options->full;
	if (copy_list(&plan->roots, &policy->roots, "roots", err) != 0 ||
	    copy_list(&plan->volatiles, &policy->volatiles, "volatile roots", err) != 0 ||
	    copy_list(&plan->web_roots, &policy->web_roots, "web roots", err) != 0 ||
	    copy_list(&plan->excludes, &policy->excludes, "excludes", err) != 0 ||
	    copy_list(&plan->always, &policy->always, "always patterns", err) != 0) {
		return -1;
	}
	return choose_slice(options, of, host, plan, err);
}

/* What the same rights will meet again tomorrow. */
static bool is_of_rights(const struct coverage_item *item)
{
	return bytes_equal_string(item->reason, "denied") ||
	       bytes_equal_string(item->reason, "lock-unknown");
}

struct narrow_since plan_narrow(const struct observation *last, int64_t now_s)
{
	struct narrow_since narrow = {0};
	bool told = false;

	for (size_t i = 0; last && i < last->coverage_count; i++) {
		const struct coverage_item *item = &last->coverage[i];

		if (item->state == COVERAGE_DONE) {
			told = told || bytes_equal_string(item->check, "timeline");
		} else if (item->state == COVERAGE_PARTIAL && !is_of_rights(item)) {
			return narrow;
		}
	}
	if (told) {
		const struct plan_clock clock = {last->hello.clock_ns, last->clock_offset_ns};

		narrow = (struct narrow_since){true, last->hello.uid, since_of(&clock, now_s)};
	}
	return narrow;
}
