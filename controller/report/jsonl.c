// SPDX-License-Identifier: MIT
#include "controller/report/jsonl.h"

#include <assert.h>
#include <inttypes.h>

#include "controller/report/print.h"
#include "schema/escape.h"

void jsonl_init(struct jsonl *json, FILE *out)
{
	*json = (struct jsonl){.out = out};
}

static void write_character(FILE *out, uint32_t point)
{
	if (point >= 0x10000) {
		/* RFC 8259, section 7: a surrogate pair. */
		point -= 0x10000;
		(void)fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (point >> 10),
			      0xdc00 + (point & 0x3ff));
		return;
	}
	(void)fprintf(out, "\\u%04" PRIx32, point);
}

static void write_string(FILE *out, struct bytes text)
{
	(void)fputc('"', out);
	for (size_t i = 0; i < text.len;) {
		struct bytes rest = bytes_make(text.data + i, text.len - i);
		uint32_t point;
		bool is_plain;
		size_t n = escape_character(rest, &point, &is_plain);

		if (n == 0) {
			(void)fputs("\\ufffd", out);
			i++;
			continue;
		}
		if (point == '"' || point == '\\') {
			(void)fputc('\\', out);
		}
		if (is_plain) {
			(void)fwrite(rest.data, 1, n, out);
		} else {
			write_character(out, point);
		}
		i += n;
	}
	(void)fputc('"', out);
}

static void begin_member(struct jsonl *json, const char *key)
{
	if (json->has_member[json->depth]) {
		(void)fputc(',', json->out);
	}
	json->has_member[json->depth] = true;
	if (key) {
		write_string(json->out, bytes_from_string(key));
		(void)fputc(':', json->out);
	}
}

static void open_bracket(struct jsonl *json, const char *key, char bracket)
{
	begin_member(json, key);
	assert(json->depth < JSONL_DEPTH_MAX);
	json->depth++;
	json->has_member[json->depth] = false;
	(void)fputc(bracket, json->out);
}

void jsonl_object(struct jsonl *json, const char *key)
{
	open_bracket(json, key, '{');
}

void jsonl_array(struct jsonl *json, const char *key)
{
	open_bracket(json, key, '[');
}

void jsonl_close(struct jsonl *json, char bracket)
{
	assert(json->depth > 0);
	json->depth--;
	(void)fputc(bracket, json->out);
	if (json->depth == 0) {
		(void)fputc('\n', json->out);
		json->has_member[0] = false;
	}
}

void jsonl_string(struct jsonl *json, const char *key, const char *text)
{
	jsonl_bytes(json, key, bytes_from_string(text));
}

void jsonl_bytes(struct jsonl *json, const char *key, struct bytes bytes)
{
	begin_member(json, key);
	write_string(json->out, bytes);
}

/* RFC 4648, section 4 */
void jsonl_base64(struct jsonl *json, const char *key, struct bytes bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	begin_member(json, key);
	(void)fputc('"', json->out);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;

		group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
		group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
		(void)fputc(letters[group >> 18], json->out);
		(void)fputc(letters[group >> 12 & 63], json->out);
		(void)fputc(left > 1 ? letters[group >> 6 & 63] : '=', json->out);
		(void)fputc(left > 2 ? letters[group & 63] : '=', json->out);
	}
	(void)fputc('"', json->out);
}

void jsonl_number(struct jsonl *json, const char *key, int64_t number)
{
	begin_member(json, key);
	(void)fprintf(json->out, "%" PRId64, number);
}

void jsonl_unsigned(struct jsonl *json, const char *key, uint64_t number)
{
	begin_member(json, key);
	(void)fprintf(json->out, "%" PRIu64, number);
}

void jsonl_null(struct jsonl *json, const char *key)
{
	begin_member(json, key);
	(void)fputs("null", json->out);
}

void jsonl_time(struct jsonl *json, const char *key, int64_t seconds)
{
	char text[PRINT_TIME_ROOM];

	if (seconds == 0) {
		jsonl_null(json, key);
		return;
	}
	jsonl_string(json, key, print_time(seconds, text));
}

bool jsonl_is_exact(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.len;) {
		uint32_t point;
		bool is_plain;
		size_t n = escape_character(bytes_make(bytes.data + i, bytes.len - i), &point,
					    &is_plain);

		if (n == 0) {
			return false;
		}
		i += n;
	}
	return true;
}
