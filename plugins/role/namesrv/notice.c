/* SPDX-License-Identifier: Apache-2.0 */
/* Notices wait in a list until the control loop sends them: whoever makes one holds the routes'
 * lock. */
#include "notice.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/loop.h>

#include "call/fields.h"
#include "remoting/client.h"
#include "routes_private.h"

enum {
	NOTIFY_MIN_BROKER_ID_CHANGE = 905,
	WAITING_MAX = 4096, /* messages; a storm of changes costs those that come later */
	TIMEOUT_MS = 3000,
	FIELDS_MAX = 4,
};

struct notice { /* one message */
	struct notice *next;
	struct ns_notices *notices;
	char *target, *min_address, *offline, *ha; /* the last two may be NULL */
	int64_t min_id;
	struct remoting_request request;
	struct gantry_op op;
};

struct ns_notices {
	struct namesrv *namesrv;
	struct remoting_client *client; /* the control loop's; made with the first notice */
	struct gantry_op close_op;
	struct gantry_op *closed;
	struct gantry_task task;
	pthread_mutex_t lock;
	/* guarded by lock */
	struct notice *first, **end;
	uint32_t count;
	bool posted, closing;
};

int ns_notices_new(struct namesrv *namesrv, struct ns_notices **ret)
{
	struct ns_notices *notices = calloc(1, sizeof(*notices));

	if (!notices)
		return -ENOMEM;
	notices->namesrv = namesrv;
	notices->end = &notices->first;
	pthread_mutex_init(&notices->lock, NULL);
	*ret = notices;
	return 0;
}

static void free_notice(struct notice *notice)
{
	free(notice->target);
	free(notice->min_address);
	free(notice->offline);
	free(notice->ha);
	free(notice);
}

static void free_list(struct notice *first)
{
	for (struct notice *next; first; first = next) {
		next = first->next;
		free_notice(first);
	}
}

void ns_notices_free(struct ns_notices *notices)
{
	if (!notices)
		return;
	free_list(notices->first);
	pthread_mutex_destroy(&notices->lock);
	free(notices);
}

/* ---- sending; on the control loop */

static void sent(struct gantry_op *op)
{
	struct notice *notice = op->user;

	if (op->status)
		gantry_log(notice->notices->namesrv->inst, WARNING,
			   "%s was not told that %s has the lowest broker id: %s", notice->target,
			   notice->min_address, strerror(-op->status));
	remoting_request_clear(&notice->request);
	free_notice(notice);
}

static void send_one(struct ns_notices *notices, struct notice *notice)
{
	struct gantry_field fields[FIELDS_MAX];
	char id[24];
	uint32_t count = 0;
	int result;

	snprintf(id, sizeof(id), "%lld", (long long)notice->min_id);
	fields[count++] = (struct gantry_field){str_of("minBrokerId"), str_of(id)};
	fields[count++] =
		(struct gantry_field){str_of("minBrokerAddr"), str_of(notice->min_address)};
	if (notice->offline)
		fields[count++] =
			(struct gantry_field){str_of("offlineBrokerAddr"), str_of(notice->offline)};
	if (notice->ha)
		fields[count++] = (struct gantry_field){str_of("haBrokerAddr"), str_of(notice->ha)};
	notice->request = (struct remoting_request){.code = NOTIFY_MIN_BROKER_ID_CHANGE,
						    .one_way = 1,
						    .fields = fields,
						    .field_count = count};
	notice->op = (struct gantry_op){.done = sent,
					.loop = gantry_loop_control(notices->namesrv->inst),
					.user = notice,
					.deadline_ms = gantry_clock_ms() + TIMEOUT_MS};
	result = remoting_client_call(notices->client, notice->target, &notice->request,
				      &notice->op);
	if (result > 0)
		return;
	notice->op.status = result;
	sent(&notice->op);
}

static int make_client(struct ns_notices *notices)
{
	struct gantry_inst *inst = notices->namesrv->inst;
	struct remoting_client_spec spec = {
		.size = sizeof(spec), .inst = inst, .loop = gantry_loop_control(inst)};

	return notices->client ? 0 : remoting_client_new(&spec, &notices->client);
}

static void send_all(struct gantry_task *task)
{
	struct ns_notices *notices = task->user;
	struct notice *first, *next;
	bool closing;

	pthread_mutex_lock(&notices->lock);
	first = notices->first;
	closing = notices->closing;
	notices->first = NULL;
	notices->end = &notices->first;
	notices->count = 0;
	notices->posted = false;
	pthread_mutex_unlock(&notices->lock);
	if (closing || make_client(notices)) {
		free_list(first);
		return;
	}
	for (; first; first = next) {
		next = first->next;
		send_one(notices, first);
	}
}

/* ---- making */

static struct notice *make(struct ns_notices *notices, const struct ns_broker *broker,
			   const char *target, struct gantry_str offline, const char *ha)
{
	const struct ns_address *lowest = &broker->addresses[0];
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!notice)
		return NULL;
	notice->notices = notices;
	notice->min_id = lowest->id;
	notice->target = strdup(target);
	notice->min_address = strdup(lowest->text);
	notice->offline = offline.at ? strndup(offline.at, offline.size) : NULL;
	notice->ha = ha ? strdup(ha) : NULL;
	if (notice->target && notice->min_address && (!offline.at || notice->offline) &&
	    (!ha || notice->ha))
		return notice;
	free_notice(notice);
	return NULL;
}

static void add_locked(struct ns_notices *notices, struct notice *notice)
{
	*notices->end = notice;
	notices->end = &notice->next;
	notices->count++;
	if (notices->posted)
		return;
	notices->posted = true;
	notices->task = (struct gantry_task){.run = send_all, .user = notices};
	gantry_loop_post(gantry_loop_control(notices->namesrv->inst), &notices->task);
}

/* To the addresses from the i-th on. */
static void tell(struct namesrv *namesrv, const struct ns_broker *broker, uint32_t i,
		 struct gantry_str offline, const char *ha)
{
	struct ns_notices *notices = namesrv->notices;
	struct notice *notice;

	if (!notices || !ns_conf(namesrv)->notifyMinBrokerIdChanged || !broker->address_count)
		return;
	pthread_mutex_lock(&notices->lock);
	for (; i < broker->address_count && !notices->closing && notices->count < WAITING_MAX;
	     i++) {
		notice = make(notices, broker, broker->addresses[i].text, offline, ha);
		if (notice)
			add_locked(notices, notice);
	}
	pthread_mutex_unlock(&notices->lock);
}

void ns_notice_arrival(struct namesrv *namesrv, const struct ns_broker *broker,
		       const char *ha_address)
{
	tell(namesrv, broker, broker->address_count > 1, (struct gantry_str){NULL, 0}, ha_address);
}

void ns_notice_departure(struct namesrv *namesrv, const struct ns_broker *broker,
			 struct gantry_str address)
{
	tell(namesrv, broker, 0, address, NULL);
}

/* ---- closing */

static void client_closed(struct gantry_op *op)
{
	struct ns_notices *notices = op->user;

	gantry_op_finish(notices->closed, 0, 0);
}

int ns_notices_close(struct ns_notices *notices, struct gantry_op *op)
{
	struct remoting_client *client = notices->client;

	pthread_mutex_lock(&notices->lock);
	notices->closing = true;
	pthread_mutex_unlock(&notices->lock);
	if (!client)
		return 0;
	notices->client = NULL;
	notices->closed = op;
	notices->close_op = (struct gantry_op){.done = client_closed,
					       .loop = gantry_loop_control(notices->namesrv->inst),
					       .user = notices};
	gantry_op_take(op, NULL, NULL);
	remoting_client_close(client, &notices->close_op);
	return GANTRY_PENDING;
}
