// SPDX-License-Identifier: MIT
#include "payloads/collect.h"

/* The first 8 bytes of the content digest: for sections that are made of records alone. */
static uint64_t stat_of_content(const struct sink *sink)
{
	struct sink copy = *sink;
	struct digest digest;
	uint64_t stat = 0;

	sink_digest(&copy, &digest);
	for (unsigned i = 0; i < 8; i++) {
		stat = stat << 8 | digest.bytes[i];
	}
	return stat;
}

static void run(struct collection *collection, uint32_t index)
{
	struct probe *probe = collection->probe;
	const struct catalog_item item = probe->catalog.list[index];
	struct bytes directory = catalog_directory(&probe->catalog, index);

	switch ((enum section_kind)item.kind) {
	case SECTION_PACKAGE:
	case SECTION_CONFIG:
		collect_package(collection, &item);
		break;
	case SECTION_CLAIMS:
	case SECTION_HEADER:
		collect_records(collection, &item);
		break;
	case SECTION_PACKAGES:
	case SECTION_INSTALLS:
	case SECTION_EXCEPTIONS:
		collect_records(collection, &item);
		collection->stat = stat_of_content(collection->sink);
		break;
	case SECTION_LABEL:
		collect_labels(collection, &item);
		break;
	case SECTION_DIRS:
		collect_dirs(collection);
		break;
	case SECTION_TREE:
		collect_tree(collection, directory);
		break;
	case SECTION_VOLATILE:
		collect_volatile(collection, directory);
		break;
	case SECTION_SETID:
		collect_setid(collection);
		break;
	case SECTION_FLAGS:
		collect_flags(collection);
		collection->stat = item.stat;
		break;
	case SECTION_MOUNTS:
		collect_mounts(collection);
		collection->stat = stat_of_content(collection->sink);
		break;
	case SECTION_HOST:
		collect_host(collection);
		collection->stat = stat_of_content(collection->sink);
		break;
	case SECTION_MD5:
	case SECTION_KINDS:
		break;
	}
}

static void finish(struct collection *collection)
{
	collection->stat = collection->stat != 0 ? collection->stat : 1;
	if (collection->done) {
		collection->done(collection);
	}
}

void collect_begin(struct collection *collection, uint32_t index)
{
	enum section_kind kind = (enum section_kind)collection->probe->catalog.list[index].kind;
	bool has_entries = section_kind_has_entries(kind);

	if (!has_entries) {
		object_flush(); /* what puts records puts them at once */
	}
	collection->index = index;
	collection->started_ns = sys_clock_ns();
	collection->settled = true;
	collection->stat = 0;
	collection->unread = 0;
	run(collection, index);
	if (has_entries) {
		object_then(collection, finish);
	} else {
		finish(collection);
	}
}

void collect_section(struct collection *collection, uint32_t index)
{
	collect_begin(collection, index);
	object_flush();
}
