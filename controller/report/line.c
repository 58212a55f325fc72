// SPDX-License-Identifier: MIT
#include "controller/report/line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/fold.h"
#include "controller/judge/pile_value.h"
#include "controller/report/print.h"
#include "controller/report/values.h"

#define HOSTS_WIDTH 40  /* a longer list of hosts pushes its line to the right */
#define HOSTS_SHOWN 100 /* bytes; `muster show` has all */
#define SEVERITY_WIDTH 8

void line_paint(FILE *out, bool color, enum line_color which, const char *text)
{
	/* ECMA-48, select graphic rendition */
	static const char *const codes[] = {[LINE_RED] = "1;31",
					    [LINE_YELLOW] = "33",
					    [LINE_GREEN] = "32",
					    [LINE_CYAN] = "36",
					    [LINE_DIM] = "2"};

	if (color) {
		(void)fprintf(out, "\033[%sm%s\033[0m", codes[which], text);
	} else {
		(void)fputs(text, out);
	}
}

static enum line_color severity_color(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
	case SEVERITY_HIGH:
		return LINE_RED;
	case SEVERITY_MEDIUM:
		return LINE_YELLOW;
	case SEVERITY_LOW:
		return LINE_CYAN;
	case SEVERITY_INFO:
		break;
	}
	return LINE_DIM;
}

static void print_severity(FILE *out, enum severity severity, bool color)
{
	char text[SEVERITY_WIDTH + 1] = "";
	const char *name = severity_name(severity);

	for (size_t i = 0; i < SEVERITY_WIDTH; i++) {
		text[i] = (char)(*name ? toupper((unsigned char)*name++) : ' ');
	}
	line_paint(out, color, severity_color(severity), text);
}

/* The letters where some attribute differs; else what the rule is about. */
static const char *what(const struct finding *finding)
{
	return strpbrk(finding->letters, "SM5DLUGTP?") ? finding->letters
						       : rule_name(finding->rule);
}

static int hosts_columns(const char *folded, size_t count)
{
	char number[32] = "";
	size_t len = strlen(folded);

	if (count > 1) {
		(void)snprintf(number, sizeof(number), " (%zu)", count);
	}
	return (int)((len > HOSTS_SHOWN ? HOSTS_SHOWN + 3 : len) + strlen(number));
}

int line_hosts(FILE *out, const char *folded, size_t count)
{
	size_t len = strlen(folded);

	(void)print_bytes(out, bytes_make(folded, len > HOSTS_SHOWN ? HOSTS_SHOWN : len));
	if (len > HOSTS_SHOWN) {
		(void)fputs("...", out);
	}
	if (count > 1) {
		(void)fprintf(out, " (%zu)", count);
	}
	return hosts_columns(folded, count);
}

int line_measure(const struct change *change, struct line_widths *widths, struct error *err)
{
	int word = (int)strlen(what(change->finding)), columns;
	char *folded = NULL;

	if (fold_names(change->hosts, change->host_count, &folded, err) < 0) {
		return -1;
	}
	columns = hosts_columns(folded, change->host_count);
	free(folded);
	if (columns <= HOSTS_WIDTH && columns > widths->hosts) {
		widths->hosts = columns;
	}
	if (word > widths->what) {
		widths->what = word;
	}
	return 0;
}

void line_ack(FILE *out, const struct change_ack *ack)
{
	char time[PRINT_TIME_ROOM];

	(void)print_bytes(out, bytes_from_string(ack->id));
	if (ack->until_s) {
		/* It ends with a day; its last second is of that day. */
		(void)fprintf(out, " until %.10s", print_time(ack->until_s - 1, time));
	}
	if (*ack->reason) {
		(void)fputs(": ", out);
		(void)print_bytes(out, bytes_from_string(ack->reason));
	}
}

/* What people ask first: the values that differ, a line each. */
static void print_values(FILE *out, const struct finding *finding)
{
	static const char *const labels[] = {"was", "is"};
	const struct bytes values[] = {finding->old_value, finding->new_value};

	for (size_t i = 0; i < 2; i++) {
		if (values[i].len > 0) {
			(void)fprintf(out, "      %-4s ", labels[i]);
			(void)print_escaped(out, values[i]);
			(void)fputc('\n', out);
		}
	}
}

/* "npm files=834 bytes=4323697" of a finding that stands for many objects. */
static void print_pile(FILE *out, struct bytes value)
{
	const char digest[] = " sha256=";
	const uint8_t *end;

	if (pile_value_is(value)) {
		end = memmem(value.data, value.len, digest, strlen(digest));
		(void)fputs("  (", out);
		(void)print_bytes(out,
				  end ? bytes_make(value.data, (size_t)(end - value.data)) : value);
		(void)fputc(')', out);
	}
}

int line_change(FILE *out, const struct change *change, const struct line_widths *widths,
		bool color, bool verbose, struct error *err)
{
	const struct finding *finding = change->finding;
	char time[PRINT_TIME_ROOM];
	char *folded = NULL;
	int columns;

	if (fold_names(change->hosts, change->host_count, &folded, err) < 0) {
		return -1;
	}
	(void)fputs("  ", out);
	columns = line_hosts(out, folded, change->host_count);
	free(folded);
	(void)fprintf(out, "%*s  ", columns < widths->hosts ? widths->hosts - columns : 0, "");
	print_severity(out, finding->severity, color);
	(void)fprintf(out, "  %-*s  %c ", widths->what, what(finding),
		      finding->marker == 'c' ? 'c' : ' ');
	(void)print_bytes(out, finding->subject);
	if (finding->package.len > 0) {
		(void)fputs("  (", out);
		(void)print_bytes(out, finding->package);
		(void)fputc(')', out);
	}
	print_pile(out, finding->new_value);
	(void)fputs("  ", out);
	(void)fprintf(out, "%.8s", finding->id);
	if (*change->ack.id) {
		(void)fputs("  ", out);
		line_ack(out, &change->ack);
	} else if (finding->state == FINDING_OPEN && change->first_seen_s) {
		(void)fprintf(out, "  since %.10s", print_time(change->first_seen_s, time));
	}
	(void)fputc('\n', out);
	if (verbose) {
		if (finding->detail.len > 0) {
			(void)fputs("      ", out);
			(void)print_escaped(out, finding->detail);
			(void)fputc('\n', out);
		}
		print_values(out, finding);
	}
	return 0;
}
