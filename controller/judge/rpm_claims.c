// SPDX-License-Identifier: MIT
#include "controller/judge/rpm_claims.h"

#include <stdlib.h>

#include "baselines/rpm/section.h"

#define TAG_INSTALLTIME 1008
#define TAG_FILESTATES 1029
#define TAG_ORIGDIRINDEXES 1119
#define TAG_ORIGBASENAMES 1120
#define TAG_ORIGDIRNAMES 1121

static uint32_t number_of(struct bytes value)
{
	return value.len < 4 ? 0
			     : (uint32_t)value.data[0] << 24 | (uint32_t)value.data[1] << 16 |
				       (uint32_t)value.data[2] << 8 | value.data[3];
}

static bool take_states(struct rpm_claims *claims, struct bytes value)
{
	free(claims->states);
	claims->count = 0;
	claims->states = malloc(value.len + 1);
	if (!claims->states) {
		return false;
	}
	if (value.len > 0) {
		memcpy(claims->states, value.data, value.len);
	}
	claims->count = value.len;
	return true;
}

static bool take_rest(struct rpm_claims *claims, const struct rpm_item *item)
{
	switch (item->tag) {
	case TAG_INSTALLTIME:
		claims->install_s = item->type == RPM_TYPE_INT32 ? number_of(item->value) : 0;
		return true;
	case TAG_FILESTATES:
		return take_states(claims, item->value);
	case TAG_ORIGDIRINDEXES:
	case TAG_ORIGBASENAMES:
	case TAG_ORIGDIRNAMES:
		claims->is_relocated = true;
		return true;
	default:
		return true;
	}
}

static void take_override(struct rpm_claims *claims, uint32_t tag)
{
	if (claims->override_count < RPM_CLAIMS_OVERRIDES) {
		claims->overrides[claims->override_count] = tag;
	}
	claims->override_count++;
}

static bool take(struct rpm_claims *claims, const struct rpm_item *item)
{
	switch (item->part) {
	case RPM_ITEM_NUMBER:
		claims->number = number_of(item->value);
		return true;
	case RPM_ITEM_BARE:
		claims->is_bare = true;
		return true;
	case RPM_ITEM_REST:
		return take_rest(claims, item);
	case RPM_ITEM_OVERRIDE:
		take_override(claims, item->tag);
		/* States that the region has too are believed no more than others. */
		return item->tag != TAG_FILESTATES || take_states(claims, item->value);
	case RPM_ITEM_REGION:
	case RPM_ITEM_SIGNATURE:
		break;
	}
	return true;
}

int rpm_claims_read(struct bytes content, struct rpm_claims *claims, struct error *err)
{
	struct rpm_section section;
	bool ok = true;

	*claims = (struct rpm_claims){.number = 0};
	if (rpm_section_read(content, &section, err) < 0) {
		return -1;
	}
	for (size_t i = 0; ok && i < section.count; i++) {
		ok = take(claims, &section.items[i]);
	}
	rpm_section_clear(&section);
	if (!ok) {
		rpm_claims_clear(claims);
		return error_set(err, ERROR_NOMEM, 0, "no memory for an rpm header's rest");
	}
	return 0;
}

void rpm_claims_clear(struct rpm_claims *claims)
{
	free(claims->states);
	*claims = (struct rpm_claims){.number = 0};
}

enum rpm_state rpm_claims_state(const struct rpm_claims *claims, size_t index)
{
	if (!claims->states) {
		return RPM_STATE_NONE;
	}
	/* rpm knows five; what is none of them is checked as any other file. */
	return index < claims->count && claims->states[index] <= RPM_STATE_WRONG_COLOR
		       ? (enum rpm_state)claims->states[index]
		       : RPM_STATE_NORMAL;
}
