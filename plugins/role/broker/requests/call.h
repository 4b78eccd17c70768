/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by request code. Each feature file exports its rows; requests/call.c merges them into one
 * table, sorted by code, when the broker is set up. A code without a row is answered 3. */
#ifndef CALL_H
#define CALL_H

#include "broker.h"
#include "call/fields.h"
#include "call/reply.h"

#ifdef __cplusplus
extern "C" {
#endif

struct call_row {
	int32_t code; /* RocketMQ's RequestCode; 0 ends a feature's rows */
	const char *name;
	/* 0: the answer is in call. Positive: op finishes when it is. Never negative. */
	int (*run)(struct broker *broker, struct gantry_call *call, struct gantry_op *op);
};

/* The features; a new one adds its line here and in requests/call.c. */
extern const struct call_row topic_calls[], group_calls[], offset_calls[], queue_calls[],
	client_calls[], assign_calls[], lock_calls[], config_calls[], query_calls[], expire_calls[],
	relay_calls[], status_calls[], reset_calls[], compare_calls[], reply_calls[], delay_calls[],
	back_calls[], progress_calls[], who_calls[], stats_calls[], runtime_calls[],
	queue_view_calls[], list_calls[], clean_calls[], ha_calls[], transaction_calls[],
	transaction_resume_calls[];

int call_table_new(struct call_table **ret); /* -EEXIST: two features serve one code */
void call_table_free(struct call_table *table);
int call_run(struct broker *broker, struct gantry_call *call, struct gantry_op *op);

#ifdef __cplusplus
}
#endif
#endif
