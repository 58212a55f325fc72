// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_OPEN_H
#define MUSTER_CONTROLLER_CMD_OPEN_H

/*
 * Opens what verbs work on, by the settings of a call, and advises where that fails. What is opened
 * belongs to the verb.
 */

#include "baselines/baseline.h"
#include "controller/cmd/call.h"
#include "controller/report/report.h"
#include "controller/store/store.h"

/* STORE_WRITE makes the database; where the default place is used, its folders too. */
int open_store(struct call *call, enum store_mode mode, struct store **store,
	       struct error *err) MUST_CHECK;

/* NULL in *baseline where none is configured. */
int open_baseline(struct call *call, struct baseline **baseline, struct error *err) MUST_CHECK;

/* The baseline's directory; CONFIG error where none is configured. */
int open_baseline_path(struct call *call, const char **path, struct error *err) MUST_CHECK;

/* A report by --format, --color, --fail-on, --all, -q, -v. */
int open_report(struct call *call, bool is_run, struct report **report,
		struct error *err) MUST_CHECK;
bool open_is_ndjson(const struct call *call);
/* The format of --format. */
enum report_format open_format(const struct call *call);

#endif
