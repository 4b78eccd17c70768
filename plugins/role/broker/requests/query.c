/* SPDX-License-Identifier: Apache-2.0 */
/* QUERY_MESSAGE: messages by key, unique key or tag, as RocketMQ's QueryMessageProcessor of 5.5.0.
 * The index is searched on a worker; what the messages need from disk is read ahead by the store,
 * so no loop waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "message/index_file.h"
#include "store/store.h"

/* A reply is one frame, and clients take no more than 16 MiB of it. */
enum { BODY_MAX = 16 * 1024 * 1024 - 64 * 1024 };

struct query {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct store_query search;
	uint32_t looked_at; /* of search.at */
	uint32_t slice_count;
	size_t bytes; /* of all slices */
	struct gantry_slice slices[STORE_QUERY_MAX];
};

static void free_query(struct query *query)
{
	for (uint32_t i = 0; i < query->slice_count; i++)
		gantry_slice_release(&query->slices[i]);
	free(query);
}

static void answer(struct query *query)
{
	struct gantry_call *call = query->call;
	char *body, *to;

	if (!query->slice_count) {
		call_fail(call, GANTRY_QUERY_NOT_FOUND,
			  "can not find message, maybe time range not correct");
	} else {
		body = to = malloc(query->bytes);
		for (uint32_t i = 0; body && i < query->slice_count; i++) {
			memcpy(to, query->slices[i].bytes, query->slices[i].size);
			to += query->slices[i].size;
		}
		call_reply_body(call, body, query->bytes);
	}
	call_reply_int(call, "indexLastUpdateTimestamp",
		       query->search.count ? query->search.last_ms : 0);
	call_reply_int(call, "indexLastUpdatePhyoffset",
		       query->search.count ? query->search.last_at : 0);
}

static void read_again(struct gantry_op *op);

/* Takes the messages that were found, until one has to be waited for (positive) or none is left.
 * One that is gone, or cannot be read, is left out, as in Java. */
static int take_messages(struct query *query)
{
	while (query->looked_at < query->search.count) {
		struct gantry_slice slice;
		int status;

		query->op = (struct gantry_op){
			.done = read_again, .loop = query->outer->loop, .user = query};
		status = store_read_message(query->broker->store,
					    query->search.at[query->looked_at], &slice, &query->op);
		if (status > 0)
			return status;
		query->looked_at++;
		if (status)
			continue;
		if (query->slice_count && query->bytes + slice.size > BODY_MAX) {
			gantry_slice_release(&slice);
			break;
		}
		query->bytes += slice.size;
		query->slices[query->slice_count++] = slice;
	}
	return 0;
}

static void finish(struct query *query)
{
	struct gantry_op *outer = query->outer;

	answer(query);
	free_query(query);
	gantry_op_finish(outer, 0, 0);
}

static void read_again(struct gantry_op *op)
{
	struct query *query = op->user;

	if (op->status)
		query->looked_at++;
	if (!take_messages(query))
		finish(query);
}

static void searched(struct gantry_op *op)
{
	struct query *query = op->user;

	if (!take_messages(query))
		finish(query);
}

struct range {
	struct gantry_str topic, key;
	int32_t max;
	int64_t begin_ms, end_ms;
};

static int read_range(struct gantry_call *call, struct range *ret)
{
	if (call_need_text(call, "topic", &ret->topic) || call_need_text(call, "key", &ret->key) ||
	    call_need_int32(call, "maxNum", &ret->max) ||
	    call_need_int64(call, "beginTimestamp", &ret->begin_ms) ||
	    call_need_int64(call, "endTimestamp", &ret->end_ms))
		return -1;
	return 0;
}

/* Fewer than none are refused in Java's words, where they end in the size of a list. */
static int refuse_negative(struct gantry_call *call, int64_t max)
{
	char text[80];

	snprintf(text, sizeof(text), "java.lang.IllegalArgumentException: Illegal Capacity: %lld",
		 (long long)max);
	call_fail(call, GANTRY_SYSTEM_ERROR, text);
	return -1;
}

static int set_search(const struct broker *broker, struct gantry_call *call,
		      const struct range *range, struct store_query *ret)
{
	const struct broker_conf *conf = broker->conf;
	bool unique = call_bool(call, "_UNIQUE_KEY_QUERY", false);
	bool tag = !unique && str_is(call_text(call, "indexType"), MESSAGE_INDEX_TAG);
	int64_t max = unique ? conf->defaultQueryMaxNum : range->max;

	if (max > conf->maxMsgsNumBatch)
		max = conf->maxMsgsNumBatch;
	if (max < 0)
		return refuse_negative(call, max);
	ret->hash = tag ? message_index_tag_hash(range->topic, range->key)
			: message_index_hash(range->topic, range->key);
	ret->max = max > 0 && conf->indexFileReadEnable ? (uint32_t)max : 0;
	ret->begin_ms = range->begin_ms;
	ret->end_ms = range->end_ms;
	return 0;
}

static int query_message(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct query *query;
	struct range range;
	int status = 0;

	if (read_range(call, &range))
		return 0;
	query = malloc(sizeof(*query));
	if (!query)
		return call_no_memory(call);
	*query = (struct query){.broker = broker, .call = call, .outer = op};
	query->op = (struct gantry_op){.done = searched, .loop = op->loop, .user = query};
	if (set_search(broker, call, &range, &query->search)) {
		free(query);
		return 0;
	}
	if (query->search.max)
		status = store_query(broker->store, &query->search, &query->op);
	if (status > 0) {
		gantry_op_take(op, NULL, NULL);
		return GANTRY_PENDING;
	}
	answer(query);
	free_query(query);
	return 0;
}

const struct call_row query_calls[] = {
	{12, "QUERY_MESSAGE", query_message},
	{0, NULL, NULL},
};
