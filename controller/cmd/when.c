// SPDX-License-Identifier: MIT
#include "controller/cmd/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "baselines/yaml.h"

/* Exactly `digits` digits, and what follows them. */
static bool take_number(const char **text, size_t digits, int *number)
{
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		char c = (*text)[i];

		if (c < '0' || c > '9') {
			return false;
		}
		*number = *number * 10 + (c - '0');
	}
	*text += digits;
	return true;
}

static bool take(const char **text, char c)
{
	if (**text != c) {
		return false;
	}
	(*text)++;
	return true;
}

/* [T]HH:MM[:SS]Z */
static bool take_clock(const char **text, struct tm *tm)
{
	if (!take_number(text, 2, &tm->tm_hour) || !take(text, ':') ||
	    !take_number(text, 2, &tm->tm_min)) {
		return false;
	}
	if (take(text, ':') && !take_number(text, 2, &tm->tm_sec)) {
		return false;
	}
	return take(text, 'Z');
}

static bool parse_date(const char *text, int64_t *seconds)
{
	struct tm tm = {0}, asked;
	time_t when;

	if (!take_number(&text, 4, &tm.tm_year) || !take(&text, '-') ||
	    !take_number(&text, 2, &tm.tm_mon) || !take(&text, '-') ||
	    !take_number(&text, 2, &tm.tm_mday)) {
		return false;
	}
	if (take(&text, 'T') && !take_clock(&text, &tm)) {
		return false;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	asked = tm;
	when = timegm(&tm);
	*seconds = (int64_t)when;
	/* timegm makes the 3rd of March of the 31st of February: refuse instead. */
	return *text == '\0' && asked.tm_mon == tm.tm_mon && asked.tm_mday == tm.tm_mday &&
	       asked.tm_hour == tm.tm_hour && asked.tm_min == tm.tm_min &&
	       asked.tm_sec == tm.tm_sec && tm.tm_year >= 70;
}

bool when_parse(const char *text, int64_t now_s, enum when_direction direction, int64_t *seconds)
{
	uint64_t span;

	if (parse_date(text, seconds)) {
		return true;
	}
	if (!yaml_parse_duration(text, &span) || span > INT32_MAX) {
		return false;
	}
	*seconds = direction == WHEN_AGO ? now_s - (int64_t)span : now_s + (int64_t)span;
	return true;
}

const char *when_day(int64_t seconds, char to[WHEN_DAY_ROOM])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || strftime(to, WHEN_DAY_ROOM, "%Y-%m-%d", &tm) == 0) {
		to[0] = '\0';
	}
	return to;
}
