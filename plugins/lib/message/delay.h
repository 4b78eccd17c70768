/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's delay levels: messageDelayLevel = "1s 5s 10s 30s 1m ..."; level 1 is the first. */
#ifndef MESSAGE_DELAY_H
#define MESSAGE_DELAY_H

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MESSAGE_DELAY_LEVELS_MAX = 64 };

struct message_delays {
	uint32_t count;
	int64_t ms[MESSAGE_DELAY_LEVELS_MAX]; /* of level i + 1 */
};

/* -EINVAL: a level that is not a number and one of s, m, h, d; or too many of them. */
int message_delays_read(const char *text, struct message_delays *ret);

/* When a message of that level is due: a level past the last counts as the last; one second for a
 * level that the table does not have. */
int64_t message_deliver_ms(const struct message_delays *delays, int32_t level, int64_t store_ms);

#ifdef __cplusplus
}
#endif
#endif
