// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/both_ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return strcmp(a->id, b->id) == 0 && a->rule == b->rule && a->severity == b->severity &&
	       a->witness == b->witness && a->state == b->state &&
	       strcmp(a->letters, b->letters) == 0 && a->marker == b->marker &&
	       bytes_equal(a->subject, b->subject) && bytes_equal(a->package, b->package) &&
	       bytes_equal(a->old_value, b->old_value) && bytes_equal(a->new_value, b->new_value) &&
	       bytes_equal(a->detail, b->detail);
}

static bool same_packages(const struct world *w, const struct judged_package *was)
{
	for (size_t i = 0; i < BUILD_SECTIONS; i++) {
		const struct judged_package *now = &w->packages[i];

		if (now->is_judged != was[i].is_judged || now->files != was[i].files ||
		    now->witness != was[i].witness || now->differs != was[i].differs) {
			return false;
		}
	}
	return true;
}

void judge_both_ways_in(struct world *w, struct judge_cache *cache, int host)
{
	struct findings anew;
	struct judge_counts counts;
	struct judged_package packages[BUILD_SECTIONS];
	bool same;

	w->cache = NULL;
	w->keeps_objects = true;
	world_judge(w);
	anew = w->findings;
	counts = w->counts;
	memcpy(packages, w->packages, sizeof(packages));
	w->findings = (struct findings){0};
	w->cache = cache;
	world_judge(w);
	same = anew.count == w->findings.count &&
	       memcmp(&counts, &w->counts, sizeof(counts)) == 0 && same_packages(w, packages);
	for (size_t i = 0; same && i < anew.count; i++) {
		same = same_finding(&anew.item[i], &w->findings.item[i]);
	}
	if (!same) {
		struct findings cached = w->findings;

		print_message("host %d, anew:\n", host);
		w->findings = anew;
		world_print(w);
		print_message("from the cache:\n");
		w->findings = cached;
		world_print(w);
	}
	assert_true(same);
	findings_clear(&anew);
}

/* What the baseline is, as far as verdicts rest on it. */
static bool is_standard(const struct world *w, const struct world *standard)
{
	return !w->records_are_overrides && w->manifest_count == standard->manifest_count &&
	       bytes_equal(bytes_make(w->manifest, sizeof(w->manifest)),
			   bytes_make(standard->manifest, sizeof(standard->manifest))) &&
	       bytes_equal(bytes_make(&w->policy, sizeof(w->policy)),
			   bytes_make(&standard->policy, sizeof(standard->policy)));
}

void judge_both_ways(struct world *w)
{
	static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {7};
	static struct judge_cache *shared;
	static struct world *baseline, *standard;
	static int host;
	struct judge_cache *own = NULL;
	struct error err;

	if (!shared) {
		baseline = world_new();
		standard = world_new();
		world_standard(baseline);
		world_standard(standard);
		world_judge(baseline);
		assert_int_equal(judge_cache_new(&shared, (size_t)64 << 20, seed, &err), 0);
	}
	if (is_standard(w, standard)) {
		w->baseline = baseline;
		judge_both_ways_in(w, shared, host);
	} else {
		w->baseline = NULL;
		assert_int_equal(judge_cache_new(&own, (size_t)64 << 20, seed, &err), 0);
		judge_both_ways_in(w, own, host);
	}
	/* Once more from what it left itself. */
	judge_both_ways_in(w, own ? own : shared, host);
	w->cache = NULL;
	judge_cache_free(own);
	host++;
}
