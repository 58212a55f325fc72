// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include "controller/judge/path_class.h"
#include "schema/glob.h"

#define PATH_SYSTEM (PATH_BIN | PATH_LIB | PATH_TELLING)
#define MODE_SETID 06000U
#define MODE_EXEC 0111U
#define MODE_WORLD 0002U
#define MODE_STICKY 01000U

static enum severity at_least(enum severity a, enum severity b)
{
	return a > b ? a : b;
}

static const struct entry *entry_was(const struct change *change)
{
	return change->was ? &change->was->entry : change->was_entry;
}

/* Runs when somebody names it, or is loaded by what runs. */
static bool is_code(const struct entry *entry)
{
	static const char *const endings[] = {".jar", ".js", ".ko", ".ko.xz", ".ko.zst",
					      ".php", ".pl", ".pm", ".pth",   ".py",
					      ".rb",  ".sh", ".so"};
	struct bytes path = entry->path;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t len = strlen(endings[i]);

		if (path.len > len && memcmp(path.data + path.len - len, endings[i], len) == 0) {
			return true;
		}
	}
	return false;
}

static enum severity class_severity(uint32_t class)
{
	if (class & PATH_DOC) {
		return SEVERITY_LOW;
	}
	return class & PATH_SYSTEM ? SEVERITY_HIGH : SEVERITY_MEDIUM;
}

/* An object that no package owns, by what it is and where it stands. */
static enum severity object_severity(const struct entry *entry, uint32_t class)
{
	bool runs = entry->type == ENTRY_FILE &&
		    (entry->magic != ENTRY_MAGIC_NONE || (entry->mode & MODE_EXEC));
	enum severity severity = SEVERITY_LOW;

	if ((entry->type == ENTRY_FILE && (entry->mode & MODE_SETID)) || entry->caps.len > 0 ||
	    entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		return SEVERITY_HIGH;
	}
	if ((class & PATH_TELLING) && entry->type != ENTRY_DIR) {
		severity = SEVERITY_HIGH;
	} else if (class & PATH_BIN) {
		severity = runs ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	} else if (class & PATH_LIB) {
		severity = entry->magic == ENTRY_MAGIC_ELF ? SEVERITY_HIGH
			   : runs || is_code(entry)        ? SEVERITY_MEDIUM
							   : SEVERITY_LOW;
	} else if (entry->magic != ENTRY_MAGIC_NONE || ((class & PATH_ETC) && runs)) {
		severity = SEVERITY_MEDIUM;
	}
	if (entry->type == ENTRY_DIR && !(class & PATH_TELLING)) {
		severity = SEVERITY_LOW;
	}
	if (path_name_is_odd(entry->path) ||
	    (path_is_hidden(entry->path) && (class & (PATH_BIN | PATH_LIB)))) {
		severity = at_least(severity, SEVERITY_MEDIUM);
	}
	return severity;
}

static enum severity volatile_severity(const struct entry *entry)
{
	bool runs = entry->type == ENTRY_FILE &&
		    (entry->magic != ENTRY_MAGIC_NONE || (entry->mode & MODE_EXEC));

	if ((entry->type == ENTRY_FILE && (entry->mode & MODE_SETID)) ||
	    entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK || entry->caps.len > 0 ||
	    (runs && (path_is_hidden(entry->path) || path_name_is_odd(entry->path)))) {
		return SEVERITY_HIGH;
	}
	if (runs || path_name_is_odd(entry->path) ||
	    (entry->type == ENTRY_DIR &&
	     (entry->mode & (MODE_WORLD | MODE_STICKY)) == MODE_WORLD)) {
		return SEVERITY_MEDIUM;
	}
	return SEVERITY_LOW;
}

/* A directory opened to more people than before weighs; one that was closed hardly does. */
static enum severity dir_severity(const struct change *change, uint32_t class)
{
	const struct entry *was = entry_was(change), *now = change->now;
	bool opened;

	if (!was || !now) {
		return SEVERITY_LOW;
	}
	opened = (now->mode & ~was->mode & 022U) != 0 || now->acl.len > 0 ||
		 ((change->differences & DIFFERS_OWNER) && bytes_equal_string(was->owner, "root"));
	if (opened && (class & (PATH_SYSTEM | PATH_ETC))) {
		return SEVERITY_HIGH;
	}
	if ((now->mode & ~was->mode & MODE_WORLD) && !(now->mode & MODE_STICKY)) {
		return SEVERITY_MEDIUM;
	}
	return SEVERITY_LOW;
}

static enum severity package_file_severity(const struct change *change, uint32_t class)
{
	const struct entry *was = entry_was(change), *now = change->now;
	bool setid = (now && now->type == ENTRY_FILE && (now->mode & MODE_SETID)) ||
		     (was && was->type == ENTRY_FILE && (was->mode & MODE_SETID));

	if (change->config && change->rule == RULE_FILE_MISSING) {
		/* dpkg lets an administrator delete a conffile. */
		return class & PATH_TELLING || change->witness == WITNESS_BASELINE ? SEVERITY_MEDIUM
										   : SEVERITY_LOW;
	}
	if (change->rule == RULE_FILE_MISSING && was && was->type == ENTRY_DIR) {
		return SEVERITY_LOW; /* what was in it is told by itself */
	}
	return setid ? SEVERITY_HIGH : class_severity(class);
}

static enum severity by_rule(const struct change *change, uint32_t class)
{
	const struct entry *entry = change->now ? change->now : entry_was(change);

	switch (change->rule) {
	case RULE_FILE_CHANGED:
	case RULE_FILE_MISSING:
	case RULE_FILE_TYPE:
	case RULE_DATABASE_DISAGREES:
		return package_file_severity(change, class);
	case RULE_FLEET_DIFFERS:
		/* Where no path can be named it is about the package. */
		return entry ? package_file_severity(change, class) : rule_severity(change->rule);
	case RULE_CLAIM_UNPROVED:
		return at_least(entry ? object_severity(entry, class) : SEVERITY_LOW,
				class_severity(class));
	case RULE_CONFIG_CHANGED:
		return class & (PATH_TELLING | PATH_BIN | PATH_LIB) ? SEVERITY_HIGH
								    : SEVERITY_MEDIUM;
	case RULE_UNOWNED_APPEARED:
	case RULE_UNOWNED_CHANGED:
		return entry ? object_severity(entry, class) : SEVERITY_LOW;
	case RULE_UNOWNED_VANISHED:
		return class & PATH_TELLING ? SEVERITY_MEDIUM : SEVERITY_LOW;
	case RULE_UNOWNED_EXECUTABLE:
		return class & PATH_LOCAL || !(class & (PATH_BIN | PATH_LIB)) ? SEVERITY_LOW
									      : SEVERITY_MEDIUM;
	case RULE_VOLATILE_TELLING:
		return entry ? volatile_severity(entry) : SEVERITY_MEDIUM;
	case RULE_FLAG_IMMUTABLE:
		return class & (PATH_BIN | PATH_LIB) ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	case RULE_OWNER_CHANGED:
		return dir_severity(change, class);
	default:
		return rule_severity(change->rule);
	}
}

enum severity judge_severity(const struct judge *j, const struct change *change)
{
	const struct policy *policy = j->in->policy;
	uint32_t telling = change->differences & (DIFFERS_MORE_THAN_TIME | DIFFERS_FLAGS);
	enum severity severity;

	/* Only touched: the content was read and is what it should be. */
	if (change->differences != 0 && telling == 0) {
		return SEVERITY_LOW;
	}
	if (!rule_severity_by_policy(policy, change->rule, &severity)) {
		severity = change->has_severity ? change->severity
						: by_rule(change, path_class(change->path));
	}
	/* That it is there proves nothing against it: what happens to it later weighs. */
	if (change->rule == RULE_UNOWNED_PRESENT) {
		return severity;
	}
	for (size_t i = 0; policy && i < policy->weight_count; i++) {
		if (glob_may_match(policy->weights[i].pattern, change->path) &&
		    glob_match_path(bytes_from_string(policy->weights[i].pattern), change->path)) {
			return at_least(severity, policy->weights[i].at_least);
		}
	}
	return severity;
}

struct bytes judge_words(struct judge *j, unsigned slot, const struct manifest_entry *entry)
{
	return bytes_make(j->words[slot], manifest_words(entry, j->words[slot], WORDS_ROOM));
}

static struct bytes words_of_entry(struct judge *j, unsigned slot, const struct entry *entry)
{
	return bytes_make(j->words[slot],
			  manifest_words_of_entry(entry, j->words[slot], WORDS_ROOM));
}

bool judge_is_told(const struct judge *j, struct bytes path)
{
	for (size_t i = 0; i < j->findings->count; i++) {
		const struct finding *finding = &j->findings->item[i];

		if ((finding->rule == RULE_FILE_CHANGED || finding->rule == RULE_FILE_TYPE ||
		     finding->rule == RULE_SETID_GAINED || finding->rule == RULE_CONFIG_CHANGED ||
		     finding->rule == RULE_OWNER_CHANGED) &&
		    bytes_equal(finding->subject, path)) {
			return true;
		}
	}
	return false;
}

int judge_emit(struct judge *j, const struct change *change, struct error *err)
{
	struct finding finding = {
		.rule = change->rule,
		.severity = judge_severity(j, change),
		.witness = change->witness,
		.state = FINDING_NEW,
		.marker = change->config ? 'c' : ' ',
		.subject = change->path,
		.package = change->package,
		.old_value = change->old_line,
		.new_value = change->new_line,
	};

	/* Proved by a stronger witness than the host, and upwards: nothing to be alarmed at. */
	if ((change->rule == RULE_PACKAGE_UPGRADED || change->rule == RULE_PACKAGE_APPEARED) &&
	    change->witness <= WITNESS_MANIFEST) {
		finding.state = FINDING_EXPLAINED;
	}
	compare_letters(change->differences, finding.letters);
	if (change->was) {
		finding.old_value = judge_words(j, 0, change->was);
	} else if (change->was_entry) {
		finding.old_value = words_of_entry(j, 0, change->was_entry);
	}
	if (change->now) {
		finding.new_value = words_of_entry(j, 1, change->now);
	}
	if (change->detail) {
		finding.detail = bytes_from_string(change->detail);
	}
	return findings_add(j->findings, &finding, err);
}
