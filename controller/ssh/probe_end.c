// SPDX-License-Identifier: MIT
#include "controller/ssh/probe_end.h"

#include <stddef.h>

#include "payloads/status.h"

const char *probe_end_text(int status)
{
	switch (status) {
	case STATUS_USAGE:
		return "it did not understand its arguments";
	case STATUS_SELF:
		return "what the host executed is not the probe that was sent";
	case STATUS_PROTOCOL:
		return "it did not understand a message";
	case STATUS_CONNECTION:
		return "its connection was gone";
	case STATUS_MEMORY:
		return "it got no memory";
	case STATUS_WATCHDOG:
		return "it was stuck, and its own watchdog ended it";
	case STATUS_ROOT:
		return "it could not open /";
	case STATUS_BROKEN:
		return "a fault of its own";
	default:
		return NULL;
	}
}

enum outcome probe_end_outcome(int status, bool spoke)
{
	switch (status) {
	case STATUS_SELF:
		return OUTCOME_PROTOCOL_ERROR;
	case STATUS_USAGE:
	case STATUS_PROTOCOL:
		return OUTCOME_INTERNAL;
	case STATUS_CONNECTION:
		return OUTCOME_LOST;
	case STATUS_MEMORY:
	case STATUS_WATCHDOG:
	case STATUS_ROOT:
	case STATUS_BROKEN:
		return OUTCOME_KILLED;
	default:
		return spoke ? OUTCOME_KILLED : OUTCOME_EXEC_DENIED;
	}
}
