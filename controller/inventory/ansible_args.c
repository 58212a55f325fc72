// SPDX-License-Identifier: MIT
#include "controller/inventory/ansible_args.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "controller/inventory/where.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define WORD_SIZE 1024

/* The next word into `word`: 1, 0 at the end, -1 where it is none. */
static int next_word(const char **at, char *word)
{
	size_t len = 0;
	char quote = '\0';

	*at += strspn(*at, " \t\r\n");
	if (!**at) {
		return 0;
	}
	for (; **at && (quote || !strchr(" \t\r\n", **at)); (*at)++) {
		char c = **at;

		if (strchr("\\`$", c)) {
			return -1;
		}
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
			continue;
		}
		if (len == WORD_SIZE - 1) {
			return -1;
		}
		word[len++] = c;
	}
	word[len] = '\0';
	return quote ? -1 : 1;
}

/* "ProxyJump=x", "ProxyJump x", as -o takes them: its value, or NULL. */
static const char *value_of(const char *option, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(option, name, len) != 0 || !strchr(" \t=", option[len]) || !option[len]) {
		return NULL;
	}
	return option + len + strspn(option + len, " \t=");
}

static void leave(struct ansible_args *args, const char *option)
{
	size_t used = strlen(args->left), len = strcspn(option, " \t=");
	char shown[40];

	escape_text(bytes_make(option, len), shown, sizeof(shown));
	if (!strstr(args->left, shown)) {
		(void)snprintf(args->left + used, sizeof(args->left) - used, "%s%s",
			       used ? ", " : "", shown);
	}
}

static bool take_jump(struct ansible_args *args, const char *value)
{
	if (!where_jump_is_valid(value) || strlen(value) >= sizeof(args->jump)) {
		return false;
	}
	/* The first one counts, as in ssh. */
	if (!args->jump[0]) {
		memcpy(args->jump, value, strlen(value) + 1);
	}
	return true;
}

/* One word that begins an option; its value may be the next one. */
static bool take_option(struct ansible_args *args, const char **at, char *word)
{
	const char *value;
	bool jump = strncmp(word, "-J", 2) == 0;

	if (!jump && strncmp(word, "-o", 2) != 0) {
		leave(args, word);
		return true;
	}
	if (!word[2] && next_word(at, word + 2) != 1) {
		return false;
	}
	value = jump ? word + 2 : value_of(word + 2, "ProxyJump");
	if (value) {
		return take_jump(args, value);
	}
	leave(args, word + 2);
	return true;
}

bool ansible_args_read(const char *text, struct ansible_args *args)
{
	char word[WORD_SIZE + 2] = "";
	int more;

	*args = (struct ansible_args){.jump = ""};
	while ((more = next_word(&text, word)) > 0) {
		/* What is no option is the value of one that was left. */
		if (word[0] == '-' && !take_option(args, &text, word)) {
			return false;
		}
	}
	return more == 0;
}
