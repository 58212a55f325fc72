// SPDX-License-Identifier: MIT
#include "controller/report/aside.h"

#include <stdlib.h>
#include <string.h>

#include "controller/inventory/fold.h"
#include "controller/report/line.h"

#define SHOWN 100

/* One acknowledgement, and everything that it sets aside. */
struct aside {
	const struct change_ack *ack;
	const char **hosts;
	size_t host_count;
	size_t findings;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_one(FILE *out, struct aside *aside, struct error *err)
{
	char *folded = NULL;
	size_t kept = 0;

	qsort(aside->hosts, aside->host_count, sizeof(*aside->hosts), by_text);
	for (size_t i = 0; i < aside->host_count; i++) {
		if (kept == 0 || strcmp(aside->hosts[kept - 1], aside->hosts[i]) != 0) {
			aside->hosts[kept++] = aside->hosts[i];
		}
	}
	if (fold_names(aside->hosts, kept, &folded, err) < 0) {
		return -1;
	}
	(void)fputs("  ", out);
	line_ack(out, aside->ack);
	(void)fprintf(out, "  %zu finding%s on ", aside->findings, aside->findings == 1 ? "" : "s");
	(void)line_hosts(out, folded, kept);
	(void)fputc('\n', out);
	free(folded);
	return 0;
}

static int add(struct aside *aside, const struct change *change, struct error *err)
{
	size_t count = aside->host_count + change->host_count;
	const char **grown = realloc(aside->hosts, count * sizeof(*grown));

	if (!grown) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	aside->hosts = grown;
	memcpy(grown + aside->host_count, change->hosts, change->host_count * sizeof(*grown));
	aside->host_count = count;
	aside->findings += change->host_count;
	return 0;
}

static struct aside *place_of(struct aside *list, size_t *count, const struct change_ack *ack)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(list[i].ack->id, ack->id) == 0) {
			return &list[i];
		}
	}
	if (*count == SHOWN) {
		return NULL;
	}
	list[*count] = (struct aside){.ack = ack};
	return &list[(*count)++];
}

int aside_print(FILE *out, struct changes *changes, struct error *err)
{
	struct aside *list = calloc(SHOWN, sizeof(*list));
	const struct change *change;
	size_t count = 0, more = 0;
	int status = -1;

	if (!list) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		struct aside *place;

		if (change->finding->state != FINDING_ACKNOWLEDGED || !*change->ack.id) {
			continue;
		}
		place = place_of(list, &count, &change->ack);
		if (!place) {
			more += change->host_count;
		} else if (add(place, change, err) < 0) {
			goto out;
		}
	}
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i == 0 ? "\nSet aside:\n" : "", out);
		if (print_one(out, &list[i], err) < 0) {
			goto out;
		}
	}
	if (more > 0) {
		(void)fprintf(out, "  ... and %zu more by other acknowledgements (--all)\n", more);
	}
	status = 0;
out:
	for (size_t i = 0; i < count; i++) {
		free(list[i].hosts);
	}
	free(list);
	return status;
}
