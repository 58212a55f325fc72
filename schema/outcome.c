// SPDX-License-Identifier: MIT
#include "schema/outcome.h"

#include <string.h>

static const struct {
	const char *name;
	enum outcome_class class;
	const char *advice;
} outcomes[OUTCOMES] = {
	[OUTCOME_NOT_ASKED] = {"not-asked", OUTCOME_CLASS_NOT_ASKED, "run the sweep again"},
	[OUTCOME_CLEAN] = {"clean", OUTCOME_CLASS_LOOKED, ""},
	[OUTCOME_FINDINGS] = {"findings", OUTCOME_CLASS_LOOKED, ""},
	[OUTCOME_PARTIAL] = {"partial", OUTCOME_CLASS_PARTIAL,
			     "see what was not looked at: muster show HOST"},
	[OUTCOME_NAME_UNKNOWN] = {"name-unknown", OUTCOME_CLASS_UNREACHABLE,
				  "check the name in the inventory, DNS or HostName in ssh_config"},
	[OUTCOME_NO_ROUTE] = {"no-route", OUTCOME_CLASS_UNREACHABLE, "check network and address"},
	[OUTCOME_REFUSED] = {"refused", OUTCOME_CLASS_UNREACHABLE,
			     "check that sshd runs there, and the port (--port)"},
	[OUTCOME_TIMEOUT] = {"timeout", OUTCOME_CLASS_UNREACHABLE,
			     "check the host, or allow it more time (--timeout)"},
	[OUTCOME_LOST] = {"lost", OUTCOME_CLASS_UNREACHABLE,
			  "the connection broke: check the network and try again"},
	[OUTCOME_KEX_FAILED] =
		{"kex-failed", OUTCOME_CLASS_REFUSED,
		 "let the host's sshd offer one of muster's algorithms too: see both offers above"},
	[OUTCOME_KEY_UNKNOWN] = {"key-unknown", OUTCOME_CLASS_REFUSED,
				 "fetch the key for review: muster hosts keys HOST --import FILE"},
	[OUTCOME_KEY_MISMATCH] =
		{"key-mismatch", OUTCOME_CLASS_ALARM,
		 "rebuilt or intercepted? compare on the console before you change known_hosts"},
	[OUTCOME_AUTH_FAILED] =
		{"auth-failed", OUTCOME_CLASS_REFUSED,
		 "check user and key (--user, --identity) and the host's authorized_keys"},
	[OUTCOME_JUMP_FAILED] = {"jump-failed", OUTCOME_CLASS_UNREACHABLE,
				 "mend the way to the jump host that is named: nothing is known of "
				 "the host itself"},
	[OUTCOME_SHELL_REFUSED] =
		{"shell-refused", OUTCOME_CLASS_REFUSED,
		 "the user's login shell runs no command: give the account a shell"},
	[OUTCOME_NO_SUDO] = {"no-sudo", OUTCOME_CLASS_REFUSED,
			     "allow `sudo -n` for this user, or the rule that `muster sudoers` "
			     "prints (--become "
			     "pinned), or use --become none for a partial look"},
	[OUTCOME_NO_PLACE] = {"no-place", OUTCOME_CLASS_REFUSED,
			      "no directory of /run /dev/shm /var/tmp /tmp $HOME can hold and "
			      "execute the probe"},
	[OUTCOME_EXEC_DENIED] =
		{"exec-denied", OUTCOME_CLASS_REFUSED,
		 "something forbids execution: allow the probe's digest (muster version)"},
	[OUTCOME_ARCH_UNKNOWN] = {"arch-unknown", OUTCOME_CLASS_REFUSED,
				  "there is no probe for this machine"},
	[OUTCOME_NO_PROCESS] = {"no-process", OUTCOME_CLASS_REFUSED,
				"the host cannot start a process: check its PID limit and memory"},
	[OUTCOME_PROTOCOL_ERROR] = {"protocol-error", OUTCOME_CLASS_ALARM,
				    "the host sent what no probe sends: treat it as suspect"},
	[OUTCOME_KILLED] = {"killed", OUTCOME_CLASS_REFUSED,
			    "the probe did not finish: check the host's load and limits"},
	[OUTCOME_OVER_LIMIT] = {"over-limit", OUTCOME_CLASS_ALARM,
				"the host sent more than a host may: treat it as suspect"},
	[OUTCOME_INTERNAL] = {"internal", OUTCOME_CLASS_UNREACHABLE,
			      "a fault of muster's own: see the log and try again"},
};

const char *outcome_name(enum outcome outcome)
{
	return outcome < OUTCOMES ? outcomes[outcome].name : "unknown";
}

bool outcome_from_name(const char *name, enum outcome *outcome)
{
	for (unsigned i = 0; i < OUTCOMES; i++) {
		if (strcmp(outcomes[i].name, name) == 0) {
			*outcome = (enum outcome)i;
			return true;
		}
	}
	return false;
}

enum outcome_class outcome_class(enum outcome outcome)
{
	return outcome < OUTCOMES ? outcomes[outcome].class : OUTCOME_CLASS_ALARM;
}

const char *outcome_advice(enum outcome outcome)
{
	return outcome < OUTCOMES ? outcomes[outcome].advice : "";
}
