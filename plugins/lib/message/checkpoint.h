/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's checkpoint file: how far the log, the queues and the index were safe on disk, as
 * StoreCheckpoint of store 5.5.0 writes it: six big-endian int64 at the beginning of 4096 bytes,
 * the rest zero. The sixth, logicsPhysicalOffset, is younger than the others: brokers before 5.5.0
 * leave it 0. After an unclean stop Java begins its recovery with the newest file of the log whose
 * first record is not behind it, or with the very record (enableAcceleratedRecovery). Pure; any
 * thread. */
#ifndef MESSAGE_CHECKPOINT_H
#define MESSAGE_CHECKPOINT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	MESSAGE_CHECKPOINT_FILE = 4096,    /* bytes of the file */
	MESSAGE_CHECKPOINT_USED = 48,      /* what is behind is 0 */
	MESSAGE_CHECKPOINT_LOGICS_AT = 40, /* where logicsPhysicalOffset stands */
};

struct message_checkpoint {
	int64_t physic_ms, logics_ms, index_ms; /* store times */
	int64_t master_flushed, confirm;        /* log offsets; confirm: where a record begins */
	int64_t logics_at; /* log offset: where the last record begins that is safe in the queues */
};

/* from and to: MESSAGE_CHECKPOINT_USED bytes. */
void message_checkpoint_read(const uint8_t *from, struct message_checkpoint *ret);
void message_checkpoint_write(uint8_t *to, const struct message_checkpoint *point);
/* Everything stored until this time is safe in log and queues: the older of their times, and as in
 * Java 3 seconds before it; 0: nothing is known to be. */
int64_t message_checkpoint_safe_ms(const struct message_checkpoint *point);

#ifdef __cplusplus
}
#endif
#endif
