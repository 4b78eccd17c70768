/* SPDX-License-Identifier: Apache-2.0 */
/* One round: the tables one after another, each in one or more pages, then the offsets that the
 * master does not know. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "metadata/data_version.h"
#include "slave/private.h"

enum {
	UPDATE_CONSUMER_OFFSET = 15,
	TABLE_MS = 30000, /* for a page, as RocketMQ */
	SMALL_MS = 3000,
	PAGE_ENTRIES = 2000,
};

static void next_table(struct slave *slave);
static void next_send(struct slave *slave);

static void clear_pages(struct slave *slave)
{
	for (uint32_t i = 0; i < slave->page_count; i++) {
		json_free(&slave->pages[i].doc);
		remoting_request_clear(&slave->pages[i].request);
	}
	slave->page_count = 0;
	slave->page_bytes = 0;
	slave->entries = 0;
	slave->total = -1;
}

static void clear_sends(struct slave *slave)
{
	for (uint32_t i = 0; i < slave->send_count; i++)
		progress_item_clear(&slave->sends[i]);
	free(slave->sends);
	slave->sends = NULL;
	slave->send_count = slave->sent = 0;
	remoting_request_clear(&slave->send);
}

void slave_round_clear(struct slave *slave)
{
	clear_pages(slave);
	clear_sends(slave);
}

static void finish(struct slave *slave)
{
	slave_round_clear(slave);
	slave->running = false;
	slave_round_done(slave);
}

/* ---- one page */

/* Said once until it goes well again: an older master may not have that table at all. */
static void table_failed(struct slave *slave, const char *why)
{
	if (!slave->ending && !slave->missing[slave->at])
		gantry_log(slave->broker->inst, WARNING,
			   "%s of the master %s are not taken over: %s",
			   slave_tables[slave->at].name, slave->master, why);
	slave->missing[slave->at] = true;
}

static void go_on(struct slave *slave)
{
	clear_pages(slave);
	if (slave->ending) {
		finish(slave);
		return;
	}
	slave->at++;
	next_table(slave);
}

static void ask_page(struct slave *slave);

static void taken(struct gantry_op *op)
{
	struct slave *slave = op->user;

	slave->working = false;
	if (!op->status && slave->more && !slave->ending) {
		ask_page(slave);
		return;
	}
	if (op->status)
		table_failed(slave, slave->why[0] ? slave->why : strerror(-op->status));
	else
		slave->missing[slave->at] = false;
	go_on(slave);
}

static int take(struct gantry_work *work)
{
	return slave_take_page(work->user);
}

/* What the page says of the whole table; false: it cannot be had. */
static bool note_page(struct slave *slave, const struct slave_table *table)
{
	struct slave_page *page = &slave->pages[slave->page_count - 1];
	const struct remoting_header *reply = &page->request.reply;
	char why[SLAVE_WHY_ROOM];

	if (reply->code != GANTRY_SUCCESS) {
		snprintf(why, sizeof(why), "it answers %d %.*s", reply->code,
			 reply->remark.size > 100 ? 100 : (int)reply->remark.size,
			 reply->remark.at ? reply->remark.at : "");
		table_failed(slave, why);
		return false;
	}
	slave->page_bytes += page->request.ret_body.size;
	if (slave->page_bytes > SLAVE_PAGES_BYTES) {
		table_failed(slave, "it is too large");
		return false;
	}
	if (!table->total_field ||
	    remoting_field_int64(reply, table->total_field, &slave->total) < 0)
		slave->total = -1;
	return true;
}

static void answered(struct gantry_op *op)
{
	struct slave *slave = op->user;
	const struct slave_table *table = &slave_tables[slave->at];

	slave_heard(slave, op->status);
	if (op->status) {
		slave->failed = true;
		finish(slave);
		return;
	}
	if (slave->ending || !note_page(slave, table)) {
		go_on(slave);
		return;
	}
	slave->why[0] = '\0';
	slave->more = false;
	slave->working = true;
	slave->op = (struct gantry_op){.done = taken, .loop = op->loop, .user = slave};
	slave->work = (struct gantry_work){.run = take, .user = slave};
	gantry_work(slave->broker->inst, &slave->work, &slave->op);
}

static void call(struct slave *slave, struct remoting_request *request, uint64_t ms,
		 void (*done)(struct gantry_op *op))
{
	int result;

	slave->op = (struct gantry_op){
		.done = done,
		.loop = gantry_loop_control(slave->broker->inst),
		.user = slave,
		.deadline_ms = gantry_clock_ms() + ms,
	};
	result = remoting_client_call(slave->client, slave->master, request, &slave->op);
	if (result > 0)
		return;
	slave->op.status = result ? result : -EIO;
	done(&slave->op);
}

/* The version of the pages that are there, so that the master gives the next one of the same. */
static char *version_text(struct slave *slave)
{
	struct data_version version;
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;

	version = data_version_read(json_get(json_root(&slave->pages[0].doc), "dataVersion"));
	json_writer_init(&writer, SLAVE_WHY_ROOM, 0);
	data_version_write(&writer, &version);
	return json_writer_take(&writer, &text, &size) ? NULL : text;
}

static void ask_page(struct slave *slave)
{
	const struct slave_table *table = &slave_tables[slave->at];
	char from[24], max[16];
	char *version = slave->page_count ? version_text(slave) : NULL;
	struct gantry_field fields[3] = {
		{str_of(table->from_field), str_of(from)},
		{str_of(table->max_field), str_of(max)},
		{str_of("dataVersion"), str_of(version ? version : "")},
	};
	struct slave_page *page;

	snprintf(from, sizeof(from), "%llu", (unsigned long long)slave->entries);
	snprintf(max, sizeof(max), "%d", PAGE_ENTRIES);
	fields[0].value = str_of(from);
	fields[1].value = str_of(max);
	if (slave->page_count == SLAVE_PAGES_MAX) {
		free(version);
		table_failed(slave, "it has too many pages");
		go_on(slave);
		return;
	}
	page = &slave->pages[slave->page_count++];
	*page = (struct slave_page){.request = {.code = table->code}};
	if (table->from_field) {
		page->request.fields = fields;
		page->request.field_count = 3;
	}
	call(slave, &page->request, table->from_field ? TABLE_MS : SMALL_MS, answered);
	free(version);
}

static void next_table(struct slave *slave)
{
	if (slave->at < (slave->full ? SLAVE_TABLES : SLAVE_DELAYS + 1)) {
		ask_page(slave);
		return;
	}
	if (slave->full && progress_count(slave->progress))
		slave->sends = calloc(SLAVE_SENDS_MAX, sizeof(*slave->sends));
	if (slave->sends)
		slave->send_count = progress_list(slave->progress, slave->sends, SLAVE_SENDS_MAX);
	next_send(slave);
}

/* ---- progress */

enum { TOPIC_GONE = GANTRY_TOPIC_NOT_EXIST, GROUP_GONE = GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST };

/* It stays noted until a later round finds that the master has it. */
static void sent(struct gantry_op *op)
{
	struct slave *slave = op->user;
	int32_t code = slave->send.reply.code;

	slave_heard(slave, op->status);
	if (op->status || slave->ending) {
		slave->failed = true;
		finish(slave);
		return;
	}
	if (code == TOPIC_GONE || code == GROUP_GONE)
		progress_drop(slave->progress, &slave->sends[slave->sent]);
	remoting_request_clear(&slave->send);
	slave->sent++;
	next_send(slave);
}

static void send_item(struct slave *slave, const struct progress_item *item, int64_t offset)
{
	char queue[16], text[24];
	struct gantry_field fields[] = {
		{str_of("consumerGroup"), item->group},
		{str_of("topic"), item->topic},
		{str_of("queueId"), {queue, 0}},
		{str_of("commitOffset"), {text, 0}},
	};

	snprintf(queue, sizeof(queue), "%d", item->queue);
	snprintf(text, sizeof(text), "%lld", (long long)offset);
	fields[2].value = str_of(queue);
	fields[3].value = str_of(text);
	slave->send = (struct remoting_request){
		.code = UPDATE_CONSUMER_OFFSET, .fields = fields, .field_count = 4};
	call(slave, &slave->send, SMALL_MS, sent);
}

static void next_send(struct slave *slave)
{
	struct offsets *offsets = slave->broker->offsets;

	while (slave->sent < slave->send_count) {
		struct progress_item *item = &slave->sends[slave->sent];
		int64_t offset = offsets_get(offsets, item->group, item->topic, item->queue);

		if (offset >= 0) {
			send_item(slave, item, offset);
			return;
		}
		progress_drop(slave->progress, item); /* forgotten here, too */
		slave->sent++;
	}
	finish(slave);
}

void slave_round(struct slave *slave, bool full)
{
	slave->running = true;
	slave->full = full;
	slave->failed = false;
	slave->at = full ? 0 : SLAVE_DELAYS;
	ask_page(slave);
}
