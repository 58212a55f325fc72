// SPDX-License-Identifier: MIT
#include "controller/cmd/help.h"

#include <string.h>

#define WIDTH 79

static const char *const exits[][2] = {
	{"0", "complete, and nothing open at --fail-on (default: medium) or above"},
	{"1", "open findings"},
	{"2", "usage, configuration, baseline or database: nothing can be concluded"},
	{"3", "incomplete: a host or a check was not looked at"},
	{"130", "interrupted; finished hosts are kept"},
};

static const struct verb_example examples[] = {
	{"muster init baseline", "make a repository of what is known good"},
	{"muster check localhost", "look at this machine, without SSH"},
	{"muster check web[001-040] --user inspect", "look at forty hosts"},
	{"muster sweep -i hosts.yaml", "look at all hosts of an inventory"},
	{"muster status", "what is open"},
	{"muster diff", "what changed since the run before"},
};

uint64_t help_options(const struct verb *verb)
{
	return verb->options | VERB_ALWAYS;
}

/* Words of `text` from column `indent`, which is where the line stands already. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
	size_t column = indent;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (column > indent && column + 1 + len > WIDTH) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		(void)fprintf(out, "%s%.*s", column > indent ? " " : "", (int)len, text);
		column += len + (column > indent ? 1 : 0);
		text += len;
		if (strncmp(text, "\n\n", 2) == 0) {
			(void)fprintf(out, "\n\n%*s", (int)indent, "");
			column = indent;
		}
		text += strspn(text, " \n");
	}
	(void)fputc('\n', out);
}

static void print_option(FILE *out, const struct option_spec *spec)
{
	char left[64];

	if (!spec->name) {
		(void)snprintf(left, sizeof(left), "-%c", spec->letter);
	} else if (spec->letter) {
		(void)snprintf(left, sizeof(left), "-%c, --%s%s%s", spec->letter, spec->name,
			       spec->argument ? " " : "", spec->argument ? spec->argument : "");
	} else {
		(void)snprintf(left, sizeof(left), "    --%s%s%s", spec->name,
			       spec->argument ? " " : "", spec->argument ? spec->argument : "");
	}
	(void)fprintf(out, "  %-26s ", left);
	print_wrapped(out, spec->help, 29);
}

static void print_options(FILE *out, uint64_t options)
{
	(void)fputs("\nOptions:\n", out);
	for (int id = 0; id < OPTIONS; id++) {
		if (options & OPTION_BIT(id)) {
			print_option(out, option_spec((enum option_id)id));
		}
	}
}

static void print_examples(FILE *out, const struct verb_example *example, size_t count)
{
	(void)fputs("\nExamples:\n", out);
	for (size_t i = 0; i < count && example[i].command; i++) {
		if (*example[i].meaning) {
			(void)fprintf(out, "  %-44s  # %s\n", example[i].command,
				      example[i].meaning);
		} else {
			(void)fprintf(out, "  %s\n", example[i].command);
		}
	}
}

static void print_exits(FILE *out)
{
	(void)fputs("\nExit status:\n", out);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		(void)fprintf(out, "  %3s  %s\n", exits[i][0], exits[i][1]);
	}
}

static void print_whole(FILE *out, bool is_long)
{
	(void)fputs("muster inspects fleets of Linux servers over SSH and leaves no file on them.\n"
		    "\n"
		    "Usage: muster COMMAND [OPTION...] [ARGUMENT...]\n",
		    out);
	print_examples(out, examples, sizeof(examples) / sizeof(examples[0]));
	(void)fputs("\nCommands:\n", out);
	for (size_t i = 0; verb_at(i); i++) {
		(void)fprintf(out, "  %-17s %s\n", verb_at(i)->name, verb_at(i)->summary);
	}
	if (is_long) {
		print_options(out, ~UINT64_C(0));
		print_exits(out);
	}
	(void)fputs("\nHelp: muster COMMAND -h (short), muster COMMAND --help, man muster\n", out);
}

void help_print(FILE *out, const struct verb *verb, bool is_long)
{
	uint64_t options;

	if (!verb) {
		print_whole(out, is_long);
		return;
	}
	(void)fprintf(out, "muster %s: %s\n\nUsage: muster %s [OPTION...]%s%s\n", verb->name,
		      verb->summary, verb->name, *verb->arguments ? " " : "", verb->arguments);
	if (is_long) {
		(void)fputc('\n', out);
		print_wrapped(out, verb->text, 0);
	}
	print_examples(out, verb->example, VERB_EXAMPLES_MAX);
	options = help_options(verb);
	if (!is_long) {
		options &= ~VERB_ALWAYS;
	}
	if (options) {
		print_options(out, options);
	}
	if (is_long) {
		print_exits(out);
	} else {
		(void)fprintf(out, "\nAll of it: muster %s --help\n", verb->name);
	}
}

void help_words(FILE *out, const struct verb *verb)
{
	for (size_t i = 0; !verb && verb_at(i); i++) {
		(void)fprintf(out, "%s\n", verb_at(i)->name);
	}
	for (int id = 0; verb && id < OPTIONS; id++) {
		const struct option_spec *spec = option_spec((enum option_id)id);

		if (spec->name && (help_options(verb) & OPTION_BIT(id))) {
			(void)fprintf(out, "--%s%s\n", spec->name, spec->argument ? "=" : "");
		}
	}
}

/* Text of a man page: no line begins with a control character, and - stays a hyphen-minus. */
static void man_text(FILE *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (strncmp(text, "\n\n", 2) == 0) {
			(void)fputs("\n.Pp\n", out);
			text++;
			line_start = true;
			continue;
		}
		if (line_start && (*text == '.' || *text == '\'')) {
			(void)fputs("\\&", out);
		}
		if (*text == '\\') {
			(void)fputs("\\e", out);
		} else if (*text == '-') {
			(void)fputs("\\-", out);
		} else if (*text == '`') {
			(void)fputs("\\(oq", out);
		} else if (*text == '\'') {
			(void)fputs("\\(aq", out);
		} else {
			(void)fputc(*text, out);
		}
		line_start = *text == '\n';
	}
	(void)fputc('\n', out);
}

static void man_options(FILE *out, uint64_t options)
{
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (int id = 0; id < OPTIONS; id++) {
		const struct option_spec *spec = option_spec((enum option_id)id);

		if (!(options & OPTION_BIT(id))) {
			continue;
		}
		(void)fputs(".It", out);
		if (spec->letter) {
			(void)fprintf(out, " Fl %c%s", spec->letter, spec->name ? " ," : "");
		}
		if (spec->name) {
			(void)fprintf(out, " Fl \\-%s", spec->name);
		}
		if (spec->argument) {
			(void)fprintf(out, " Ar %s", spec->argument);
		}
		(void)fputc('\n', out);
		man_text(out, spec->help);
	}
	(void)fputs(".El\n", out);
}

static void man_verb(FILE *out, const struct verb *verb)
{
	uint64_t own = verb->options & ~VERB_ALWAYS;
	bool first = true;

	(void)fprintf(out, ".Ss muster %s%s%s\n", verb->name, *verb->arguments ? " " : "",
		      verb->arguments);
	man_text(out, verb->text);
	(void)fputs(".Bd -literal -offset indent\n", out);
	for (size_t i = 0; i < VERB_EXAMPLES_MAX && verb->example[i].command; i++) {
		man_text(out, verb->example[i].command);
	}
	(void)fputs(".Ed\n", out);
	for (int id = 0; id < OPTIONS; id++) {
		if (!(own & OPTION_BIT(id))) {
			continue;
		}
		(void)fprintf(out, "%s\\-\\-%s", first ? ".Pp\nOptions: " : ",\n",
			      option_spec((enum option_id)id)->name);
		first = false;
	}
	if (!first) {
		(void)fputs(".\n", out);
	}
}

void help_man(FILE *out)
{
	(void)fputs(
		".\\\" SPDX-License-Identifier: MIT\n"
		".\\\" Made from the tables in controller/cmd: test_cmd_help says how.\n"
		".Dd November 21, 2026\n.Dt MUSTER 1\n.Os muster\n"
		".Sh NAME\n.Nm muster\n.Nd inspect fleets of Linux servers over SSH\n"
		".Sh SYNOPSIS\n.Nm muster\n.Ar command\n.Op Ar option ...\n"
		".Op Ar argument ...\n.Sh DESCRIPTION\n.Nm\n"
		"uploads a small probe to each host, collects what is there, judges it on the "
		"controller\n"
		"against what should be there (a git repository, the baseline), and keeps the "
		"result in SQLite.\nIt leaves no file on a host.\n.Pp\n"
		"Where a host is named, ranges (web[001\\-100], n[0\\-10/2]), groups (@web, @all) "
		"and the operators\n, (and) ! (without) & (in both) ^ (in one of both) may "
		"stand, read from left to right;\na shell wants quotes around ! and &.\n"
		"A name or range may have a user in front and a port behind it: root@web017:2222, "
		"[2001:db8::1]:22.\nThey win over flags and inventory; the name alone is what the "
		"host "
		"is kept by.\n"
		".Pp\n.Ic muster help\n.Op Ar command\nprints what this page says of it;\n"
		".Ic muster help words\n.Op Ar command\nprints commands or options, one a line, "
		"for the completion of shells.\n"
		".Sh COMMANDS\n",
		out);
	for (size_t i = 0; verb_at(i); i++) {
		man_verb(out, verb_at(i));
	}
	(void)fputs(".Sh OPTIONS\nLong names are never abbreviated; "
		    "options and arguments may be mixed.\n",
		    out);
	man_options(out, ~UINT64_C(0));
	(void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		(void)fprintf(out, ".It %s\n", exits[i][0]);
		man_text(out, exits[i][1]);
	}
	(void)fputs(".El\n.Pp\n2 wins over 1, and 1 over 3.\n"
		    ".Sh ENVIRONMENT\n"
		    "Every setting of\n.Xr muster.yaml 5\ncan be given as MUSTER_ and its name: "
		    "MUSTER_DB, MUSTER_PARALLEL.\nMUSTER_CONFIG names a configuration file as\n"
		    ".Fl \\-config\ndoes.\nNO_COLOR, if not empty, turns colour off.\n"
		    ".Sh FILES\n.Bl -tag -width Ds\n"
		    ".It Pa /etc/muster/muster.yaml\n.It Pa $XDG_CONFIG_HOME/muster/muster.yaml\n"
		    "Configuration, the second over the first: see\n.Xr muster.yaml 5 .\n"
		    ".It Pa /var/lib/muster/muster.db\n.It Pa $XDG_STATE_HOME/muster/muster.db\n"
		    "The database, for root and for others.\n.El\n"
		    ".Sh SEE ALSO\n.Xr ssh 1 ,\n.Xr git 1 ,\n.Xr muster.yaml 5\n",
		    out);
}
