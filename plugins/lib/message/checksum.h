/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum that a record may end with, as its last property (RocketMQ's enabledAppendPropCRC,
 * CommitLog and MessageExtEncoder of 5.5.0): name, 0x01, ten decimal digits with the last first,
 * 0x02. It covers the record's bytes before it; propertiesLength counts it. Pure. */
#ifndef MESSAGE_CHECKSUM_H
#define MESSAGE_CHECKSUM_H

#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MESSAGE_CHECKSUM "__CRC32#"
enum { MESSAGE_CHECKSUM_BYTES = 20 };

/* Writes it at to for the record that begins at record and is complete up to there; returns where
 * it ends, MESSAGE_CHECKSUM_BYTES on. */
uint8_t *message_checksum_write(const uint8_t *record, uint8_t *to);

/* Compares a record, read whole from bytes, with its checksum. ret_is, ret_said: what the sum of
 * its bytes is, and what the property says (-1: no number). -ENODATA: it does not end with one. */
int message_checksum_read(const uint8_t *bytes, const struct message_record *record,
			  int32_t *ret_is, int64_t *ret_said);

#ifdef __cplusplus
}
#endif
#endif
