// SPDX-License-Identifier: MIT
#include "payloads/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVS_MAX 2048

/* A blank behind each name. */
static const struct {
	enum mount_class class;
	const char *types;
} classes[] = {
	{MOUNT_LOCAL, "ext4 xfs btrfs overlay tmpfs ext3 ext2 zfs f2fs vfat msdos exfat "
		      "squashfs erofs iso9660 udf reiserfs jfs bcachefs nilfs2 ntfs3 ramfs "
		      "rootfs aufs unionfs cramfs romfs ubifs jffs2 minix hfsplus ecryptfs "},
	{MOUNT_PSEUDO, "proc sysfs devtmpfs devpts cgroup cgroup2 cpuset bpf tracefs debugfs "
		       "securityfs selinuxfs smackfs apparmorfs pstore mqueue hugetlbfs "
		       "configfs efivarfs binfmt_misc rpc_pipefs nfsd nsfs pipefs sockfs "
		       "resctrl functionfs binder usbfs xenfs oprofilefs fusectl "},
	{MOUNT_NETWORK, "nfs nfs4 cifs smb3 smbfs ncpfs ceph 9p virtiofs afs coda gfs gfs2 "
			"ocfs2 glusterfs lustre beegfs gpfs orangefs pvfs2 panfs vboxsf prl_fs "
			"acfs "},
	{MOUNT_FUSE, "fuse fuseblk vmhgfs "},
	{MOUNT_AUTOFS, "autofs "},
};

static bool has_word(const char *words, struct bytes word)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len == word.len && memcmp(words, word.data, len) == 0) {
			return true;
		}
		words += len + 1;
	}
	return false;
}

enum mount_class mount_class_of(struct bytes type)
{
	if (bytes_has_prefix(type, BYTES_LITERAL("fuse."))) {
		return MOUNT_FUSE;
	}
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (type.len > 0 && has_word(classes[i].types, type)) {
			return classes[i].class;
		}
	}
	return MOUNT_UNKNOWN;
}

const char *mount_class_name(enum mount_class class)
{
	static const char *const names[] = {
		[MOUNT_NONE] = "none",     [MOUNT_LOCAL] = "entered",   [MOUNT_BIND] = "entered",
		[MOUNT_PSEUDO] = "pseudo", [MOUNT_NETWORK] = "network", [MOUNT_FUSE] = "fuse",
		[MOUNT_AUTOFS] = "autofs", [MOUNT_UNKNOWN] = "unknown",
	};

	return names[class];
}

static bool is_octal(uint8_t byte)
{
	return byte >= '0' && byte <= '7';
}

/* Takes the next word, unescaped (\ooo) into *text. Empty at the end of the line. */
static struct bytes take_word(struct bytes *rest, uint8_t **text)
{
	struct bytes word = {*text, 0};
	uint8_t *to = *text;
	size_t i = 0;

	while (i < rest->len && rest->data[i] != ' ') {
		const uint8_t *p = rest->data + i;

		if (*p == '\\' && rest->len - i >= 4 && p[1] <= '3' && is_octal(p[1]) &&
		    is_octal(p[2]) && is_octal(p[3])) {
			*to++ = (uint8_t)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			i += 4;
		} else {
			*to++ = *p;
			i++;
		}
	}
	word.len = (size_t)(to - *text);
	*text = to;
	if (i < rest->len) {
		i++;
	}
	rest->data += i;
	rest->len -= i;
	return word;
}

static bool parse_number(const uint8_t **at, const uint8_t *end, uint32_t *value)
{
	uint64_t number = 0;
	const uint8_t *start = *at;

	while (*at < end && **at >= '0' && **at <= '9' && *at - start < 10) {
		number = number * 10 + (uint64_t)(**at - '0');
		++*at;
	}
	*value = (uint32_t)number;
	return *at > start && number <= UINT32_MAX;
}

static bool parse_dev(struct bytes word, uint64_t *dev)
{
	const uint8_t *at = word.data;
	const uint8_t *end = word.data + word.len;
	uint32_t major;
	uint32_t minor;

	if (!parse_number(&at, end, &major) || at == end || *at++ != ':' ||
	    !parse_number(&at, end, &minor) || at != end) {
		return false;
	}
	*dev = (uint64_t)major << 32 | minor;
	return true;
}

bool mount_parse(struct bytes line, uint8_t *text, struct mount *mount)
{
	struct bytes word;

	(void)take_word(&line, &text); /* its number */
	(void)take_word(&line, &text); /* its parent's */
	if (!parse_dev(take_word(&line, &text), &mount->dev)) {
		return false;
	}
	mount->root = take_word(&line, &text);
	mount->point = take_word(&line, &text);
	mount->options = take_word(&line, &text);
	do {
		if (line.len == 0) {
			return false;
		}
		word = take_word(&line, &text);
	} while (!bytes_equal_string(word, "-"));
	mount->type = take_word(&line, &text);
	mount->source = take_word(&line, &text);
	if (mount->root.len == 0 || mount->point.len == 0 || mount->point.data[0] != '/' ||
	    mount->type.len == 0) {
		return false;
	}
	mount->class = mount_class_of(mount->type);
	return true;
}

int mounts_read(int fd, mount_visitor visit, void *context)
{
	static uint8_t buffer[MOUNT_LINE_MAX];
	static uint8_t text[MOUNT_LINE_MAX];
	struct mount mount;
	size_t len = 0;
	int left_out = 0;
	bool skip = false;

	for (;;) {
		ssize_t got = read(fd, buffer + len, sizeof(buffer) - len);
		size_t at = 0;

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		len += (size_t)got;
		for (;;) {
			const uint8_t *end = memchr(buffer + at, '\n', len - at);
			size_t line = end ? (size_t)(end - buffer) - at : len - at;

			if (!end && (got > 0 || line == 0)) {
				break;
			}
			if (skip) {
				skip = false;
			} else if (mount_parse((struct bytes){buffer + at, line}, text, &mount)) {
				visit(context, &mount);
			} else {
				left_out++;
			}
			at += line + (end ? 1 : 0);
		}
		len -= at;
		memmove(buffer, buffer + at, len);
		if (len == sizeof(buffer)) {
			left_out += skip ? 0 : 1;
			skip = true;
			len = 0;
		}
		if (got == 0) {
			return left_out;
		}
	}
}

static struct mount_dev *find_dev(const struct mounts *mounts, uint64_t dev)
{
	for (size_t i = 0; i < mounts->dev_count; i++) {
		if (mounts->devs[i].dev == dev) {
			return &mounts->devs[i];
		}
	}
	return NULL;
}

static void note_dev(void *context, const struct mount *mount)
{
	struct mounts *mounts = context;

	if (mount->class == MOUNT_LOCAL && bytes_equal_string(mount->root, "/") &&
	    mounts->dev_count < DEVS_MAX && !find_dev(mounts, mount->dev)) {
		mounts->devs[mounts->dev_count++].dev = mount->dev;
	}
}

static void note_point(void *context, const struct mount *mount)
{
	struct mounts *mounts = context;
	struct mount_point *point;
	struct mount_dev *dev;

	if (mounts->count == MOUNTS_MAX) {
		mounts->left_out++;
		return;
	}
	point = &mounts->list[mounts->count];
	point->hash = table_hash(mounts->hasher, mount->point);
	point->order = (uint32_t)mounts->count++;
	point->class = mount->class;
	if (mount->class == MOUNT_LOCAL && (dev = find_dev(mounts, mount->dev))) {
		if (dev->seen || !bytes_equal_string(mount->root, "/")) {
			point->class = MOUNT_BIND;
		}
		dev->seen = dev->seen || bytes_equal_string(mount->root, "/");
	}
}

static bool may_hang(enum mount_class class)
{
	return class == MOUNT_NETWORK || class == MOUNT_FUSE || class == MOUNT_AUTOFS ||
	       class == MOUNT_UNKNOWN;
}

/* By hash; of several mounts on one point the one that decides comes first. */
static int by_hash(const void *a, const void *b)
{
	const struct mount_point *x = a;
	const struct mount_point *y = b;

	if (x->hash != y->hash) {
		return x->hash < y->hash ? -1 : 1;
	}
	if (may_hang(x->class) != may_hang(y->class)) {
		return may_hang(x->class) ? -1 : 1;
	}
	return x->order > y->order ? -1 : x->order < y->order;
}

int mounts_load(struct mounts *mounts, const struct table *hasher, const char *path)
{
	int left_out = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*mounts = (struct mounts){.hasher = hasher};
	if (fd < 0) {
		return -errno;
	}
	mounts->list = mmap(NULL, MOUNTS_MAX * sizeof(*mounts->list), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mounts->devs = mmap(NULL, DEVS_MAX * sizeof(*mounts->devs), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mounts->list != MAP_FAILED && mounts->devs != MAP_FAILED) {
		left_out = mounts_read(fd, note_dev, mounts);
		if (left_out >= 0 && lseek(fd, 0, SEEK_SET) == 0) {
			left_out = mounts_read(fd, note_point, mounts);
		}
	}
	close(fd);
	if (left_out < 0) {
		mounts_clear(mounts);
		return left_out;
	}
	mounts->left_out += (size_t)left_out;
	qsort(mounts->list, mounts->count, sizeof(*mounts->list), by_hash);
	return 0;
}

void mounts_clear(struct mounts *mounts)
{
	if (mounts->list && mounts->list != MAP_FAILED) {
		munmap(mounts->list, MOUNTS_MAX * sizeof(*mounts->list));
	}
	if (mounts->devs && mounts->devs != MAP_FAILED) {
		munmap(mounts->devs, DEVS_MAX * sizeof(*mounts->devs));
	}
	*mounts = (struct mounts){.list = NULL};
}

enum mount_class mounts_at(const struct mounts *mounts, uint64_t hash)
{
	size_t low = 0;
	size_t high = mounts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mounts->list[middle].hash < hash) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < mounts->count && mounts->list[low].hash == hash ? mounts->list[low].class
								     : MOUNT_NONE;
}

bool mounts_may_enter(const struct mounts *mounts, struct bytes path, enum mount_class *why)
{
	enum mount_class inner = MOUNT_NONE;

	for (size_t len = 1; len <= path.len; len++) {
		enum mount_class class;

		if (len > 1 && len < path.len && path.data[len] != '/') {
			continue;
		}
		class = mounts_at(mounts,
				  table_hash(mounts->hasher, (struct bytes){path.data, len}));
		if (class != MOUNT_NONE) {
			inner = class;
		}
		if (may_hang(class)) {
			break;
		}
	}
	*why = inner;
	return inner == MOUNT_NONE || mount_class_is_local(inner);
}
