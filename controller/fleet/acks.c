// SPDX-License-Identifier: MIT
#include "controller/fleet/acks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

#define SHOWN 80

struct acks {
	const struct ack *ack;
	struct nodeset **hosts; /* one an ack; NULL: could not be told */
	char **fault;           /* acks without hosts, in their order */
	size_t count, faults;
	const struct ack **applied;
	size_t applied_room;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for acknowledgements");
}

static int keep_fault(struct acks *acks, const struct ack *ack, const char *message,
		      struct error *err)
{
	char source[SHOWN], id[SHOWN], line[ERROR_MSG_SIZE + 2 * SHOWN];

	(void)snprintf(line, sizeof(line), "%s: %s: %s: it sets nothing aside",
		       escape_text(bytes_from_string(ack->source), source, sizeof(source)),
		       escape_text(bytes_from_string(ack->id), id, sizeof(id)), message);
	acks->fault[acks->faults] = strdup(line);
	if (!acks->fault[acks->faults]) {
		return out_of_memory(err);
	}
	acks->faults++;
	return 0;
}

int acks_new(struct acks **acks, struct baseline *baseline, const struct nodeset_groups *groups,
	     struct error *err)
{
	struct acks *made = calloc(1, sizeof(*made));

	*acks = NULL;
	if (!made) {
		return out_of_memory(err);
	}
	if (baseline_acks(baseline, &made->ack, &made->count, err) != 0) {
		goto out;
	}
	made->hosts = calloc(made->count + 1, sizeof(struct nodeset *));
	made->fault = calloc(made->count + 1, sizeof(char *));
	if (!made->hosts || !made->fault) {
		(void)out_of_memory(err);
		goto out;
	}
	for (size_t i = 0; i < made->count; i++) {
		struct error fault = {.kind = ERROR_NONE};

		if (nodeset_parse(&made->hosts[i], made->ack[i].hosts, groups, &fault) == 0) {
			continue;
		}
		made->hosts[i] = NULL;
		if (keep_fault(made, &made->ack[i], fault.msg, err) != 0) {
			goto out;
		}
	}
	*acks = made;
	made = NULL;
out:
	acks_free(made);
	return *acks ? 0 : -1;
}

void acks_free(struct acks *acks)
{
	if (!acks) {
		return;
	}
	for (size_t i = 0; acks->hosts && i < acks->count; i++) {
		nodeset_free(acks->hosts[i]);
	}
	for (size_t i = 0; acks->fault && i < acks->faults; i++) {
		free(acks->fault[i]);
	}
	free(acks->hosts);
	free(acks->fault);
	free(acks->applied);
	free(acks);
}

const char *acks_fault(const struct acks *acks, size_t index)
{
	return index < acks->faults ? acks->fault[index] : NULL;
}

static bool names_finding(const struct ack *ack, const struct finding *finding)
{
	bool any_rule = !ack->rule || strcmp(ack->rule, "*") == 0;

	/* Without a fingerprint an ack would also silence the next change of the same file. */
	return ack->finding && strcmp(ack->finding, finding->id) == 0 &&
	       (any_rule || strcmp(ack->rule, rule_name(finding->rule)) == 0);
}

static int make_room(struct acks *acks, size_t count, struct error *err)
{
	if (count >= acks->applied_room) {
		const struct ack **grown = realloc(acks->applied, (count + 1) * sizeof(*grown));

		if (!grown) {
			return out_of_memory(err);
		}
		acks->applied = grown;
		acks->applied_room = count + 1;
	}
	memset(acks->applied, 0, acks->applied_room * sizeof(*acks->applied));
	return 0;
}

int acks_apply(struct acks *acks, const char *host, int64_t now_s, struct findings *findings,
	       const struct ack *const **applied, struct error *err)
{
	if (make_room(acks, findings->count, err) != 0) {
		return -1;
	}
	for (size_t i = 0; i < acks->count; i++) {
		const struct ack *ack = &acks->ack[i];

		if (ack->until_s <= now_s || !acks->hosts[i]) {
			continue;
		}
		for (size_t f = 0; f < findings->count; f++) {
			struct finding *finding = &findings->item[f];

			if (finding->state != FINDING_EXPLAINED && names_finding(ack, finding) &&
			    nodeset_has(acks->hosts[i], host)) {
				finding->state = FINDING_ACKNOWLEDGED;
				acks->applied[f] = ack;
			}
		}
	}
	*applied = acks->applied;
	return 0;
}
