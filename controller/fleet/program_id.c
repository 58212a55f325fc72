// SPDX-License-Identifier: MIT
#include "controller/fleet/program_id.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* elf(5), "Notes": sizes, type, then name and descriptor, each padded to four bytes. */
static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static void read_notes(const uint8_t *notes, size_t len, char id[PROGRAM_ID_ROOM])
{
	size_t at = 0;

	while (len - at >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t name, value;

		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		value = name + padded(note.n_namesz);
		if (value > len || note.n_descsz > len - value) {
			return;
		}
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + name, "GNU", 4) == 0 &&
		    note.n_descsz <= (PROGRAM_ID_ROOM - 1) / 2) {
			for (size_t i = 0; i < note.n_descsz; i++) {
				(void)snprintf(id + 2 * i, 3, "%02x", notes[value + i]);
			}
			return;
		}
		at = value + padded(note.n_descsz);
		at = at < len ? at : len;
	}
}

/* The program itself comes first: dl_iterate_phdr(3). */
static int on_object(struct dl_phdr_info *info, size_t size, void *context)
{
	char *id = context;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && id[0] == '\0'; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_NOTE) {
			/* Mapped where the loader says: an address is all there is. */
			read_notes((const uint8_t *)(uintptr_t)(info->dlpi_addr + part->p_vaddr),
				   part->p_memsz, id);
		}
	}
	return 1;
}

void program_id(char id[PROGRAM_ID_ROOM])
{
	memset(id, 0, PROGRAM_ID_ROOM);
	(void)dl_iterate_phdr(on_object, id);
}
