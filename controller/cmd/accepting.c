// SPDX-License-Identifier: MIT
#include "controller/cmd/accepting.h"

#include <stdlib.h>

#include "baselines/records.h"
#include "controller/report/values.h"
#include "schema/escape.h"

static bool is_record(struct bytes line)
{
	uint8_t *scratch = malloc(line.len ? line.len : 1);
	struct record record;
	const char *kind;
	bool is = scratch && line.len > 0 &&
		  records_read_line(line, scratch, &kind, &record, NULL) == 0;

	free(scratch);
	return is;
}

static bool is_path(struct bytes subject)
{
	return subject.len > 0 && subject.data[0] == '/';
}

int accepting_change(const struct finding *finding, const char *host, struct edit_change *change,
		     struct error *err)
{
	struct bytes type;
	char shown[200];

	*change = (struct edit_change){
		.host = host, .path = finding->subject, .value = finding->new_value};
	if (!rule_can_be_accepted(finding->rule)) {
		return error_set(err, ERROR_CONFIG, 0, "%.8s: %s cannot be accepted: %s",
				 finding->id, rule_name(finding->rule), rule_advice(finding->rule));
	}
	if (is_record(finding->new_value)) {
		change->what = EDIT_RECORD;
		return 0;
	}
	if (is_path(finding->subject) && values_find(finding->new_value, "type", &type)) {
		change->what = EDIT_ENTRY;
		return 0;
	}
	if (finding->new_value.len == 0 && is_record(finding->old_value)) {
		change->what = EDIT_NO_RECORD;
		change->value = finding->old_value;
		return 0;
	}
	if (finding->new_value.len == 0 && finding->old_value.len > 0 &&
	    is_path(finding->subject)) {
		change->what = EDIT_ABSENT;
		return 0;
	}
	return error_set(err, ERROR_CONFIG, 0, "%.8s: %s of %s cannot be accepted", finding->id,
			 rule_name(finding->rule),
			 escape_text(finding->subject, shown, sizeof(shown)));
}
