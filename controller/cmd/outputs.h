// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_OUTPUTS_H
#define MUSTER_CONTROLLER_CMD_OUTPUTS_H

/*
 * The files of -o FORMAT:FILE. Each is written beside its place, synced, and put there whole by
 * outputs_commit; whoever reads it sees the old one or the new one, never a part. What was not
 * committed leaves no trace. A character device or a pipe is written as it stands, in its place.
 */

#include "controller/cmd/call.h"
#include "controller/report/report.h"

struct outputs;

/*
 * Opens the files of all -o and adds them to the report. CONFIG error that names the option for a
 * wrong format, the same file twice, or a folder that cannot be written to.
 */
int outputs_open(struct call *call, struct report *report, struct outputs **outputs,
		 struct error *err) MUST_CHECK;
/*
 * Puts every file into its place. Where one fails the others are put all the same; *err names the
 * first that failed, whose old content stays.
 */
int outputs_commit(struct outputs *outputs, struct error *err) MUST_CHECK;
void outputs_free(struct outputs *outputs);

#endif
