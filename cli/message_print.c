/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as a line of text or as a line of JSON. */
#include <arpa/inet.h>
#include <ctype.h>
#include <glib.h>
#include <json/json.h>
#include <message/id.h>
#include <message/properties.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "message_print.h"

enum { INFLATED_MAX = 64 * 1024 * 1024, TYPE_MASK = 0x700, TYPE_LZ4 = 0x100, TYPE_ZSTD = 0x200 };

/* Inflates into memory that g_byte_array_unref() frees; NULL: it is no zlib stream, or too long. */
static GByteArray *inflate_body(struct gantry_str body)
{
	unsigned char piece[16 * 1024];
	z_stream z = {.next_in = (unsigned char *)body.at, .avail_in = (uInt)body.size};
	if (inflateInit(&z) != Z_OK)
		return NULL;
	GByteArray *to = g_byte_array_new();
	int state;
	do {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		state = inflate(&z, Z_NO_FLUSH);
		g_byte_array_append(to, piece, (guint)(sizeof(piece) - z.avail_out));
	} while (state == Z_OK && to->len < INFLATED_MAX);
	inflateEnd(&z);
	if (state == Z_STREAM_END)
		return to;
	g_byte_array_unref(to);
	return NULL;
}

/* How the body is compressed if that can not be undone here; NULL: it is readable. */
static const char *unread_compression(const struct message_record *record)
{
	if (!(record->sys_flag & MESSAGE_COMPRESSED))
		return NULL;
	switch (record->sys_flag & TYPE_MASK) {
	case TYPE_LZ4:
		return "LZ4";
	case TYPE_ZSTD:
		return "ZSTD";
	default:
		return "ZLIB";
	}
}

static struct gantry_str property(const struct message_record *record, const char *key)
{
	return message_property_find(record->properties, (struct gantry_str){key, strlen(key)});
}

static bool is_text(struct gantry_str body)
{
	return g_utf8_validate(body.at, (gssize)body.size, NULL);
}

/* ---- text */

static void print_plain(struct gantry_str body)
{
	if (!is_text(body)) {
		printf("(%zu bytes that are no text)", body.size);
		return;
	}
	for (size_t i = 0; i < body.size; i++) {
		unsigned char c = (unsigned char)body.at[i];
		if (c == '\n')
			fputs("\\n", stdout);
		else if (c < ' ' || c == 127)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void print_property(const struct message_record *record, const char *label, const char *key)
{
	struct gantry_str value = property(record, key);
	if (!value.at)
		return;
	printf(" %s=", label);
	print_plain(value);
}

static void print_place(const struct message_print *how, const struct message_record *record)
{
	if (how->broker)
		printf("broker=%s", how->broker);
	else
		printf("at=%lld size=%u stored=%lld", (long long)record->physical_offset,
		       record->size, (long long)record->store_ms);
	if (!how->broker) {
		fputs(" topic=", stdout);
		print_plain(record->topic);
	}
	printf(" queue=%d offset=%lld", record->queue, (long long)record->queue_offset);
}

static void print_text(const struct message_print *how, const struct message_record *record,
		       struct gantry_str body, const char *compression)
{
	print_place(how, record);
	print_property(record, "msgId", MESSAGE_UNIQ_KEY);
	print_property(record, "tag", MESSAGE_TAGS);
	print_property(record, "keys", MESSAGE_KEYS);
	if (compression)
		printf(" compression=%s", compression);
	if (how->body) {
		fputs(" body=", stdout);
		print_plain(body);
	}
	putchar('\n');
}

/* ---- JSON */

static void put_host(struct json_writer *w, const char *name, const struct gantry_address *host)
{
	char ip[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];
	bool v6 = host->ip_size == 16;
	inet_ntop(v6 ? AF_INET6 : AF_INET, host->ip, ip, sizeof(ip));
	snprintf(text, sizeof(text), v6 ? "[%s]:%u" : "%s:%u", ip, host->port);
	json_member_string(w, name, text);
}

static void put_properties(struct json_writer *w, struct gantry_str rest)
{
	struct message_property pair;
	json_put_key(w, "properties");
	json_open_object(w);
	while (message_property_next(&rest, &pair)) {
		json_put_key_str(w, pair.key);
		json_put_str(w, pair.value);
	}
	json_close_object(w);
}

static void put_body(struct json_writer *w, struct gantry_str body)
{
	if (is_text(body)) {
		json_member_str(w, "body", body);
		return;
	}
	g_autofree char *text = g_base64_encode((const guchar *)body.at, body.size);
	json_member_string(w, "bodyBase64", text);
}

static void put_ids(struct json_writer *w, const struct message_record *record)
{
	char id[MESSAGE_ID_MAX];
	uint32_t size =
		message_offset_id(&record->store_host, (uint64_t)record->physical_offset, id);
	struct gantry_str offset_id = {id, size};
	struct gantry_str unique = property(record, MESSAGE_UNIQ_KEY);
	json_member_str(w, "msgId", unique.at ? unique : offset_id);
	json_member_str(w, "offsetMsgId", offset_id);
}

static void print_json(const struct message_print *how, const struct message_record *record,
		       struct gantry_str body, const char *compression)
{
	struct json_writer w;
	char *text;
	size_t size;
	json_writer_init(&w, 2 * (size_t)INFLATED_MAX, 0);
	json_open_object(&w);
	json_member_str(&w, "topic", record->topic);
	if (how->broker) {
		json_member_string(&w, "broker", how->broker);
	} else {
		json_member_int(&w, "physicalOffset", record->physical_offset);
		json_member_int(&w, "size", record->size);
		json_member_int(&w, "bodySize", (int64_t)record->body.size);
	}
	json_member_int(&w, "queue", record->queue);
	json_member_int(&w, "offset", record->queue_offset);
	put_ids(&w, record);
	json_member_int(&w, "bornTimestamp", record->born_ms);
	json_member_int(&w, "storeTimestamp", record->store_ms);
	put_host(&w, "bornHost", &record->born_host);
	put_host(&w, "storeHost", &record->store_host);
	json_member_int(&w, "flag", record->flag);
	json_member_int(&w, "sysFlag", record->sys_flag);
	json_member_int(&w, "reconsumeTimes", record->reconsume_times);
	put_properties(&w, record->properties);
	if (compression)
		json_member_string(&w, "compression", compression);
	if (how->body)
		put_body(&w, body);
	json_close_object(&w);
	if (json_writer_take(&w, &text, &size)) {
		cli_error("the message at offset %lld cannot be written as JSON",
			  (long long)record->queue_offset);
		return;
	}
	puts(text);
	free(text);
}

void print_message(const struct message_print *how, const struct message_record *record)
{
	struct gantry_str body = record->body;
	const char *compression = unread_compression(record);
	GByteArray *inflated = NULL;
	if (how->body && compression && !strcmp(compression, "ZLIB"))
		inflated = inflate_body(body);
	if (inflated) {
		body = (struct gantry_str){(const char *)inflated->data, inflated->len};
		compression = NULL;
	}
	if (!body.at)
		body.at = "";
	cli_progress_end();
	if (cli_json())
		print_json(how, record, body, compression);
	else
		print_text(how, record, body, compression);
	if (inflated)
		g_byte_array_unref(inflated);
}
