// SPDX-License-Identifier: MIT
#include "tests/integration/fault_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct fault_report *told;
static atomic_int armed = -1; /* enum fault_kind */
static long fails_at;

/* Code of libuv, from here to there. */
static uintptr_t loop_from, loop_to;

static int find_loop(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	if (!strstr(info->dlpi_name, "/libuv.so")) {
		return 0;
	}
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			loop_from = info->dlpi_addr + part->p_vaddr;
			loop_to = loop_from + part->p_memsz;
		}
	}
	return 1;
}

const char *fault_kind_name(enum fault_kind kind)
{
	static const char *const names[] = {"allocation", "read", "write", "sync"};

	return names[kind];
}

struct fault_report *fault_report_new(void)
{
	void *memory = mmap(NULL, sizeof(struct fault_report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)dl_iterate_phdr(find_loop, NULL);
	return memory == MAP_FAILED ? NULL : memory;
}

void fault_report_to(struct fault_report *report)
{
	told = report;
}

void fault_arm(enum fault_kind kind, long at)
{
	fails_at = at;
	atomic_store(&armed, (int)kind);
}

void fault_disarm(void)
{
	atomic_store(&armed, -1);
}

static bool is_loop(const void *caller)
{
	return (uintptr_t)caller >= loop_from && (uintptr_t)caller < loop_to;
}

static void trace(void)
{
	void *frame[32];

	atomic_store(&armed, -1);
	backtrace_symbols_fd(frame, backtrace(frame, 32), STDERR_FILENO);
}

static bool fails(enum fault_kind kind)
{
	if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind || !told ||
	    atomic_fetch_add(&told->count, 1) + 1 != fails_at) {
		return false;
	}
	atomic_fetch_add(&told->failed, 1);
	if (told->traces) {
		trace();
	}
	return true;
}

/* libuv's own wake-up and signal pipes are no sockets; what it talks to a child by is one. */
static bool call_fails(enum fault_kind kind, int fd, const void *caller)
{
	struct stat st;

	if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind ||
	    (is_loop(caller) && (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)))) {
		return false;
	}
	return fails(kind);
}

static bool memory_fails(const void *caller)
{
	if (is_loop(caller) || !fails(FAULT_ALLOCATION)) {
		return false;
	}
	errno = ENOMEM;
	return true;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

#if defined(FAULT_BELOW_ASAN)
#define BELOW(name) __interceptor_##name
#else
#define BELOW(name) __libc_##name
#endif
void *BELOW(malloc)(size_t size);
void *BELOW(calloc)(size_t count, size_t size);
void *BELOW(realloc)(void *memory, size_t size);

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	return memory_fails(CALLER) ? NULL : BELOW(malloc)(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	return memory_fails(CALLER) ? NULL : BELOW(calloc)(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
	return memory_fails(CALLER) ? NULL : BELOW(realloc)(memory, size);
}

__attribute__((visibility("default"))) void *reallocarray(void *memory, size_t count, size_t size)
{
	size_t total;

	if (memory_fails(CALLER) || __builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return BELOW(realloc)(memory, total);
}

__attribute__((visibility("default"))) char *strndup(const char *text, size_t most)
{
	size_t len = strnlen(text, most);
	char *copy = memory_fails(CALLER) ? NULL : BELOW(malloc)(len + 1);

	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

__attribute__((visibility("default"))) char *strdup(const char *text)
{
	return memory_fails(CALLER) ? NULL : strndup(text, strlen(text));
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define TRANSFER(kind, error, name, parameters, arguments)                                 \
	__attribute__((visibility("default"))) ssize_t name parameters                     \
	{                                                                                  \
		static ssize_t(*real) parameters; /* NOLINT(bugprone-macro-parentheses) */ \
		if (call_fails(kind, fd, CALLER)) {                                        \
			errno = (error);                                                   \
			return -1;                                                         \
		}                                                                          \
		if (!real) {                                                               \
			*(void **)&real = next(#name);                                     \
		}                                                                          \
		return real arguments;                                                     \
	}

TRANSFER(FAULT_READ, EIO, read, (int fd, void *to, size_t len), (fd, to, len))
TRANSFER(FAULT_READ, EIO, pread, (int fd, void *to, size_t len, off_t at), (fd, to, len, at))
TRANSFER(FAULT_READ, EIO, pread64, (int fd, void *to, size_t len, off64_t at), (fd, to, len, at))
TRANSFER(FAULT_READ, EIO, readv, (int fd, const struct iovec *to, int count), (fd, to, count))
TRANSFER(FAULT_WRITE, ENOSPC, write, (int fd, const void *from, size_t len), (fd, from, len))
TRANSFER(FAULT_WRITE, ENOSPC, pwrite, (int fd, const void *from, size_t len, off_t at),
	 (fd, from, len, at))
TRANSFER(FAULT_WRITE, ENOSPC, pwrite64, (int fd, const void *from, size_t len, off64_t at),
	 (fd, from, len, at))
TRANSFER(FAULT_WRITE, ENOSPC, writev, (int fd, const struct iovec *from, int count),
	 (fd, from, count))

#define SYNC(name)                                              \
	__attribute__((visibility("default"))) int name(int fd) \
	{                                                       \
		static int (*real)(int);                        \
		if (call_fails(FAULT_SYNC, fd, CALLER)) {       \
			errno = EIO;                            \
			return -1;                              \
		}                                               \
		if (!real) {                                    \
			*(void **)&real = next(#name);          \
		}                                               \
		return real(fd);                                \
	}

SYNC(fsync)
SYNC(fdatasync)
