// SPDX-License-Identifier: MIT
#include "baselines/baseline.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/accepted.h"
#include "baselines/acks.h"
#include "baselines/overrides.h"
#include "baselines/packages.h"
#include "baselines/repository.h"
#include "baselines/signature/vendor_keys.h"
#include "baselines/trees.h"

#define POLICY_FILE "muster.yaml"
#define POLICY_FILE_MAX ((size_t)4 << 20)
#define GROUPS_MAX 4096

struct group_tree {
	char *group;
	struct manifest *manifest; /* NULL: the group has none */
};

struct baseline {
	struct repository *repository;
	struct policy *policy;
	struct packages *packages;
	struct accepted *accepted;
	struct record_list *overrides;
	struct group_tree *trees;
	size_t tree_count;
	const struct manifest **tree_list; /* what baseline_trees handed out last */
	struct ack_list acks;
	bool has_acks;
	struct vendor_keys *keys; /* NULL: not asked for yet */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a baseline");
}

static int read_policy(struct baseline *b, struct error *err)
{
	struct repository_blob blob;
	bool found;
	int result;

	if (repository_read(b->repository, POLICY_FILE, POLICY_FILE_MAX, &blob, &found, err) < 0) {
		return -1;
	}
	if (!found) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: no " POLICY_FILE " in commit %.12s: not a baseline (muster "
				 "init makes one)",
				 repository_path(b->repository), repository_commit(b->repository));
	}
	result = policy_parse(POLICY_FILE, blob.content, &b->policy, err);
	repository_blob_close(&blob);
	return result;
}

int baseline_open(const char *path, const char *ref, struct baseline **baseline, struct error *err)
{
	struct baseline *b = calloc(1, sizeof(*b));

	if (!b) {
		return no_memory(err);
	}
	if (repository_open(path, ref, &b->repository, err) < 0 || read_policy(b, err) < 0 ||
	    packages_new(b->repository, &b->packages, err) < 0 ||
	    overrides_read(b->repository, &b->overrides, err) < 0 ||
	    accepted_new(b->repository, &b->accepted, err) < 0) {
		baseline_close(b);
		return -1;
	}
	*baseline = b;
	return 0;
}

void baseline_close(struct baseline *baseline)
{
	if (!baseline) {
		return;
	}
	for (size_t i = 0; i < baseline->tree_count; i++) {
		free(baseline->trees[i].group);
		manifest_free(baseline->trees[i].manifest);
	}
	free(baseline->trees);
	free(baseline->tree_list);
	acks_clear(&baseline->acks);
	vendor_keys_free(baseline->keys);
	accepted_free(baseline->accepted);
	records_free(baseline->overrides);
	packages_free(baseline->packages);
	policy_free(baseline->policy);
	repository_close(baseline->repository);
	free(baseline);
}

const char *baseline_commit(const struct baseline *baseline)
{
	return repository_commit(baseline->repository);
}

const char *baseline_path(const struct baseline *baseline)
{
	return repository_path(baseline->repository);
}

const struct policy *baseline_policy(const struct baseline *baseline)
{
	return baseline->policy;
}

int baseline_manifests(struct baseline *baseline, struct bytes manager, struct bytes name,
		       struct bytes version, struct bytes arch, const struct manifest *const **list,
		       size_t *count, struct error *err)
{
	return packages_manifests(baseline->packages, manager, name, version, arch, list, count,
				  err);
}

int baseline_builds(struct baseline *baseline, struct bytes manager, struct bytes name,
		    struct bytes version, struct bytes arch, const struct manifest *const **list,
		    size_t *count, struct error *err)
{
	return packages_builds(baseline->packages, manager, name, version, arch, list, count, err);
}

int baseline_self_summed(struct baseline *baseline, struct bytes manager, struct bytes name,
			 struct bytes arch, bool *self_summed, struct error *err)
{
	return packages_self_summed(baseline->packages, manager, name, arch, self_summed, err);
}

bool baseline_knows_package(struct baseline *baseline, struct bytes manager, struct bytes name)
{
	return packages_know(baseline->packages, manager, name);
}

int baseline_accepted(struct baseline *baseline, const char *host, const char *const *groups,
		      size_t group_count, const struct manifest **accepted,
		      const struct record_list **records, struct error *err)
{
	return accepted_of_host(baseline->accepted, host, groups, group_count, accepted, records,
				err);
}

const struct record_list *baseline_overrides(const struct baseline *baseline)
{
	return baseline->overrides;
}

static int tree_of_group(struct baseline *b, const char *group, const struct manifest **tree,
			 struct error *err)
{
	struct group_tree *grown, *made;

	for (size_t i = 0; i < b->tree_count; i++) {
		if (strcmp(b->trees[i].group, group) == 0) {
			*tree = b->trees[i].manifest;
			return 0;
		}
	}
	grown = realloc(b->trees, (b->tree_count + 1) * sizeof(*grown));
	if (!grown) {
		return no_memory(err);
	}
	b->trees = grown;
	made = &grown[b->tree_count];
	*made = (struct group_tree){.group = strdup(group)};
	if (!made->group) {
		return no_memory(err);
	}
	if (trees_read(b->repository, group, &made->manifest, err) < 0) {
		free(made->group);
		return -1;
	}
	b->tree_count++;
	*tree = made->manifest;
	return 0;
}

int baseline_trees(struct baseline *baseline, const char *const *groups, size_t group_count,
		   const struct manifest *const **trees, size_t *count, struct error *err)
{
	const struct manifest **list, *tree = NULL;

	*trees = NULL;
	*count = 0;
	if (group_count == 0) {
		return 0;
	}
	if (group_count > GROUPS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "a host in more than %d groups", GROUPS_MAX);
	}
	list = realloc(baseline->tree_list, group_count * sizeof(struct manifest *));
	if (!list) {
		return no_memory(err);
	}
	baseline->tree_list = list;
	for (size_t i = 0; i < group_count; i++) {
		/* A later group stands before an earlier one, as in the accepted state. */
		if (tree_of_group(baseline, groups[group_count - 1 - i], &tree, err) < 0) {
			return -1;
		}
		if (tree) {
			list[(*count)++] = tree;
		}
	}
	*trees = list;
	return 0;
}

int baseline_acks(struct baseline *baseline, const struct ack **acks, size_t *count,
		  struct error *err)
{
	if (!baseline->has_acks) {
		acks_clear(&baseline->acks);
		if (acks_read(baseline->repository, &baseline->acks, err) < 0) {
			return -1;
		}
		baseline->has_acks = true;
	}
	*acks = baseline->acks.acks;
	*count = baseline->acks.count;
	return 0;
}

int baseline_keys(struct baseline *baseline, const struct vendor_keys **keys, struct error *err)
{
	if (!baseline->keys &&
	    vendor_keys_of_repository(baseline->repository, &baseline->keys, err) < 0) {
		return -1;
	}
	*keys = baseline->keys;
	return 0;
}
