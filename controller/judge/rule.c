// SPDX-License-Identifier: MIT
#include "controller/judge/finding.h"

#include <string.h>

/* Names are public: they stand in NDJSON, acks and the database. docs/findings.md has a row each. */
static const struct {
	const char *name;
	enum severity severity;
	const char *title;
	const char *advice;
} rules[RULES] = {
	[RULE_FILE_CHANGED] = {"file.changed", SEVERITY_MEDIUM, "packaged file changed",
			       "Compare with the package; reinstall it, or accept the change."},
	[RULE_FILE_MISSING] = {"file.missing", SEVERITY_MEDIUM, "packaged file missing",
			       "Reinstall the package, or accept its absence."},
	[RULE_FILE_TYPE] = {"file.type", SEVERITY_MEDIUM, "packaged file of another type",
			    "Find out who replaced it; reinstall the package."},
	[RULE_CONFIG_CHANGED] = {"config.changed", SEVERITY_MEDIUM,
				 "configuration differs from its reference",
				 "Review the change; accept it, or put the file back."},
	[RULE_UNOWNED_APPEARED] = {"unowned.appeared", SEVERITY_LOW,
				   "file that no package owns appeared",
				   "Find out what made it; accept it, or remove it."},
	[RULE_UNOWNED_CHANGED] = {"unowned.changed", SEVERITY_LOW,
				  "file that no package owns changed",
				  "Review the change; accept it, or put the file back."},
	[RULE_UNOWNED_VANISHED] = {"unowned.vanished", SEVERITY_LOW,
				   "file that no package owns vanished",
				   "Accept its absence, or put the file back."},
	[RULE_UNOWNED_EXECUTABLE] =
		{"unowned.executable", SEVERITY_MEDIUM, "executable that no package owns",
		 "Find out what installed it; package it, accept it, or remove it."},
	[RULE_UNOWNED_PRESENT] = {"unowned.present", SEVERITY_LOW,
				  "file that no package owns and nothing explains",
				  "Find out what it is for; accept or capture it, or remove it."},
	[RULE_UNOWNED_BYTECODE] = {"unowned.bytecode", SEVERITY_MEDIUM,
				   "compiled Python that does not fit its source",
				   "Delete it, Python makes it anew; then find out who made it."},
	[RULE_VOLATILE_TELLING] = {"volatile.telling", SEVERITY_MEDIUM,
				   "suspicious object in a temporary or web directory",
				   "Look at it before it is gone: owner, times, what runs it."},
	[RULE_FLAG_IMMUTABLE] =
		{"flag.immutable", SEVERITY_MEDIUM, "immutable or append-only flag",
		 "Find out who set it (chattr); such a flag defends a planted file."},
	[RULE_SETID_GAINED] = {"setid.gained", SEVERITY_HIGH, "set-uid or set-gid gained",
			       "Remove the bit, or accept the file as it stands."},
	[RULE_CAPABILITY_GAINED] = {"capability.gained", SEVERITY_HIGH,
				    "file capability that nothing proves",
				    "Remove it (setcap -r), accept it, or name it in the policy."},
	[RULE_OWNER_CHANGED] = {"owner.changed", SEVERITY_LOW,
				"owner or mode of a packaged directory changed",
				"Put owner and mode back, or accept them."},
	[RULE_DATABASE_DISAGREES] = {"database.disagrees", SEVERITY_MEDIUM,
				     "host's package database disagrees with the manifest",
				     "Treat the host's database as doctored until explained."},
	[RULE_EXCEPTION_UNKNOWN] = {"exception.unknown", SEVERITY_MEDIUM,
				    "exception that nobody knows narrows a check",
				    "Accept it, name it in the policy, or remove it on the host."},
	[RULE_OVERRIDE_LOST] = {"override.lost", SEVERITY_MEDIUM,
				"accepted owner and mode that the host overrides no longer",
				"Set the override again (dpkg-statoverride), or accept its loss."},
	[RULE_CLAIM_UNPROVED] = {"claim.unproved", SEVERITY_MEDIUM,
				 "path that only the host's database gives to a package",
				 "The package does not ship it: treat it as a planted file."},
	[RULE_PACKAGE_UNPROVED] = {"package.unproved", SEVERITY_MEDIUM,
				   "new package that only the host's word proves",
				   "Import its .deb or .rpm into the baseline, or accept it."},
	[RULE_PACKAGE_APPEARED] = {"package.appeared", SEVERITY_INFO, "package that was not there",
				   "Nothing to do, where somebody installed it."},
	[RULE_PACKAGE_UPGRADED] = {"package.upgraded", SEVERITY_INFO,
				   "package upgraded, proved by a manifest", "Nothing to do."},
	[RULE_PACKAGE_DOWNGRADED] = {"package.downgraded", SEVERITY_HIGH,
				     "package went down to an older version",
				     "Old versions bring back old holes: upgrade, or accept it."},
	[RULE_PACKAGE_REMOVED] = {"package.removed", SEVERITY_LOW, "package removed",
				  "Install it again, or accept its absence."},
	[RULE_PACKAGE_STATE] = {"package.state", SEVERITY_MEDIUM, "package is not wholly installed",
				"Finish it: dpkg --configure -a, or reinstall."},
	[RULE_PACKAGE_MIXED] = {"package.mixed", SEVERITY_HIGH,
				"package with files of another build",
				"Reinstall it; find out who put the other build's files there."},
	[RULE_PACKAGE_SELF_SUMMED] = {"package.self-summed", SEVERITY_INFO,
				      "package whose md5sums dpkg computed itself",
				      "Import its .deb: until then nothing proves its files."},
	[RULE_MOUNT_OVER] = {"mount.over", SEVERITY_HIGH, "mount hides paths that are checked",
			     "Unmount it and look below, or accept it."},
	[RULE_MOUNT_CHANGED] = {"mount.changed", SEVERITY_LOW, "mounts changed",
				"Accept the mount, or undo it."},
	[RULE_VIEWS_DIFFER] = {"views.differ", SEVERITY_HIGH, "two views of one object differ",
			       "The host is inconsistent: examine it from outside."},
	[RULE_CHECK_LOST] = {"check.lost", SEVERITY_MEDIUM,
			     "a check that was done before is not done now",
			     "Find out what keeps the probe from looking."},
	[RULE_PROTOCOL] = {"protocol.broken", SEVERITY_HIGH, "probe output is malformed",
			   "Treat the host as hostile until explained."},
	[RULE_HOST_KEY] = {"hostkey.changed", SEVERITY_CRITICAL, "host key changed",
			   "Rebuilt host or interception: check the key by another way."},
	[RULE_HEADER_UNSIGNED] = {"header.unsigned", SEVERITY_MEDIUM,
				  "rpm package without a signature that can be checked",
				  "Install the vendor's signed build, or accept this one."},
	[RULE_HEADER_UNKNOWN_KEY] = {"header.unknown-key", SEVERITY_MEDIUM,
				     "rpm packages signed by a key that is not listed",
				     "If you trust the key, list it in the baseline's keys."},
	[RULE_HEADER_BAD] = {"header.bad-signature", SEVERITY_CRITICAL,
			     "rpm header is not what its vendor signed",
			     "The host's database was changed: examine it from outside."},
	[RULE_HEADER_OUTSIDE] =
		{"header.outside-list", SEVERITY_HIGH,
		 "rpm package signed by a key that may not prove it",
		 "Find out who built it; widen the key's list only if it is right."},
	[RULE_HEADER_OVERRIDDEN] = {"header.overridden", SEVERITY_HIGH,
				    "rpm's database overrides what the vendor signed",
				    "rpm -V is deceived there: treat the host as broken into."},
	[RULE_HEADER_STATES] = {"header.states", SEVERITY_HIGH,
				"file states keep rpm from looking at files that are there",
				"rpm -V is deceived there: treat the host as broken into."},
	[RULE_HEADER_MANIFEST] = {"header.manifest", SEVERITY_MEDIUM,
				  "vendor's signature and the manifest in git disagree",
				  "Import the package again; one of the two is of another build."},
	[RULE_HEADER_WEAK] =
		{"header.weak-digest", SEVERITY_INFO,
		 "signed rpm packages whose files have no SHA-256",
		 "Use builds with SHA-256; or capture the host, and content is held to that."},
	[RULE_PACKAGE_HIDDEN] = {"package.hidden", SEVERITY_HIGH,
				 "package gone from the database while its files stay",
				 "Nothing checks these files any more: reinstall or remove them."},
	[RULE_DATABASE_SECOND] = {"database.second", SEVERITY_HIGH,
				  "a second package database beside the one in use",
				  "Left over or put there to deceive: remove the one not in use."},
	[RULE_FIRST_SIGHT] = {"host.first-sight", SEVERITY_INFO, "no accepted state yet",
			      "Review, then record it: muster baseline capture HOST."},
	[RULE_FLEET_DIFFERS] = {"fleet.differs", SEVERITY_MEDIUM,
				"packaged file differs from the rest of the fleet",
				"Compare with another host; reinstall the package, or accept it."},
	[RULE_FLEET_CLAIMS] = {"fleet.claims", SEVERITY_LOW,
			       "the database says of a build what other hosts' do not",
			       "Compare with another host; reinstall the package."},
	[RULE_FLEET_DISAGREES] = {"fleet.disagrees", SEVERITY_MEDIUM,
				  "the fleet agrees against a stronger witness",
				  "Check the manifest's origin; if it is right, suspect them all."},
	[RULE_FLEET_DIVIDED] = {"fleet.divided", SEVERITY_INFO,
				"hosts with this build differ, without a majority",
				"Import the package: then its manifest decides."},
};

const char *rule_name(enum rule rule)
{
	return (size_t)rule < RULES ? rules[rule].name : "unknown";
}

bool rule_from_name(const char *name, enum rule *rule)
{
	for (unsigned i = 0; i < RULES; i++) {
		if (strcmp(rules[i].name, name) == 0) {
			*rule = (enum rule)i;
			return true;
		}
	}
	return false;
}

bool rule_is_of_fleet(enum rule rule)
{
	return rule == RULE_FLEET_DIFFERS || rule == RULE_FLEET_CLAIMS ||
	       rule == RULE_FLEET_DISAGREES || rule == RULE_FLEET_DIVIDED;
}

const char *rule_title(enum rule rule)
{
	return (size_t)rule < RULES ? rules[rule].title : "unknown";
}

const char *rule_advice(enum rule rule)
{
	return (size_t)rule < RULES ? rules[rule].advice : "";
}

enum severity rule_severity(enum rule rule)
{
	return (size_t)rule < RULES ? rules[rule].severity : SEVERITY_HIGH;
}

bool rule_severity_by_policy(const struct policy *policy, enum rule rule, enum severity *severity)
{
	const char *name = rule_name(rule);
	size_t len = strlen(name);

	for (size_t i = 0; policy && i < policy->severities.count; i++) {
		const char *item = policy->severities.item[i];

		if (strncmp(item, name, len) == 0 && item[len] == '=') {
			return severity_from_name(item + len + 1, severity);
		}
	}
	return false;
}

bool rule_can_be_accepted(enum rule rule)
{
	switch (rule) {
	case RULE_PROTOCOL:
	case RULE_HOST_KEY:
	case RULE_HEADER_UNKNOWN_KEY:
	case RULE_HEADER_BAD:
	case RULE_HEADER_OVERRIDDEN:
	case RULE_HEADER_STATES:
	case RULE_HEADER_MANIFEST:
	case RULE_HEADER_WEAK:
	case RULE_PACKAGE_HIDDEN:
	case RULE_DATABASE_SECOND:
		return false;
	default:
		return true;
	}
}
