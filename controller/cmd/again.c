// SPDX-License-Identifier: MIT
#include "controller/cmd/again.h"

#include <string.h>

#include "controller/cmd/call.h"
#include "schema/escape.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "_./:,=@%+-";

static size_t add(char *to, size_t used, const char *text, size_t len)
{
	if (used + len + 1 <= AGAIN_ROOM) {
		memcpy(to + used, text, len);
		to[used + len] = '\0';
	}
	return used + len;
}

static size_t add_word(char *to, size_t used, const char *word)
{
	if (*word && word[strspn(word, plain)] == '\0') {
		return add(to, used, word, strlen(word));
	}
	used = add(to, used, "'", 1);
	for (; *word; word++) {
		used = *word == '\'' ? add(to, used, "'\\''", 4) : add(to, used, word, 1);
	}
	return add(to, used, "'", 1);
}

/* What a terminal would not show as it is cannot be pasted either. */
static bool can_be_typed(const char *word)
{
	for (; *word; word++) {
		if ((unsigned char)*word < 0x20 || *word == 0x7f) {
			return false;
		}
	}
	return true;
}

const char *again_word(const char *word, char to[AGAIN_ROOM])
{
	to[0] = '\0';
	if (!can_be_typed(word) || add_word(to, 0, word) >= AGAIN_ROOM) {
		to[0] = '\0';
	}
	return to;
}

const char *again_options(const struct call *call, uint64_t options, char to[AGAIN_ROOM])
{
	size_t used = 0;

	to[0] = '\0';
	for (int id = 0; id < OPTIONS; id++) {
		const char *value = call_value(call, (enum option_id)id);
		const struct option_spec *spec = option_spec((enum option_id)id);

		if (!(options & OPTION_BIT(id)) || !value || !spec->argument ||
		    !can_be_typed(value)) {
			continue;
		}
		used = add(to, used, " --", 3);
		used = add(to, used, spec->name, strlen(spec->name));
		used = add(to, used, " ", 1);
		used = add_word(to, used, value);
	}
	if (used >= AGAIN_ROOM) {
		to[0] = '\0';
	}
	return to;
}

#define LOOK (OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_DB) | OPTION_BIT(OPTION_BASELINE))
#define REACH \
	(OPTION_BIT(OPTION_INVENTORY) | OPTION_BIT(OPTION_PORT) | OPTION_BIT(OPTION_SSH_CONFIG))

const char *again_to_look(const struct call *call, char to[AGAIN_ROOM])
{
	return again_options(call, LOOK, to);
}

const char *again_to_decide(const struct call *call, char to[AGAIN_ROOM])
{
	return again_options(call, LOOK | OPTION_BIT(OPTION_INVENTORY), to);
}

const char *again_to_check(const struct call *call, bool same_known_hosts, char to[AGAIN_ROOM])
{
	uint64_t known_hosts = same_known_hosts ? OPTION_BIT(OPTION_KNOWN_HOSTS) : 0;

	return again_options(call,
			     LOOK | REACH | known_hosts | OPTION_BIT(OPTION_USER) |
				     OPTION_BIT(OPTION_IDENTITY) | OPTION_BIT(OPTION_TRANSPORT) |
				     OPTION_BIT(OPTION_BECOME),
			     to);
}

const char *again_to_reach(const struct call *call, char to[AGAIN_ROOM])
{
	return again_options(
		call, REACH | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_KNOWN_HOSTS), to);
}
