/* SPDX-License-Identifier: Apache-2.0 */
/* When files of the log may go: RocketMQ's rules as pure functions (DefaultMessageStore's
 * CleanCommitLogService, store 5.5.0). */
#ifndef STORE_EXPIRE_RULES_H
#define STORE_EXPIRE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of deleteWhen, "04;16": whether it is a list of numbers, and whether the hour is one of them. */
bool expire_hours_are_good(const char *hours);
bool expire_is_hour(const char *hours, int hour);

/* How full a file system is, in percent, rounded up; -1: it has no size. free counts what is kept
 * for root, available does not. Bytes or blocks. */
int expire_used_percent(uint64_t total, uint64_t free, uint64_t available);

struct expire_limits { /* percent; as configured, the rules put them into RocketMQ's ranges */
	int64_t max_used, forced, warning;
};

enum expire_full { EXPIRE_FULL_KEEP, EXPIRE_FULL_NO, EXPIRE_FULL_YES };

struct expire_verdict {
	enum expire_full full; /* whether sends are refused from now on */
	bool clean;            /* it is time for files that are old enough, at any hour */
	bool at_once;          /* for others too */
};

/* log: of the least full folder of the log; queues: of the consume queues' folder; percent, -1 if
 * it is not known. */
struct expire_verdict expire_judge(const struct expire_limits *limits, int log, int queues);

#ifdef __cplusplus
}
#endif
#endif
