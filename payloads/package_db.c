// SPDX-License-Identifier: MIT
#include "payloads/package_db.h"

const struct package_db_type *const package_db_types[] = {&package_db_dpkg, &package_db_rpm, NULL};

void claim_letters(uint32_t flags, char letters[CLAIM_LETTERS_SIZE])
{
	static const struct {
		uint32_t flag;
		char letter;
	} table[] = {
		{CLAIM_LISTED, 'l'},   {CLAIM_SUMMED, 'm'},  {CLAIM_CONFFILE, 'c'},
		{CLAIM_OBSOLETE, 'o'}, {CLAIM_REMOVED, 'r'}, {CLAIM_NEW, 'n'},
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (flags & table[i].flag) {
			letters[len++] = table[i].letter;
		}
	}
	letters[len] = '\0';
}

void claim_record(const struct claim *claim, char letters[CLAIM_LETTERS_SIZE],
		  struct record *record)
{
	claim_letters(claim->flags, letters);
	record->count = CLAIM_FIELDS;
	record->field[CLAIM_PATH] = claim->path;
	record->field[CLAIM_MD5] = bytes_make(claim->md5, claim->md5 ? MD5_SIZE : 0);
	record->field[CLAIM_FLAGS] = bytes_from_string(letters);
}
