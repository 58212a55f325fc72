// SPDX-License-Identifier: MIT
#include "controller/cmd/pick.h"

#include "controller/cmd/open.h"
#include "schema/escape.h"

struct picking {
	struct changes *changes;
	struct nodeset *hosts; /* NULL: all */
	struct error *err;
	size_t found;
};

static int on_finding(void *context, const struct store_finding_row *row)
{
	struct picking *picking = context;
	struct finding finding = *row->finding;

	if (finding.state == FINDING_RESOLVED || finding.state == FINDING_EXPLAINED ||
	    (picking->hosts && !nodeset_has(picking->hosts, row->host))) {
		return 0;
	}
	picking->found++;
	/* New here and open there is one decision. */
	finding.state = FINDING_OPEN;
	return changes_add(picking->changes, row->host, &finding, row->first_seen_s, NULL,
			   picking->err);
}

int pick_findings(struct call *call, struct store *store, struct nodeset *hosts,
		  struct changes *changes, struct error *err)
{
	for (size_t i = 0; i < call->word_count; i++) {
		struct picking picking = {.changes = changes, .hosts = hosts, .err = err};
		const struct store_finding_query query = {.id = call->words[i]};
		char shown[80];

		/* As a script with an unset variable has it: it would be all of them. */
		if (!call->words[i][0]) {
			call_advise(call, "muster status shows findings and their fingerprints");
			return error_set(err, ERROR_CONFIG, 0, "an empty word names no finding");
		}
		if (store_findings(store, &query, on_finding, &picking, err) < 0) {
			call_advise(call, "muster status shows findings and their fingerprints");
			return -1;
		}
		if (picking.found == 0) {
			call_advise(call,
				    "muster status shows what is open; muster show %s, where "
				    "this is not",
				    escape_text(bytes_from_string(call->words[i]), shown,
						sizeof(shown)));
			return error_set(err, ERROR_CONFIG, 0,
					 "%s: no open finding of that fingerprint%s", shown,
					 hosts ? " on these hosts" : "");
		}
	}
	return 0;
}
