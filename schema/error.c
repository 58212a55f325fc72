// SPDX-License-Identifier: MIT
#include "schema/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in parentheses, because for the analyser there are macros of these names. */
int(error_set)(struct error *err, enum error_kind kind, int os_errno, const char *format, ...)
{
	va_list args;

	if (!err) {
		return -1;
	}
	err->kind = kind;
	err->os_errno = os_errno;
	va_start(args, format);
	(void)vsnprintf(err->msg, sizeof(err->msg), format, args);
	va_end(args);
	return -1;
}

int(error_prefix)(struct error *err, const char *format, ...)
{
	char context[ERROR_MSG_SIZE];
	size_t used, room;
	va_list args;

	if (!err) {
		return -1;
	}
	va_start(args, format);
	(void)vsnprintf(context, sizeof(context), format, args);
	va_end(args);

	used = strlen(context);
	if (used > sizeof(err->msg) - 3) {
		used = sizeof(err->msg) - 3;
	}
	room = sizeof(err->msg) - used - 3;
	memmove(err->msg + used + 2, err->msg, room);
	memcpy(err->msg, context, used);
	memcpy(err->msg + used, ": ", 2);
	err->msg[sizeof(err->msg) - 1] = '\0';
	return -1;
}

const char *error_kind_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_NONE:
		return "none";
	case ERROR_CONFIG:
		return "config";
	case ERROR_NET:
		return "net";
	case ERROR_AUTH:
		return "auth";
	case ERROR_HOSTKEY:
		return "hostkey";
	case ERROR_PEER:
		return "peer";
	case ERROR_LIMIT:
		return "limit";
	case ERROR_STORE:
		return "store";
	case ERROR_NOMEM:
		return "nomem";
	case ERROR_SYSTEM:
		return "system";
	}
	return "unknown";
}
