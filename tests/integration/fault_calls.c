// SPDX-License-Identifier: MIT
#include "tests/integration/fault_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

static struct fault_report *told;
static atomic_int armed = -1; /* enum fault_kind */
static long fails_at;
static uint64_t fails_in; /* a site's stack, or 0 */
/* The stack of who armed begins with so many frames that are the test's. */
static pthread_t arming;
static int outside;

/* Code, from here to there. */
struct code {
	uintptr_t from, to;
};

static struct code loop, program;

static int find_code(struct dl_phdr_info *info, size_t size, void *context)
{
	struct code *code = strstr(info->dlpi_name, "/libuv.so") ? &loop
			    : info->dlpi_name[0] == '\0'         ? &program
								 : NULL;

	(void)size;
	(void)context;
	for (int i = 0; code && code->to == 0 && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			code->from = info->dlpi_addr + part->p_vaddr;
			code->to = code->from + part->p_memsz;
		}
	}
	return 0;
}

static bool is_in(const struct code *code, const void *address)
{
	return (uintptr_t)address >= code->from && (uintptr_t)address < code->to;
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

	void *frame[2];

	(void)dl_iterate_phdr(find_code, NULL);
	(void)backtrace(frame, 2); /* allocates, the first time */
	return memory == MAP_FAILED ? NULL : memory;
}

void fault_report_to(struct fault_report *report)
{
	told = report;
}

__attribute__((noinline)) static void arm(enum fault_kind kind)
{
	void *frame[FAULT_DEPTH];

	arming = pthread_self();
	outside = backtrace(frame, FAULT_DEPTH) - 3; /* this, fault_arm, and who called it */
	atomic_store(&armed, (int)kind);
}

__attribute__((noinline)) void fault_arm(enum fault_kind kind, long at)
{
	fails_at = at;
	fails_in = 0;
	arm(kind);
}

__attribute__((noinline)) void fault_arm_site(enum fault_kind kind, uint64_t stack)
{
	fails_at = -1;
	fails_in = stack;
	arm(kind);
}

void fault_disarm(void)
{
	atomic_store(&armed, -1);
}

/* The sanitizer asks for a thread's stack, and has to have it. */
static bool is_sanitizer(void *const *frame, int depth)
{
#if defined(FAULT_BELOW_ASAN)
	const void *asks = dlsym(RTLD_NEXT, "pthread_getattr_np");

	for (int i = 0; i < depth; i++) {
		if (_Unwind_FindEnclosingFunction(frame[i]) == asks) {
			return true;
		}
	}
#else
	(void)frame;
	(void)depth;
#endif
	return false;
}

/* Without the frames of this file, which end at `caller`. */
__attribute__((noinline)) static struct fault_site site_of(const void *caller)
{
	struct fault_site site = {.stack = 14695981039346656037U};
	void *frame[FAULT_DEPTH];
	int depth = backtrace(frame, FAULT_DEPTH), from = 0;

	if (pthread_equal(pthread_self(), arming)) {
		depth -= outside;
	}
	while (from < depth && __builtin_extract_return_addr(frame[from]) != caller) {
		from++;
	}
	for (int i = from < depth ? from : 0; i < depth; i++) {
		site.stack = (site.stack ^ (uintptr_t)frame[i]) * 1099511628211U;
		if (site.ours == 0 && is_in(&program, frame[i])) {
			site.ours = (uintptr_t)frame[i];
		}
	}
	return site;
}

static void learn(const struct fault_site *site, long at)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	/* Places in the list, from 1, by stack. */
	static uint32_t place[4 * FAULT_SITES];
	uint64_t i = site->stack;

	(void)pthread_mutex_lock(&lock);
	for (;; i++) {
		uint32_t *one = &place[i % (4 * FAULT_SITES)];

		if (*one == 0 && told->site_count < FAULT_SITES) {
			told->site[told->site_count] = *site;
			told->site[told->site_count].first = at;
			*one = (uint32_t)++told->site_count;
		}
		if (*one == 0 || told->site[*one - 1].stack == site->stack) {
			break;
		}
	}
	(void)pthread_mutex_unlock(&lock);
}

static bool fails(enum fault_kind kind, const void *caller)
{
	static _Thread_local bool within;
	struct fault_site site = {0};
	bool looks, spared;
	long at;

	if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind || !told || within) {
		return false;
	}
	at = atomic_fetch_add(&told->count, 1) + 1;
	looks = told->learns || fails_in != 0 || at == fails_at;
	if (looks) {
		within = true;
		site = site_of(caller);
		within = false;
	}
	if (told->learns) {
		learn(&site, at);
	}
	if (fails_in != 0 ? site.stack != fails_in || atomic_load(&told->failed) > 0
			  : at != fails_at) {
		return false;
	}
	within = true;
	told->failed_depth = backtrace(told->failed_at, FAULT_DEPTH);
	spared = is_sanitizer(told->failed_at, told->failed_depth);
	within = false;
	if (spared) {
		return false;
	}
	atomic_fetch_add(&told->failed, 1);
	told->failed_site = site.stack;
	return true;
}

/* libuv's own wake-up and signal pipes are no sockets; what it talks to a child by is one. */
static bool call_fails(enum fault_kind kind, int fd, const void *caller)
{
	struct stat st;

	if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind ||
	    (is_in(&loop, caller) && (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)))) {
		return false;
	}
	return fails(kind, caller);
}

static bool memory_fails(const void *caller)
{
	if (is_in(&loop, caller) || !fails(FAULT_ALLOCATION, caller)) {
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
