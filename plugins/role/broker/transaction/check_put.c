/* SPDX-License-Identifier: Apache-2.0 */
/* Storing a half message again: at the end of its queue, so that the queue's begin can move on, or
 * in TRANS_CHECK_MAX_TIME_TOPIC if it is given up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "topics/topics.h"
#include "transaction/check_private.h"

static const char times_format[] = TRANSACTION_CHECK_TIMES "\001%d\002";

int32_t check_times(const struct message_record *record)
{
	struct gantry_str text = rewrite_property(record, TRANSACTION_CHECK_TIMES);
	int32_t times;

	if (!text.at)
		return INT32_MIN;
	return str_int32(text, &times) ? -1 : times;
}

/* It counts as one check more, whether its producer is asked or not. */
static int next_times(const struct check *check)
{
	if (check->times == INT32_MIN)
		return 1;
	return check->times < INT32_MAX ? check->times + 1 : check->times;
}

/* ---- drafts */

static int draft_again(struct check *check)
{
	static const char *const without[] = {TRANSACTION_CHECK_TIMES, NULL};
	int size = snprintf(check->added, sizeof(check->added), times_format, next_times(check));

	return rewrite_message(&check->half.record, without,
			       (struct gantry_str){check->added, (size_t)size},
			       &check->put.message.draft);
}

/* It remembers where it stood first: a decision may name that place. */
static int draft_immune(struct check *check)
{
	static const char *const without[] = {TRANSACTION_CHECK_TIMES, TRANSACTION_FIRST_OFFSET,
					      NULL};
	const struct message_record *record = &check->half.record;
	struct gantry_str first = rewrite_property(record, TRANSACTION_FIRST_OFFSET);
	int size = snprintf(check->added, sizeof(check->added), times_format, next_times(check));
	int64_t offset;

	if (!first.at || str_int64(first, &offset))
		offset = check->halves.at;
	size += snprintf(check->added + size, sizeof(check->added) - (size_t)size,
			 TRANSACTION_FIRST_OFFSET "\001%lld\002", (long long)offset);
	return rewrite_message(record, without, (struct gantry_str){check->added, (size_t)size},
			       &check->put.message.draft);
}

static int draft_given_up(struct check *check)
{
	static const char *const without[] = {NULL};
	struct message_draft *draft = &check->put.message.draft;
	struct topic_config config;
	struct topic *topic;
	int status;

	topic_config_init(&config, str_of(TRANSACTION_GIVEN_UP_TOPIC));
	config.read_queues = config.write_queues = 1;
	config.perm = PERM_READ | PERM_WRITE;
	status = topics_ensure(check->transactions->broker, &config, &topic);
	if (!status)
		status = rewrite_message(&check->half.record, without, (struct gantry_str){0},
					 draft);
	if (status)
		return status;
	draft->topic = topic->name;
	draft->queue = 0;
	return 0;
}

/* ---- what follows */

static void ask(struct check *check)
{
	struct broker *broker = check->transactions->broker;
	const struct message_record *half = &check->half.record;
	const struct ask_place place = {
		.queue_offset = check->put.message.queue_offset,
		.log_offset = check->put.record.at,
		.store_ms = half->store_ms,
	};
	int status = ask_producer(broker, half, str_of(check->added), &place, &check->room);

	if (status)
		gantry_log_limited(broker->inst, &check->limit, INFO,
				   "cannot ask group %.*s what became of its transaction: %s",
				   STR_ARGS(rewrite_property(half, TRANSACTION_PRODUCER_GROUP)),
				   status == -ENOENT ? "no producer is connected"
						     : strerror(-status));
}

static int conclude(struct check *check, int status)
{
	struct broker *broker = check->transactions->broker;
	struct gantry_str topic = rewrite_property(&check->half.record, TRANSACTION_REAL_TOPIC);

	if (status) {
		gantry_log_limited(broker->inst, &check->limit, WARNING,
				   "cannot put half message %lld again: %s; trying later",
				   (long long)check->halves.at, strerror(-status));
		return status;
	}
	if (check->judgement == ASK)
		ask(check);
	if (check->judgement == GIVE_UP) {
		gantry_log_limited(broker->inst, &check->limit, WARNING,
				   "a transaction of topic %.*s is given up: nobody decided; it is "
				   "kept in " TRANSACTION_GIVEN_UP_TOPIC,
				   STR_ARGS(topic));
		counts_add(check->transactions->counts, topic, -1);
	}
	check_next(check);
	return 0;
}

static void done(struct gantry_op *op)
{
	struct check *check = op->user;

	check_put_done(check, conclude(check, op->status));
}

int check_put(struct check *check, enum judgement judgement)
{
	int status;

	check->judgement = judgement;
	memset(&check->put, 0, sizeof(check->put));
	if (judgement == GIVE_UP)
		status = draft_given_up(check);
	else
		status = judgement == ASK ? draft_again(check) : draft_immune(check);
	if (status == -EMSGSIZE) { /* it has no room for one property more, and never will */
		status = draft_given_up(check);
		check->judgement = GIVE_UP;
	}
	check->put.put.no_wait = true;
	check->op = (struct gantry_op){.done = done, .loop = check->loop, .user = check};
	if (!status)
		status = put_one(check->transactions->broker, &check->put, &check->op);
	return status > 0 ? status : conclude(check, status);
}
