/* SPDX-License-Identifier: Apache-2.0 */
/* Offset message ids and unique keys. */
#include "message/id.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "message/bytes.h"

static uint32_t put_hex(char *to, const uint8_t *from, uint32_t size)
{
	static const char digits[] = "0123456789ABCDEF";

	for (uint32_t i = 0; i < size; i++) {
		to[2 * i] = digits[from[i] >> 4];
		to[2 * i + 1] = digits[from[i] & 15];
	}
	return 2 * size;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int get_hex(struct gantry_str hex, uint8_t *to)
{
	for (size_t i = 0; i < hex.size; i += 2) {
		int high = digit(hex.at[i]), low = digit(hex.at[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

uint32_t message_offset_id(const struct gantry_address *host, uint64_t offset,
			   char ret[MESSAGE_ID_MAX])
{
	uint32_t ip_size = host->ip_size == 16 ? 16 : 4;
	uint8_t bytes[MESSAGE_ID_MAX / 2];
	uint8_t *at = bytes;

	memcpy(at, host->ip, ip_size);
	at = message_put32(at + ip_size, host->port);
	at = message_put64(at, offset);
	return put_hex(ret, bytes, (uint32_t)(at - bytes));
}

int message_offset_id_read(struct gantry_str id, struct gantry_address *ret_host,
			   uint64_t *ret_offset)
{
	uint8_t bytes[MESSAGE_ID_MAX / 2];
	uint8_t ip_size = id.size == MESSAGE_ID_MAX ? 16 : 4;
	uint32_t port;

	if (id.size != 2 * (ip_size + 12u) || get_hex(id, bytes))
		return -EINVAL;
	port = message_get32(bytes + ip_size);
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret_host = (struct gantry_address){.port = (uint16_t)port, .ip_size = ip_size};
	memcpy(ret_host->ip, bytes, ip_size);
	*ret_offset = message_get64(bytes + ip_size + 4);
	return 0;
}

void message_unique_init(struct message_unique *unique, const struct gantry_address *host,
			 uint32_t pid, uint32_t salt)
{
	uint32_t ip_size = host->ip_size == 16 ? 16 : 4;
	uint8_t bytes[22];
	uint8_t *at = bytes;

	memcpy(at, host->ip, ip_size);
	at = message_put16(at + ip_size, (uint16_t)pid);
	at = message_put32(at, salt);
	*unique = (struct message_unique){0};
	unique->prefix_size = put_hex(unique->prefix, bytes, (uint32_t)(at - bytes));
}

/* The first moment of the local month that is months after the one of now. */
static int64_t month_start_ms(int64_t now_ms, int months)
{
	time_t now = now_ms / 1000;
	struct tm local;

	localtime_r(&now, &local);
	local.tm_mon += months;
	local.tm_mday = 1;
	local.tm_hour = local.tm_min = local.tm_sec = 0;
	local.tm_isdst = -1;
	return (int64_t)mktime(&local) * 1000;
}

uint32_t message_unique_next(struct message_unique *unique, int64_t now_ms,
			     char ret[MESSAGE_ID_MAX])
{
	uint8_t bytes[6];

	if (now_ms >= unique->next_month_ms || now_ms < unique->month_ms) {
		unique->month_ms = month_start_ms(now_ms, 0);
		unique->next_month_ms = month_start_ms(now_ms, 1);
	}
	message_put16(message_put32(bytes, (uint32_t)(now_ms - unique->month_ms)),
		      (uint16_t)unique->counter++);
	memcpy(ret, unique->prefix, unique->prefix_size);
	return unique->prefix_size + put_hex(ret + unique->prefix_size, bytes, sizeof(bytes));
}
