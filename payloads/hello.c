// SPDX-License-Identifier: MIT
#include "payloads/hello.h"

#include <sys/utsname.h>
#include <unistd.h>

#ifndef MUSTER_VERSION
#define MUSTER_VERSION "0"
#endif

#if defined(__x86_64__)
#define PROBE_ARCH "x86_64"
#elif defined(__aarch64__)
#define PROBE_ARCH "aarch64"
#else
#define PROBE_ARCH "unknown"
#endif

#define CAP_FOWNER_BIT 3 /* linux/capability.h */

/* The first line of a small file. */
static struct bytes line_of(const char *path, char *to, size_t room)
{
	ssize_t len = sys_read_text(path, to, room);
	const char *end;

	if (len <= 0) {
		return BYTES_LITERAL("");
	}
	end = memchr(to, '\n', (size_t)len);
	return bytes_make(to, end ? (size_t)(end - to) : (size_t)len);
}

/* The number behind "Name:" or "name " at the start of a line of a /proc file. */
static uint64_t number_of(const char *text, const char *name, unsigned base)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0) {
			return sys_number(line + len, base, &line);
		}
		if (*line == '\0') {
			break;
		}
	}
	return 0;
}

/* /proc/stat may be long: its btime stands behind the lines of all processors. */
static int64_t boot_time(void)
{
	static char text[65536];
	ssize_t len = sys_read_text("/proc/stat", text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return (int64_t)number_of(text, "btime ", 10);
}

void hello_send(struct probe *probe)
{
	char boot_id[64];
	char machine_id[64];
	char status[8192];
	struct utsname name;
	struct hello hello = {.version = PROTOCOL_VERSION};
	struct cbor_writer w;
	ssize_t len = sys_read_text("/proc/self/status", status, sizeof(status) - 1);

	status[len > 0 ? len : 0] = '\0';
	memset(&name, 0, sizeof(name));
	(void)uname(&name);
	hello.build = BYTES_LITERAL(MUSTER_VERSION);
	hello.arch = BYTES_LITERAL(PROBE_ARCH);
	hello.machine = bytes_from_string(name.machine);
	hello.kernel = bytes_from_string(name.release);
	hello.hostname = bytes_from_string(name.nodename);
	hello.boot_id = line_of("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	hello.machine_id = line_of("/etc/machine-id", machine_id, sizeof(machine_id));
	hello.uid = (uint32_t)geteuid();
	hello.capabilities = number_of(status, "CapEff:", 16);
	hello.tracer = (uint32_t)number_of(status, "TracerPid:", 10);
	hello.clock_ns = sys_clock_ns();
	hello.boot_s = boot_time();
	if (hello.uid != 0 && !(hello.capabilities >> CAP_FOWNER_BIT & 1)) {
		probe->sys.missing |= MISSING_NOATIME;
	}
	hello.missing = probe->sys.missing;
	cbor_writer_init(&w, channel_room(&probe->channel), FRAME_MAX);
	hello_encode(&w, &hello);
	channel_send(&probe->channel, w.len);
}
