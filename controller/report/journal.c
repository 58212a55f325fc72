// SPDX-License-Identifier: MIT
/*
 * Records of a run and of what is new in it, one a change. By the journal's native protocol where its
 * socket is there: fields can be asked for (journalctl MUSTER_HOST=web017), which syslog's line cannot
 * offer, and a datagram of lines needs no library. By syslog(3) elsewhere.
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/, systemd.journal-fields(7).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "controller/inventory/fold.h"
#include "controller/report/changes.h"
#include "controller/report/print.h"
#include "controller/report/writer.h"

#define SOCKET "/run/systemd/journal/socket"
#define HOSTS_MAX 64 /* a field each; a longer list stands folded, and in the database */
#define FOLDED_MAX 4096
#define PATH_MAX_SHOWN 4096
#define MESSAGE_NEW "4f1c2c5a6f8e4c0d9d0a3b7f5e1c8a26"
#define MESSAGE_RUN "b8d7a0e35c6a4f6f8a2d1e9c7b405f13"

struct journal {
	struct changes *changes;
	int fd; /* -1: syslog */
};

static void free_journal(void *state)
{
	struct journal *journal = state;

	if (journal->fd >= 0) {
		(void)close(journal->fd);
	}
	changes_free(journal->changes);
	free(journal);
}

static int make(void **state, struct error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	*state = NULL;
	if (!journal) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	journal->fd = -1;
	if (changes_new(&journal->changes, err) < 0) {
		free_journal(journal);
		return -1;
	}
	*state = journal;
	return 0;
}

static int run_start(void *state, const struct writer_context *context, struct error *err)
{
	const char *path = context->options->journal_socket;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct journal *journal = state;

	(void)err;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path : SOCKET);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (journal->fd >= 0 &&
	    connect(journal->fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) <
		    0) {
		(void)close(journal->fd);
		journal->fd = -1;
	}
	if (journal->fd < 0) {
		openlog("muster", LOG_PID, LOG_DAEMON);
	}
	return 0;
}

static int host(void *state, const struct writer_context *context, const struct report_host *host,
		struct error *err)
{
	(void)state;
	(void)context;
	(void)host;
	(void)err;
	return 0;
}

/* From the severity on that makes the run fail; medium where nothing does. */
static bool is_told(const struct writer_context *context, const struct finding *finding)
{
	unsigned least = context->options->fail_on;

	return finding->state == FINDING_NEW &&
	       finding->severity >= (least > SEVERITY_CRITICAL ? SEVERITY_MEDIUM : least);
}

static int finding(void *state, const struct writer_context *context,
		   const struct report_finding *found, struct error *err)
{
	struct journal *journal = state;

	return is_told(context, found->finding)
		       ? changes_add(journal->changes, found->host, found->finding,
				     found->first_seen_s, NULL, err)
		       : 0;
}

static int priority_of(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
		return LOG_CRIT;
	case SEVERITY_HIGH:
		return LOG_ERR;
	case SEVERITY_MEDIUM:
		return LOG_WARNING;
	case SEVERITY_LOW:
		return LOG_NOTICE;
	case SEVERITY_INFO:
		break;
	}
	return LOG_INFO;
}

/*
 * `record`: fields, a line each, MESSAGE first. No value holds a newline: all are escaped. A journal
 * that goes away meanwhile costs the fields, not the message, and never the run's other reports.
 */
static void send_record(struct journal *journal, int priority, const char *record, size_t len)
{
	const char *text = record + strlen("MESSAGE=");

	if (journal->fd >= 0 && send(journal->fd, record, len, MSG_NOSIGNAL) == (ssize_t)len) {
		return;
	}
	if (journal->fd >= 0) {
		(void)close(journal->fd);
		journal->fd = -1;
		openlog("muster", LOG_PID, LOG_DAEMON);
	}
	syslog(priority, "%.*s", (int)strcspn(text, "\n"), text);
}

static void write_common(FILE *to, const struct writer_context *context, int priority,
			 const char *message_id)
{
	(void)fprintf(to, "PRIORITY=%d\nSYSLOG_IDENTIFIER=muster\nMESSAGE_ID=%s\n", priority,
		      message_id);
	if (context->options->is_run) {
		(void)fprintf(to, "MUSTER_RUN=%s\n", context->run.name);
	}
}

static struct bytes at_most(struct bytes bytes, size_t len)
{
	return bytes_make(bytes.data, bytes.len < len ? bytes.len : len);
}

static int tell_change(struct journal *journal, const struct writer_context *context,
		       const struct change *change, struct error *err)
{
	const struct finding *finding = change->finding;
	struct bytes subject = at_most(finding->subject, PATH_MAX_SHOWN), hosts;
	int priority = priority_of(finding->severity), status = -1;
	char *folded = NULL, *record = NULL;
	size_t len = 0;
	FILE *to;

	if (fold_names(change->hosts, change->host_count, &folded, err) < 0) {
		return -1;
	}
	hosts = at_most(bytes_from_string(folded), FOLDED_MAX);
	to = open_memstream(&record, &len);
	if (!to) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	(void)fprintf(to, "MESSAGE=new finding %.8s: %s %s ", finding->id,
		      severity_name(finding->severity), rule_name(finding->rule));
	(void)print_bytes(to, subject);
	(void)fputs(" on ", to);
	(void)print_bytes(to, hosts);
	(void)fprintf(to, " (%zu)\n", change->host_count);
	write_common(to, context, priority, MESSAGE_NEW);
	(void)fprintf(to, "MUSTER_FID=%s\nMUSTER_RULE=%s\nMUSTER_SEVERITY=%s\nMUSTER_PATH=",
		      finding->id, rule_name(finding->rule), severity_name(finding->severity));
	(void)print_bytes(to, subject);
	(void)fprintf(to, "\nMUSTER_HOST_COUNT=%zu\nMUSTER_HOSTS=", change->host_count);
	(void)print_bytes(to, hosts);
	for (size_t i = 0; i < change->host_count && i < HOSTS_MAX; i++) {
		(void)fputs("\nMUSTER_HOST=", to);
		(void)print_bytes(to, bytes_from_string(change->hosts[i]));
	}
	(void)fputc('\n', to);
	(void)fclose(to);
	if (record) {
		send_record(journal, priority, record, len);
		status = 0;
	}
out:
	free(record);
	free(folded);
	return status;
}

static int tell_run(struct journal *journal, const struct writer_context *context,
		    struct error *err)
{
	static const char *const verdicts[] = {[REPORT_CLEAN] = "clean",
					       [REPORT_FINDINGS] = "findings",
					       [REPORT_INCOMPLETE] = "incomplete"};
	int priority = context->verdict == REPORT_CLEAN ? LOG_INFO : LOG_NOTICE, status = -1;
	const struct report_tally *tally = context->tally;
	char *record = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&record, &len);

	if (!to) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	(void)fprintf(
		to, "MESSAGE=%s ended%s: %s, %zu of %zu hosts looked at whole, %zu new findings\n",
		context->run.kind ? context->run.kind : "run",
		context->interrupted ? " before its time" : "", verdicts[context->verdict],
		tally->looked, tally->hosts, tally->fresh);
	write_common(to, context, priority, MESSAGE_RUN);
	(void)fprintf(to, "MUSTER_VERDICT=%s\n", verdicts[context->verdict]);
	(void)fclose(to);
	if (record) {
		send_record(journal, priority, record, len);
		status = 0;
	}
	free(record);
	return status;
}

static int run_end(void *state, const struct writer_context *context, struct error *err)
{
	struct journal *journal = state;
	const struct change *change;

	changes_sort(journal->changes);
	for (size_t i = 0; (change = changes_at(journal->changes, i)); i++) {
		if (tell_change(journal, context, change, err) < 0) {
			return -1;
		}
	}
	return tell_run(journal, context, err);
}

const struct writer writer_journal = {
	.name = "journal",
	.make = make,
	.free = free_journal,
	.run_start = run_start,
	.host = host,
	.finding = finding,
	.run_end = run_end,
};
