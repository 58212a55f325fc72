// SPDX-License-Identifier: MIT
/*
 * Signatures of packages that this system's own rpm built, signed and installed (tests/rpm/make),
 * as the probe's reader hands them out; then the same headers changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "baselines/rpm/signature.h"
#include "baselines/signature/gpgv_batch.h"
#include "schema/record.h"
#include "tests/rpm/sections.h"

static char dir[64];
static bool is_made;
static struct vendor_keys *keys;
static struct rpm_sections sections;

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	char command[1024];
	va_list args;
	int status = -1;
	pid_t child;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	child = fork();
	if (child == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : -1;
}

static int make(void **state)
{
	char path[128];
	struct error err = {0};
	int code;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/muster-rpm-XXXXXX");
	if (!mkdtemp(dir) || (code = run("tests/rpm/make %s/made", dir)) == 77) {
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s/made/root", dir);
	if (code != 0 || rpm_sections_read(path, &sections) < 0) {
		(void)run("cat %s/made/log >&2", dir);
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/made/keys", dir);
	if (vendor_keys_of_folder(path, &keys, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	is_made = true;
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	vendor_keys_free(keys);
	rpm_sections_free(&sections);
	return run("rm -rf %s", dir);
}

static void need_rpm(void)
{
	if (!is_made) {
		print_message("skipped: no rpm, rpmbuild, rpmsign or gpg\n");
		skip();
	}
}

static struct bytes section_of(const char *name)
{
	for (size_t i = 0; i < sections.count; i++) {
		if (sections.section[i].key.kind == SECTION_HEADER &&
		    bytes_equal_string(sections.section[i].key.part[2], name)) {
			return sections.section[i].content;
		}
	}
	fail_msg("no package %s", name);
	return bytes_make(NULL, 0);
}

static void fingerprint_of(const char *name, char to[OPENPGP_FINGERPRINT_SIZE])
{
	char path[128];
	FILE *file;

	to[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/made/fpr/%s", dir, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(to, OPENPGP_FINGERPRINT_SIZE, file));
	to[strcspn(to, "\n")] = '\0';
	assert_int_equal(fclose(file), 0);
}

static const struct expected {
	const char *package;
	enum rpm_verdict verdict;
	const char *key; /* NULL: none is named by fingerprint */
} expected[] = {
	{"good", RPM_PROOF_GOOD, "vendor"},          {"good-eddsa", RPM_PROOF_GOOD, "eddsa"},
	{"limit-inside", RPM_PROOF_GOOD, "limited"}, {"outside", RPM_PROOF_OUTSIDE, "limited"},
	{"unknown", RPM_PROOF_UNKNOWN_KEY, NULL},    {"unsigned", RPM_PROOF_UNSIGNED, NULL},
	{"gone", RPM_PROOF_REVOKED, "gone"},         {"md5", RPM_PROOF_GOOD, "vendor"},
	{"sha512", RPM_PROOF_GOOD, "vendor"},        {"in-time", RPM_PROOF_GOOD, "old"},
	{"too-late", RPM_PROOF_EXPIRED, "late"},
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static void each_signature_has_its_verdict(void **state)
{
	struct rpm_check checks[EXPECTED] = {{.content = {NULL, 0}}};
	struct error err = {0};

	(void)state;
	need_rpm();
	for (size_t i = 0; i < EXPECTED; i++) {
		checks[i].content = section_of(expected[i].package);
	}
	assert_int_equal(rpm_signature_check(keys, checks, EXPECTED, 3, &err), 0);
	for (size_t i = 0; i < EXPECTED; i++) {
		char fingerprint[OPENPGP_FINGERPRINT_SIZE] = "";

		if (checks[i].verdict != expected[i].verdict) {
			fail_msg("%s: %s instead of %s (%s)", expected[i].package,
				 rpm_verdict_name(checks[i].verdict),
				 rpm_verdict_name(expected[i].verdict), checks[i].reason);
		}
		assert_true(checks[i].is_final);
		if (expected[i].key) {
			fingerprint_of(expected[i].key, fingerprint);
			assert_string_equal(checks[i].fingerprint, fingerprint);
		}
	}
	/* An unknown key is named by its id. */
	assert_int_equal(strlen(checks[4].fingerprint), 16);
}

static struct rpm_check check_one(const struct vendor_keys *by, struct bytes content)
{
	struct rpm_check check = {.content = content};
	struct error err = {0};

	if (rpm_signature_check(by, &check, 1, 1, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return check;
}

/* The package's region and RSAHEADER packet. */
static void parts_of(const char *name, struct rpm_section *section, struct rpm_part_of parts[2])
{
	struct error err = {0};
	const struct rpm_item *region, *signature;

	assert_int_equal(rpm_section_read(section_of(name), section, &err), 0);
	region = rpm_section_find(section, RPM_ITEM_REGION, 63);
	signature = rpm_section_find(section, RPM_ITEM_SIGNATURE, RPM_TAG_RSAHEADER);
	assert_true(region && signature);
	parts[0] = (struct rpm_part_of){HEADER_REGION, 63, RPM_TYPE_BIN, region->value};
	parts[1] = (struct rpm_part_of){HEADER_SIGNATURE, RPM_TAG_RSAHEADER, RPM_TYPE_BIN,
					signature->value};
}

static struct rpm_check check_parts(const struct rpm_part_of *parts, size_t count)
{
	struct bytes content = rpm_section_write(parts, count);
	struct rpm_check check = check_one(keys, content);

	free((void *)(uintptr_t)content.data);
	return check;
}

static void one_flipped_bit_of_the_region_is_seen(void **state)
{
	struct rpm_section section;
	struct rpm_part_of parts[2];
	size_t good = 0, bad = 0, malformed = 0, step;
	uint8_t *copy;

	(void)state;
	need_rpm();
	parts_of("good", &section, parts);
	copy = malloc(parts[0].value.len);
	assert_non_null(copy);
	memcpy(copy, parts[0].value.data, parts[0].value.len);
	parts[0].value.data = copy;
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_GOOD);
	step = parts[0].value.len / 60;
	for (size_t at = 0; at < parts[0].value.len; at += step) {
		enum rpm_verdict verdict;

		copy[at] ^= (uint8_t)(1U << (at % 8));
		verdict = check_parts(parts, 2).verdict;
		copy[at] ^= (uint8_t)(1U << (at % 8));
		good += verdict == RPM_PROOF_GOOD;
		bad += verdict == RPM_PROOF_BAD_SIGNATURE;
		malformed += verdict == RPM_PROOF_MALFORMED;
	}
	assert_int_equal(good, 0);
	assert_true(bad > 20 && bad + malformed >= 60);
	free(copy);
	rpm_section_clear(&section);
}

static void signature_of_another_package_is_bad(void **state)
{
	struct rpm_section section, other;
	struct rpm_part_of parts[2], others[2];
	char fingerprint[OPENPGP_FINGERPRINT_SIZE];
	struct rpm_check check;

	(void)state;
	need_rpm();
	parts_of("good", &section, parts);
	parts_of("md5", &other, others);
	parts[1] = others[1];
	check = check_parts(parts, 2);
	assert_int_equal(check.verdict, RPM_PROOF_BAD_SIGNATURE);
	fingerprint_of("vendor", fingerprint);
	assert_string_equal(check.fingerprint, fingerprint);
	/* A good one beside it proves all the same what it covers. */
	others[1].tag = RPM_TAG_DSAHEADER;
	{
		struct rpm_section again;
		struct rpm_part_of both[3], mine[2];

		parts_of("good", &again, mine);
		both[0] = mine[0];
		both[1] = others[1];
		both[2] = mine[1];
		assert_int_equal(check_parts(both, 3).verdict, RPM_PROOF_GOOD);
		rpm_section_clear(&again);
	}
	rpm_section_clear(&other);
	rpm_section_clear(&section);
}

static void what_is_no_signature_packet_never_reaches_gpgv(void **state)
{
	struct rpm_section section;
	struct rpm_part_of parts[2];
	uint8_t twice[8192];
	struct bytes packet;

	(void)state;
	need_rpm();
	parts_of("good", &section, parts);
	packet = parts[1].value;
	assert_true(2 * packet.len < sizeof(twice));
	memcpy(twice, packet.data, packet.len);
	memcpy(twice + packet.len, packet.data, packet.len);
	/* Two packets in one tag, a cut one, another packet, a type that is not binary. */
	parts[1].value = bytes_make(twice, 2 * packet.len);
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	for (size_t len = 0; len < packet.len; len += 7) {
		parts[1].value = bytes_make(twice, len);
		assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	}
	parts[1].value = bytes_make(twice, packet.len);
	twice[0] ^= 0x04; /* old format: tag 2 becomes 3 */
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	parts[1].value = packet;
	parts[1].type = RPM_TYPE_STRING;
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	assert_int_equal(check_parts(parts, 1).verdict, RPM_PROOF_UNSIGNED);
	assert_int_equal(check_parts(parts + 1, 1).verdict, RPM_PROOF_MALFORMED);
	rpm_section_clear(&section);
}

/* A detached signature over the region by one of the keys, as gpg makes it. */
static size_t sign(struct bytes message, const char *key, const char *option, uint8_t *to,
		   size_t room)
{
	char path[128];
	size_t len;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/message", dir);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(message.data, 1, message.len, file), message.len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(run("GNUPGHOME=%s/made/gpg gpg --batch --quiet --yes %s -u %s -o "
			     "%s/signature %s/message 2>/dev/null",
			     dir, option, key, dir, dir),
			 0);
	(void)snprintf(path, sizeof(path), "%s/signature", dir);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(to, 1, room, file);
	assert_int_equal(fclose(file), 0);
	return len;
}

static size_t base64(struct bytes from, char *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = 0;

	for (size_t i = 0; i < from.len; i += 3) {
		size_t left = from.len - i;
		uint32_t bits = (uint32_t)from.data[i] << 16 |
				(left > 1 ? (uint32_t)from.data[i + 1] << 8 : 0) |
				(left > 2 ? from.data[i + 2] : 0);

		to[len++] = digits[bits >> 18];
		to[len++] = digits[bits >> 12 & 63];
		to[len++] = left > 1 ? digits[bits >> 6 & 63] : '=';
		to[len++] = left > 2 ? digits[bits & 63] : '=';
	}
	to[len++] = '\0';
	return len;
}

static void every_algorithm_in_every_tag_is_verified(void **state)
{
	static const char *const names[] = {"vendor", "eddsa", "nist", "legacy"};
	struct rpm_section section;
	struct rpm_part_of parts[2];
	uint8_t packet[2048];
	char text[16384];

	(void)state;
	need_rpm();
	parts_of("unknown", &section, parts);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = sign(parts[0].value, names[i], "--detach-sign", packet,
				  sizeof(packet)),
		       text_len = 0;

		parts[1] = (struct rpm_part_of){HEADER_SIGNATURE, RPM_TAG_DSAHEADER, RPM_TYPE_BIN,
						bytes_make(packet, len)};
		assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_GOOD);
		/* rpm 6: several in base64, an unknown one first. */
		len = sign(parts[0].value, "stranger", "--detach-sign", packet, sizeof(packet));
		text_len = base64(bytes_make(packet, len), text);
		len = sign(parts[0].value, names[i], "--detach-sign", packet, sizeof(packet));
		text_len += base64(bytes_make(packet, len), text + text_len);
		parts[1] = (struct rpm_part_of){HEADER_SIGNATURE, RPM_TAG_OPENPGP,
						RPM_TYPE_STRING_ARRAY, bytes_make(text, text_len)};
		assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_GOOD);
	}
	rpm_section_clear(&section);
}

static void weak_and_inline_signatures_prove_nothing(void **state)
{
	struct rpm_section section;
	struct rpm_part_of parts[2];
	struct rpm_check check;
	uint8_t packet[32768];
	size_t len;

	(void)state;
	need_rpm();
	parts_of("good", &section, parts);
	parts[1].value.data = packet;
	parts[1].value.len = sign(parts[0].value, "vendor", "--digest-algo MD5 --detach-sign",
				  packet, sizeof(packet));
	check = check_parts(parts, 2);
	assert_int_equal(check.verdict, RPM_PROOF_UNSUPPORTED);
	/* Kept as others are: a host may have made up thousands, and another gpgv asks anew. */
	assert_true(check.is_final);
	/* A whole signed message, which gpgv would verify over its own content. */
	len = sign(BYTES_LITERAL("other"), "vendor", "--compress-algo none --sign", packet,
		   sizeof(packet));
	parts[1].value.len = len;
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	/* A signature over text (type 1). */
	parts[1].value.len =
		sign(parts[0].value, "vendor", "--textmode --detach-sign", packet, sizeof(packet));
	assert_int_equal(check_parts(parts, 2).verdict, RPM_PROOF_MALFORMED);
	rpm_section_clear(&section);
}

static void without_keys_nothing_is_known(void **state)
{
	struct vendor_keys *none = NULL;
	struct error err = {0};
	char path[128];

	(void)state;
	need_rpm();
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	assert_int_equal(run("mkdir -p %s; : >%s/keys.yaml", path, path), 0);
	assert_int_equal(vendor_keys_of_folder(path, &none, &err), 0);
	assert_int_equal(vendor_keys_count(none), 0);
	assert_int_equal(check_one(none, section_of("good")).verdict, RPM_PROOF_UNKNOWN_KEY);
	assert_int_equal(check_one(none, section_of("unsigned")).verdict, RPM_PROOF_UNSIGNED);
	assert_false(digest_equal(vendor_keys_digest(none), vendor_keys_digest(keys)));
	vendor_keys_free(none);
	/* A fingerprint that its file does not hold. */
	assert_int_equal(run("cp %s/made/keys/vendor.asc %s/x.asc && printf -- '- fingerprint: "
			     "0000000000000000000000000000000000000000\\n  file: x.asc\\n  "
			     "origins: [o]\\n' >%s/keys.yaml",
			     dir, path, path),
			 0);
	assert_int_equal(vendor_keys_of_folder(path, &none, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_non_null(strstr(err.msg, "holds no key 0000"));
}

/* A key of version 6, which gpgv 2.2 stops at, listed and standing before the others. */
static void key_that_gpgv_cannot_read_hides_no_other(void **state)
{
	uint8_t file[2 + 42] = {0xc6, 42, 6, 0x65, 0, 0, 0, 27, 0, 0, 0, 32};
	char fingerprint[OPENPGP_FINGERPRINT_SIZE], path[128];
	uint8_t id[OPENPGP_ID_SIZE];
	struct openpgp_packet packet;
	struct bytes rest = bytes_make(file, sizeof(file));
	struct vendor_keys *with = NULL;
	struct error err = {0};
	FILE *to;

	(void)state;
	need_rpm();
	assert_int_equal(openpgp_next(&rest, &packet), 1);
	assert_true(openpgp_key_read(&packet, fingerprint, id));
	assert_int_equal(strlen(fingerprint), 64);
	assert_int_equal(run("cp -r %s/made/keys %s/six", dir, dir), 0);
	(void)snprintf(path, sizeof(path), "%s/six/six.gpg", dir);
	to = fopen(path, "wb");
	assert_non_null(to);
	assert_int_equal(fwrite(file, 1, sizeof(file), to), sizeof(file));
	assert_int_equal(fclose(to), 0);
	assert_int_equal(run("cd %s/six && { printf -- '- fingerprint: %s\\n  file: six.gpg\\n  "
			     "origins: [six]\\n'; cat keys.yaml; } >new && mv new keys.yaml",
			     dir, fingerprint),
			 0);
	(void)snprintf(path, sizeof(path), "%s/six", dir);
	assert_int_equal(vendor_keys_of_folder(path, &with, &err), 0);
	assert_int_equal(check_one(with, section_of("good")).verdict, RPM_PROOF_GOOD);
	assert_int_equal(check_one(with, section_of("limit-inside")).verdict, RPM_PROOF_GOOD);
	vendor_keys_free(with);
}

static void status_lines_are_told_apart(void **state)
{
#define FPR "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define VALID(at) "[GNUPG:] VALIDSIG " FPR " 2020-06-01 " at " 0 4 0 1 10 00 " FPR "\n"
#define NEW "[GNUPG:] NEWSIG\n"
	static const struct {
		const char *status;
		enum gpgv_state state;
	} cases[] = {
		{NEW "[GNUPG:] GOODSIG 01 N\n" VALID("1590969600"), GPGV_GOOD},
		{NEW "[GNUPG:] GOODSIG 01 N\n", GPGV_FAILED},
		{"[GNUPG:] GOODSIG 01 N\n" VALID("1590969600"), GPGV_FAILED},
		{NEW
		 "[GNUPG:] KEYEXPIRED 1609372800\n[GNUPG:] EXPKEYSIG 01 N\n" VALID("1590969600"),
		 GPGV_GOOD},
		{NEW
		 "[GNUPG:] KEYEXPIRED 1590000000\n[GNUPG:] EXPKEYSIG 01 N\n" VALID("1590969600"),
		 GPGV_EXPIRED},
		{NEW "[GNUPG:] EXPKEYSIG 01 N\n" VALID("1590969600"), GPGV_EXPIRED},
		{NEW "[GNUPG:] KEYEXPIRED 1609372800\n[GNUPG:] EXPSIG 01 N\n" VALID("1590969600"),
		 GPGV_EXPIRED},
		{NEW "[GNUPG:] REVKEYSIG 01 N\n" VALID("1590969600"), GPGV_REVOKED},
		{NEW "[GNUPG:] BADSIG 01 N\n", GPGV_BAD},
		{NEW "[GNUPG:] ERRSIG 01 1 8 00 1590969600 9 " FPR "\n", GPGV_NO_KEY},
		{NEW "[GNUPG:] ERRSIG 01 1 1 00 1590969600 5 " FPR "\n", GPGV_UNSUPPORTED},
		{"[GNUPG:] NODATA 3\n", GPGV_UNSUPPORTED},
		{"", GPGV_FAILED},
		/* More than the one packet that went in. */
		{NEW "[GNUPG:] GOODSIG 01 N\n" VALID("1590969600") NEW, GPGV_FAILED},
		/* A user id is no status line. */
		{NEW "[GNUPG:] BADSIG 01 [GNUPG:] GOODSIG 01 N\n", GPGV_BAD},
	};
	struct gpgv_check check;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gpgv_batch_parse(cases[i].status, &check);
		if (check.state != cases[i].state) {
			fail_msg("case %zu: %d instead of %d", i, (int)check.state,
				 (int)cases[i].state);
		}
	}
	gpgv_batch_parse(cases[0].status, &check);
	assert_string_equal(check.fingerprint, FPR);
	assert_string_equal(check.signer, FPR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signature_has_its_verdict),
		cmocka_unit_test(one_flipped_bit_of_the_region_is_seen),
		cmocka_unit_test(signature_of_another_package_is_bad),
		cmocka_unit_test(what_is_no_signature_packet_never_reaches_gpgv),
		cmocka_unit_test(every_algorithm_in_every_tag_is_verified),
		cmocka_unit_test(weak_and_inline_signatures_prove_nothing),
		cmocka_unit_test(without_keys_nothing_is_known),
		cmocka_unit_test(key_that_gpgv_cannot_read_hides_no_other),
		cmocka_unit_test(status_lines_are_told_apart),
	};

	return cmocka_run_group_tests(tests, make, clean_up);
}
