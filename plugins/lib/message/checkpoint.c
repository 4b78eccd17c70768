/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the checkpoint. */
#include "message/checkpoint.h"

#include "message/bytes.h"

enum { SLACK_MS = 3000 };

void message_checkpoint_read(const uint8_t *from, struct message_checkpoint *ret)
{
	ret->physic_ms = (int64_t)message_get64(from);
	ret->logics_ms = (int64_t)message_get64(from + 8);
	ret->index_ms = (int64_t)message_get64(from + 16);
	ret->master_flushed = (int64_t)message_get64(from + 24);
	ret->confirm = (int64_t)message_get64(from + 32);
	ret->logics_at = (int64_t)message_get64(from + MESSAGE_CHECKPOINT_LOGICS_AT);
}

void message_checkpoint_write(uint8_t *to, const struct message_checkpoint *point)
{
	to = message_put64(to, (uint64_t)point->physic_ms);
	to = message_put64(to, (uint64_t)point->logics_ms);
	to = message_put64(to, (uint64_t)point->index_ms);
	to = message_put64(to, (uint64_t)point->master_flushed);
	to = message_put64(to, (uint64_t)point->confirm);
	message_put64(to, (uint64_t)point->logics_at);
}

int64_t message_checkpoint_safe_ms(const struct message_checkpoint *point)
{
	int64_t ms = point->physic_ms < point->logics_ms ? point->physic_ms : point->logics_ms;

	return ms > SLACK_MS ? ms - SLACK_MS : 0;
}
