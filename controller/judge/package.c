// SPDX-License-Identifier: MIT
#include "controller/judge/package.h"

#include <stdlib.h>

#include "controller/judge/compare.h"
#include "controller/judge/path_class.h"
#include "controller/judge/rpm_verify.h"

/*
 * Paths are matched by their spelling with /usr: a manifest is canonical, a host without merged
 * /usr says /bin/x for what the manifest calls /usr/bin/x.
 */
struct hosted {
	struct bytes match;
	const struct entry *entry;
	bool in_config;
	bool diverted_unknown;
};

struct wanted {
	struct bytes match;
	const struct manifest_entry *entry;
	bool claimed;
};

struct claimed {
	struct bytes match;
	const struct record *row;
};

static bool reserve(void **memory, size_t *room, size_t count, size_t size)
{
	void *larger;
	size_t more = count + count / 2 + 64;

	if (count <= *room) {
		return true;
	}
	larger = reallocarray(*memory, more, size);
	if (!larger) {
		return false;
	}
	*memory = larger;
	*room = more;
	return true;
}

static struct bytes match_path(struct package_work *work, struct bytes path, bool *ok)
{
	uint8_t *longer;

	if (!path_is_alias(path)) {
		return path;
	}
	longer = arena_alloc(&work->arena, path.len + 4);
	if (!longer) {
		*ok = false;
		return path;
	}
	memcpy(longer, "/usr", 4);
	memcpy(longer + 4, path.data, path.len);
	return bytes_make(longer, path.len + 4);
}

static const struct redirect *find_redirect(const struct redirect_list *list, struct bytes to)
{
	size_t low = 0, high = list->count;

	if (!(list->lengths >> to.len % 64 & 1)) {
		return NULL;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(list->item[middle].to, to);

		if (order == 0) {
			return &list->item[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

/* By spelling; an object whose own path is the canonical one goes before an alias of it. */
static int compare_hosted(const void *left, const void *right)
{
	const struct hosted *a = left, *b = right;
	int order = bytes_path_compare(a->match, b->match);

	return order != 0 ? order : -bytes_path_compare(a->entry->path, b->entry->path);
}

static int compare_wanted(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;

	return bytes_path_compare(a->match, b->match);
}

static int compare_claimed(const void *left, const void *right)
{
	const struct claimed *a = left, *b = right;

	return bytes_path_compare(a->match, b->match);
}

static void place(struct package_work *work, const struct package_input *input, struct hosted *to,
		  const struct entry *entry, bool *moved, bool *ok)
{
	const struct redirect *redirect = find_redirect(input->redirects, entry->path);

	*to = (struct hosted){.match = match_path(work, entry->path, ok), .entry = entry};
	if (redirect && !bytes_equal(redirect->by, input->name)) {
		to->match = match_path(work, redirect->from, ok);
		to->diverted_unknown = !redirect->known;
	}
	*moved = *moved || to->match.data != entry->path.data;
}

/* Package and config sections as one sequence: which of the two a file is in is the host's word. */
static bool load_hosted(struct package_work *work, const struct package_input *input, size_t *count)
{
	const struct entry_list *files = input->files, *config = input->config;
	size_t total = files->count + config->count, f = 0, c = 0;
	struct hosted *hosted;
	bool moved = false, ok = true;

	if (!reserve(&work->hosted, &work->hosted_room, total, sizeof(*hosted))) {
		return false;
	}
	hosted = work->hosted;
	for (size_t i = 0; i < total; i++) {
		bool from_config =
			f == files->count ||
			(c < config->count &&
			 bytes_path_compare(config->item[c].path, files->item[f].path) < 0);
		const struct entry *entry = from_config ? &config->item[c++] : &files->item[f++];

		place(work, input, &hosted[i], entry, &moved, &ok);
		hosted[i].in_config = from_config;
	}
	if (moved) {
		qsort(hosted, total, sizeof(*hosted), compare_hosted);
	}
	*count = total;
	return ok;
}

static bool load_wanted(struct package_work *work, const struct manifest *manifest)
{
	struct wanted *wanted;
	bool moved = false, ok = true;

	if (!reserve(&work->wanted, &work->wanted_room, manifest->count, sizeof(*wanted))) {
		return false;
	}
	wanted = work->wanted;
	for (size_t i = 0; i < manifest->count; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		wanted[i] = (struct wanted){match_path(work, entry->entry.path, &ok), entry, false};
		moved = moved || wanted[i].match.data != entry->entry.path.data;
	}
	if (moved) {
		qsort(wanted, manifest->count, sizeof(*wanted), compare_wanted);
	}
	return ok;
}

static bool load_claimed(struct package_work *work, const struct row_list *claims)
{
	struct claimed *claimed;
	bool moved = false, ok = true;

	if (!reserve(&work->claimed, &work->claimed_room, claims->count, sizeof(*claimed))) {
		return false;
	}
	claimed = work->claimed;
	for (size_t i = 0; i < claims->count; i++) {
		struct bytes path = claims->item[i].field[CLAIM_PATH];

		claimed[i] = (struct claimed){match_path(work, path, &ok), &claims->item[i]};
		moved = moved || claimed[i].match.data != path.data;
	}
	if (moved) {
		qsort(claimed, claims->count, sizeof(*claimed), compare_claimed);
	}
	return ok;
}

bool package_claim_has(const struct record *claim, char flag)
{
	struct bytes flags = claim->field[CLAIM_FLAGS];

	return flags.len > 0 && memchr(flags.data, flag, flags.len) != NULL;
}

const struct record *package_claim(const struct row_list *claims, struct bytes path)
{
	size_t low = 0, high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(claims->item[middle].field[CLAIM_PATH], path);

		if (order == 0) {
			return &claims->item[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

static bool add(struct package_verdict *verdict, const struct package_item *item)
{
	if (verdict->count == verdict->room) {
		size_t room = verdict->room ? verdict->room * 2 : 64;
		struct package_item *larger =
			reallocarray(verdict->item, room, sizeof(*verdict->item));

		if (!larger) {
			return false;
		}
		verdict->item = larger;
		verdict->room = room;
	}
	verdict->item[verdict->count++] = *item;
	return true;
}

/* The host's database against the manifest, whatever the files themselves are. */
static bool compare_claims(struct package_work *work, const struct package_input *input,
			   const struct manifest *manifest, struct package_verdict *verdict)
{
	struct wanted *wanted = work->wanted;
	const struct claimed *claimed = work->claimed;
	size_t w = 0;
	bool ok = true;

	for (size_t c = 0; c < input->claims->count && ok; c++) {
		const struct record *row = claimed[c].row;
		struct bytes md5 = row->field[CLAIM_MD5];
		struct package_item item = {.path = row->field[CLAIM_PATH], .md5 = md5};
		const struct manifest_entry *want;

		while (w < manifest->count &&
		       bytes_path_compare(wanted[w].match, claimed[c].match) < 0) {
			w++;
		}
		if (w == manifest->count || !bytes_equal(wanted[w].match, claimed[c].match)) {
			continue;
		}
		want = wanted[w].entry;
		wanted[w].claimed = true;
		item.want = want;
		if (want->has_md5 && md5.len == MD5_SIZE && !package_claim_has(row, 'o') &&
		    memcmp(want->md5, md5.data, MD5_SIZE) != 0) {
			item.kind = PACKAGE_ITEM_CLAIM_MD5;
			ok = add(verdict, &item);
		}
		if (ok && package_claim_has(row, 'c') && !package_claim_has(row, 'o') &&
		    want->entry.type == ENTRY_FILE && !(want->tags & MANIFEST_CONFIG)) {
			item.kind = PACKAGE_ITEM_CLAIM_CONFIG;
			ok = add(verdict, &item);
		}
	}
	return ok;
}

static bool judge_missing(const struct wanted *wanted, const struct package_input *input,
			  struct package_verdict *verdict)
{
	const struct manifest_entry *want = wanted->entry;
	struct package_item item = {
		.kind = PACKAGE_ITEM_MISSING,
		.path = want->entry.path,
		.want = want,
		.in_config = (want->tags & MANIFEST_CONFIG) != 0,
		.claimed = wanted->claimed || !input->has_claims,
	};

	/*
	 * Directories are in a section of their own, and judged there: whether one of a signed package is
	 * missing is asked there as well.
	 */
	if ((want->entry.type == ENTRY_DIR && !want->rpm) || (want->tags & MANIFEST_OPTIONAL)) {
		return true;
	}
	if (!item.in_config && want->entry.type != ENTRY_DIR) {
		verdict->differing += 16;
	}
	return add(verdict, &item);
}

static bool judge_extra(const struct hosted *hosted, const struct package_input *input,
			struct package_verdict *verdict)
{
	const struct record *claim = package_claim(input->claims, hosted->entry->path);
	struct package_item item = {
		.kind = PACKAGE_ITEM_EXTRA,
		.path = hosted->entry->path,
		.now = hosted->entry,
		.in_config = hosted->in_config,
		.obsolete = claim && package_claim_has(claim, 'o'),
		.diverted_unknown = hosted->diverted_unknown,
	};

	if (!hosted->in_config) {
		verdict->differing += 16;
	}
	return add(verdict, &item);
}

const uint8_t *package_measured(const struct row_list *measured, const struct entry *now)
{
	const struct record *row = measured ? package_claim(measured, now->path) : NULL;

	return row && row->field[MD5_VALUE].len == MD5_SIZE && now->has_sha256 &&
			       bytes_equal(row->field[MD5_SHA256],
					   bytes_make(now->sha256.bytes, DIGEST_SIZE))
		       ? row->field[MD5_VALUE].data
		       : NULL;
}

static uint32_t compare(const struct package_input *input, const struct entry *now,
			const struct manifest_entry *want)
{
	if (!input->rpm || !want->rpm) {
		return compare_to_manifest(now, want);
	}
	return rpm_differences(input->rpm, now, want, package_measured(input->measured, now));
}

static bool is_masked(const struct package_input *input, const struct entry *now,
		      const struct manifest_entry *want)
{
	return input->rpm && want->rpm &&
	       rpm_is_masked(input->rpm, now, want, package_measured(input->measured, now));
}

bool package_is_only_masked(const struct package_item *item)
{
	return item->is_masked && (item->differences & ~(uint32_t)DIFFERS_UNREAD) == 0 &&
	       !item->diverted_unknown;
}

static bool judge_pair(const struct hosted *hosted, const struct wanted *wanted,
		       const struct package_input *input, struct package_verdict *verdict)
{
	const struct manifest_entry *want = wanted->entry;
	uint32_t differences = compare(input, hosted->entry, want);
	struct package_item item = {
		.kind = PACKAGE_ITEM_DIFFERS,
		.path = hosted->entry->path,
		.now = hosted->entry,
		.want = want,
		.differences = differences,
		.in_config = hosted->in_config,
		.claimed = true,
		.diverted_unknown = hosted->diverted_unknown,
	};

	if (want->tags & MANIFEST_CONFIG) {
		item.kind = PACKAGE_ITEM_CONFIG;
		return add(verdict, &item);
	}
	item.is_masked = is_masked(input, hosted->entry, want);
	if (package_is_only_masked(&item)) {
		return add(verdict, &item);
	}
	if ((differences & ~(uint32_t)DIFFERS_UNREAD) == 0 && !hosted->diverted_unknown) {
		/* A ghost's content is nobody's: there is nothing that would be proved. */
		bool is_ghost = want->rpm && (want->rpm->flags & RPM_FILE_GHOST);

		verdict->unread += differences != 0;
		verdict->same += differences == 0 && !is_ghost;
		return true;
	}
	verdict->differing += differences & DIFFERS_MORE_THAN_TIME ? 16 : 1;
	return add(verdict, &item);
}

static bool compare_files(struct package_work *work, const struct package_input *input,
			  size_t hosted_count, size_t wanted_count, struct package_verdict *verdict)
{
	const struct hosted *hosted = work->hosted;
	const struct wanted *wanted = work->wanted;
	size_t h = 0, w = 0;
	bool ok = true;

	while (ok && (h < hosted_count || w < wanted_count)) {
		int order = h == hosted_count ? 1
			    : w == wanted_count
				    ? -1
				    : bytes_path_compare(hosted[h].match, wanted[w].match);

		if (order == 0) {
			ok = judge_pair(&hosted[h++], &wanted[w++], input, verdict);
		} else if (order < 0) {
			ok = judge_extra(&hosted[h++], input, verdict);
		} else {
			ok = judge_missing(&wanted[w++], input, verdict);
		}
	}
	return ok;
}

static bool judge_candidate(struct package_work *work, const struct package_input *input,
			    const struct manifest *manifest, size_t hosted_count)
{
	struct package_verdict *verdict = &work->verdict;

	verdict->manifest = manifest;
	verdict->count = verdict->same = verdict->unread = verdict->differing = 0;
	return load_wanted(work, manifest) && compare_claims(work, input, manifest, verdict) &&
	       compare_files(work, input, hosted_count, manifest->count, verdict);
}

int package_judge(struct package_work *work, const struct package_input *input,
		  const struct package_verdict **verdict, struct error *err)
{
	size_t hosted_count = 0, best = 0, fewest = SIZE_MAX;
	bool ok;

	arena_clear(&work->arena);
	ok = load_hosted(work, input, &hosted_count) && load_claimed(work, input->claims);
	/* The package must equal one candidate wholly, never a mix of two. */
	for (size_t i = 0; ok && i < input->candidate_count && fewest > 0; i++) {
		ok = judge_candidate(work, input, input->candidates[i], hosted_count);
		if (work->verdict.differing < fewest) {
			fewest = work->verdict.differing;
			best = i;
		}
	}
	if (ok && work->verdict.manifest != input->candidates[best]) {
		ok = judge_candidate(work, input, input->candidates[best], hosted_count);
	}
	if (!ok) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a package");
	}
	*verdict = &work->verdict;
	return 0;
}

void package_work_clear(struct package_work *work)
{
	arena_clear(&work->arena);
	free(work->verdict.item);
	free(work->hosted);
	free(work->wanted);
	free(work->claimed);
	*work = (struct package_work){0};
}
