/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum at a record's end. */
#include "message/checksum.h"

#include <errno.h>
#include <string.h>

enum { NAME_BYTES = sizeof(MESSAGE_CHECKSUM) - 1, DIGITS = 10 };

uint8_t *message_checksum_write(const uint8_t *record, uint8_t *to)
{
	uint32_t sum = (uint32_t)message_body_crc(record, (size_t)(to - record));

	memcpy(to, MESSAGE_CHECKSUM, NAME_BYTES);
	to += NAME_BYTES;
	*to++ = 1;
	for (int i = 0; i < DIGITS; i++) {
		*to++ = (uint8_t)('0' + sum % 10);
		sum /= 10;
	}
	*to++ = 2;
	return to;
}

static int64_t read_digits(const char *digits)
{
	int64_t said = 0;

	for (int i = DIGITS - 1; i >= 0; i--) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		said = said * 10 + (digits[i] - '0');
	}
	return said;
}

int message_checksum_read(const uint8_t *bytes, const struct message_record *record,
			  int32_t *ret_is, int64_t *ret_said)
{
	const struct gantry_str *properties = &record->properties;
	const char *at;

	if (properties->size < MESSAGE_CHECKSUM_BYTES)
		return -ENODATA;
	at = properties->at + properties->size - MESSAGE_CHECKSUM_BYTES;
	if (memcmp(at, MESSAGE_CHECKSUM, NAME_BYTES) != 0 || at[NAME_BYTES] != 1)
		return -ENODATA;
	*ret_is = message_body_crc(bytes, record->size - MESSAGE_CHECKSUM_BYTES);
	*ret_said = read_digits(at + NAME_BYTES + 1);
	return 0;
}
