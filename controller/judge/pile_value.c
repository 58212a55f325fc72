// SPDX-License-Identifier: MIT
#include "controller/judge/pile_value.h"

#include "controller/judge/bytecode.h"
#include "controller/judge/path_class.h"

#define MODE_SETID 06000U
#define MODE_EXEC 0111U

/* Hidden folders that honest programs keep other programs in. */
static bool is_usual_folder(struct bytes name)
{
	static const char *const names[] = {".git",   ".bin",    ".venv",  ".cargo", ".rustup",
					    ".npm",   ".cache",  ".local", ".tox",   ".yarn",
					    ".pyenv", ".bundle", ".gem",   ".nvm",   ".github"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_equal_string(name, names[i])) {
			return true;
		}
	}
	return false;
}

/* A component below the root starts with a dot, and is none that every such tree has. */
static bool is_hidden_below(struct bytes root, struct bytes path)
{
	size_t at = root.len > 1 && path.len > root.len ? root.len + 1 : 1;

	while (at < path.len) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct bytes name = bytes_make(path.data + at, end - at);

		if (name.len > 0 && name.data[0] == '.' && (!slash || !is_usual_folder(name))) {
			return true;
		}
		at = end + 1;
	}
	return false;
}

/* Python runs these whenever it starts (site.py). */
static bool runs_with_python(struct bytes path)
{
	struct bytes name = path_basename(path), folder = path_basename(path_parent(path));

	if (!bytes_equal_string(folder, "site-packages") &&
	    !bytes_equal_string(folder, "dist-packages")) {
		return false;
	}
	return (name.len > 4 && memcmp(name.data + name.len - 4, ".pth", 4) == 0) ||
	       bytes_equal_string(name, "sitecustomize.py") ||
	       bytes_equal_string(name, "usercustomize.py");
}

enum pile_part pile_part(struct bytes root, const struct entry *entry)
{
	uint32_t class = path_class(entry->path);
	bool file = entry->type == ENTRY_FILE;
	bool runs = file && (entry->magic != ENTRY_MAGIC_NONE || (entry->mode & MODE_EXEC));

	if ((file && (entry->mode & MODE_SETID)) || entry->caps.len > 0 || entry->flags != 0 ||
	    entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK ||
	    path_name_is_odd(entry->path) || ((class & PATH_TELLING) && entry->type != ENTRY_DIR) ||
	    (runs && is_hidden_below(root, entry->path))) {
		return PART_TELLING;
	}
	if (runs && (class & PATH_BIN)) {
		return class & PATH_LOCAL ? PART_PROGRAM : PART_TELLING;
	}
	if (file && (entry->magic == ENTRY_MAGIC_ELF || runs_with_python(entry->path))) {
		return PART_PROGRAM;
	}
	return bytecode_is(entry) ? PART_BYTECODE : PART_REST;
}

static bool covers(struct bytes root, bool deep, struct bytes path)
{
	return deep ? path_is_below(path, root) : bytes_equal(path_parent(path), root);
}

/* "tree npm files=..." */
static bool read_value(struct bytes value, enum pile_part *part, bool *deep)
{
	static const char *const words[] = {PILE_TREE " ", PILE_PROGRAMS " ", PILE_BYTECODE " "};

	for (unsigned i = 0; i < 3; i++) {
		struct bytes word = bytes_from_string(words[i]);

		if (bytes_has_prefix(value, word)) {
			*part = (enum pile_part)i;
			*deep = !bytes_has_prefix(
				bytes_make(value.data + word.len, value.len - word.len),
				BYTES_LITERAL("files files="));
			return true;
		}
	}
	return false;
}

bool pile_value_is(struct bytes value)
{
	enum pile_part part;
	bool deep;

	return read_value(value, &part, &deep);
}

bool pile_value_covers(struct bytes subject, struct bytes value, const struct entry *entry)
{
	enum pile_part part;
	bool deep;

	return read_value(value, &part, &deep) && covers(subject, deep, entry->path) &&
	       (deep || entry->type != ENTRY_DIR) && pile_part(subject, entry) == part;
}

bool pile_value_covers_path(struct bytes subject, struct bytes value, struct bytes path)
{
	enum pile_part part;
	bool deep;

	return read_value(value, &part, &deep) && covers(subject, deep, path);
}
