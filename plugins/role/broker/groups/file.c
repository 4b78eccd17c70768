/* SPDX-License-Identifier: Apache-2.0 */
/* subscriptionGroup.json and the JSON of a group: RocketMQ's SubscriptionGroupWrapper and
 * SubscriptionGroupConfig. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "groups/private.h"
#include "metadata/topic_config.h"
#include "requests/page.h"
#include "paths.h"

enum {
	TEXT_MAX = 512 * 1024 * 1024,
	CARRIED_MAX = 64 * 1024, /* of a text that is only carried through */
};

/* ---- writing */

static void write_carried(struct json_writer *writer, const char *name, const char *text)
{
	struct json_doc doc;

	if (!text)
		return;
	json_put_key(writer, name);
	if (json_parse(text, strlen(text), 0, NULL, &doc, NULL)) {
		json_put_null(writer);
		return;
	}
	metadata_copy_json(writer, json_root(&doc));
	json_free(&doc);
}

static void write_group(struct json_writer *writer, const struct group *group)
{
	json_open_object(writer);
	write_carried(writer, "attributes", group->attributes ? group->attributes : "{}");
	json_member_int(writer, "brokerId", GROUP_READ(group, broker_id));
	json_member_bool(writer, "consumeBroadcastEnable",
			 GROUP_READ(group, consume_broadcast_enable));
	json_member_bool(writer, "consumeEnable", GROUP_READ(group, consume_enable));
	json_member_bool(writer, "consumeFromMinEnable",
			 GROUP_READ(group, consume_from_min_enable));
	json_member_bool(writer, "consumeMessageOrderly",
			 GROUP_READ(group, consume_message_orderly));
	json_member_int(writer, "consumeTimeoutMinute", GROUP_READ(group, consume_timeout_minute));
	json_member_str(writer, "groupName", group->name);
	write_carried(writer, "groupRetryPolicy",
		      group->retry_policy ? group->retry_policy : "{\"type\":\"CUSTOMIZED\"}");
	json_member_int(writer, "groupSysFlag", GROUP_READ(group, group_sys_flag));
	json_member_bool(writer, "notifyConsumerIdsChangedEnable",
			 GROUP_READ(group, notify_consumer_ids_changed_enable));
	json_member_int(writer, "retryMaxTimes", GROUP_READ(group, retry_max_times));
	json_member_int(writer, "retryQueueNums", GROUP_READ(group, retry_queue_nums));
	write_carried(writer, "subscriptionDataSet", group->subscription_data_set);
	json_member_int(writer, "whichBrokerWhenConsumeSlowly",
			GROUP_READ(group, which_broker_when_consume_slowly));
	json_close_object(writer);
}

static struct gantry_str forbidden_group(const struct forbidden *forbidden)
{
	size_t skip = forbidden->topic_size + 1;

	return (struct gantry_str){forbidden->key + skip, forbidden->entry.key.size - skip};
}

static int by_group(const void *a, const void *b)
{
	struct gantry_str x = forbidden_group(
		TABLE_HOLDER(*(struct table_entry *const *)a, struct forbidden, entry));
	struct gantry_str y = forbidden_group(
		TABLE_HOLDER(*(struct table_entry *const *)b, struct forbidden, entry));
	int order = memcmp(x.at, y.at, x.size < y.size ? x.size : y.size);

	return order ? order : (x.size > y.size) - (x.size < y.size);
}

/* {"group":{"topic":bits}} */
static void write_forbidden(struct groups *groups, struct json_writer *writer)
{
	struct table_entry **sorted = table_sorted(&groups->forbidden);
	struct gantry_str open = {NULL, 0};

	json_open_object(writer);
	if (sorted)
		qsort(sorted, groups->forbidden.count, sizeof(struct table_entry *), by_group);
	else if (groups->forbidden.count)
		writer->error = -ENOMEM;
	for (size_t i = 0; sorted && i < groups->forbidden.count; i++) {
		struct forbidden *forbidden = TABLE_HOLDER(sorted[i], struct forbidden, entry);
		struct gantry_str group = forbidden_group(forbidden);

		if (!open.at || !str_equal(open, group)) {
			if (open.at)
				json_close_object(writer);
			json_put_key_str(writer, group);
			json_open_object(writer);
			open = group;
		}
		json_put_key_str(writer,
				 (struct gantry_str){forbidden->key, forbidden->topic_size});
		json_put_int(writer, forbidden->bits);
	}
	if (open.at)
		json_close_object(writer);
	json_close_object(writer);
	free(sorted);
}

int groups_encode(struct groups *groups, unsigned flags, const struct page *page, char **ret,
		  size_t *ret_size)
{
	size_t begin, end;
	struct json_writer writer;
	struct table_entry **sorted;

	json_writer_init(&writer, TEXT_MAX, flags);
	pthread_rwlock_rdlock(&groups->lock);
	json_open_object(&writer);
	json_put_key(&writer, "dataVersion");
	data_version_write(&writer, &groups->version);
	json_put_key(&writer, "forbiddenTable");
	write_forbidden(groups, &writer);
	json_put_key(&writer, "subscriptionGroupTable");
	json_open_object(&writer);
	sorted = table_sorted(&groups->table);
	if (!sorted && groups->table.count)
		writer.error = -ENOMEM;
	page_cut(page, &groups->version, groups->table.count, &begin, &end);
	for (size_t i = begin; sorted && i < end; i++) {
		json_put_key_str(&writer, sorted[i]->key);
		write_group(&writer, &TABLE_HOLDER(sorted[i], struct group_node, entry)->group);
	}
	free(sorted);
	json_close_object(&writer);
	json_close_object(&writer);
	pthread_rwlock_unlock(&groups->lock);
	return json_writer_take(&writer, ret, ret_size);
}

int groups_encode_one(struct groups *groups, struct group *group, char **ret, size_t *ret_size)
{
	struct json_writer writer;

	json_writer_init(&writer, TEXT_MAX, 0);
	pthread_rwlock_rdlock(&groups->lock);
	write_group(&writer, group);
	pthread_rwlock_unlock(&groups->lock);
	return json_writer_take(&writer, ret, ret_size);
}

/* ---- reading */

static void take_flag(struct json_value object, const char *name, bool missing, uint32_t *field)
{
	struct json_value value = json_get(object, name);
	int64_t number;
	bool flag;

	if (json_bool(value, &flag))
		flag = json_int64(value, &number) ? missing : number != 0;
	__atomic_store_n(field, flag, __ATOMIC_RELAXED);
}

static void take_int32(struct json_value object, const char *name, int32_t missing, int32_t *field)
{
	int64_t value = json_int64_or(json_get(object, name), missing);

	if (value >= INT32_MIN && value <= INT32_MAX)
		__atomic_store_n(field, (int32_t)value, __ATOMIC_RELAXED);
}

static void take_int64(struct json_value object, const char *name, int64_t missing, int64_t *field)
{
	int64_t value = json_int64_or(json_get(object, name), missing);

	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static int take_carried(struct json_value object, const char *name, char **field)
{
	struct json_value value = json_get(object, name);
	char *text;

	if (!json_is(value, JSON_OBJECT) && !json_is(value, JSON_ARRAY))
		return 0;
	text = metadata_json_text(value);
	if (!text)
		return -ENOMEM;
	if (strlen(text) > CARRIED_MAX) {
		free(text);
		return -E2BIG;
	}
	free(*field);
	*field = text;
	return 0;
}

static void drop_carried(char **field)
{
	free(*field);
	*field = NULL;
}

int group_read_json(struct group *group, struct json_value object)
{
	int err;

	take_flag(object, "consumeEnable", true, &group->consume_enable);
	take_flag(object, "consumeFromMinEnable", true, &group->consume_from_min_enable);
	take_flag(object, "consumeBroadcastEnable", true, &group->consume_broadcast_enable);
	take_flag(object, "consumeMessageOrderly", false, &group->consume_message_orderly);
	take_flag(object, "notifyConsumerIdsChangedEnable", true,
		  &group->notify_consumer_ids_changed_enable);
	take_int32(object, "retryQueueNums", RETRY_QUEUES, &group->retry_queue_nums);
	take_int32(object, "retryMaxTimes", RETRY_TIMES, &group->retry_max_times);
	take_int32(object, "groupSysFlag", 0, &group->group_sys_flag);
	take_int32(object, "consumeTimeoutMinute", CONSUME_TIMEOUT_MINUTES,
		   &group->consume_timeout_minute);
	take_int64(object, "brokerId", 0, &group->broker_id);
	take_int64(object, "whichBrokerWhenConsumeSlowly", SLAVE_ID,
		   &group->which_broker_when_consume_slowly);
	drop_carried(&group->retry_policy);
	drop_carried(&group->subscription_data_set);
	err = take_carried(object, "groupRetryPolicy", &group->retry_policy);
	if (!err)
		err = take_carried(object, "attributes", &group->attributes);
	if (!err)
		err = take_carried(object, "subscriptionDataSet", &group->subscription_data_set);
	return err;
}

static int take_group(struct groups *groups, struct json_value key, struct json_value object)
{
	struct gantry_str name;
	struct group *group;

	if (!json_plain(key, &name) || !json_is(object, JSON_OBJECT))
		return -EINVAL;
	group = groups_look_locked(groups, name);
	if (!group)
		group = groups_add_locked(groups, name);
	return group ? group_read_json(group, object) : -ENOMEM;
}

int groups_take_forbidden_locked(struct groups *groups, struct json_value table)
{
	struct json_iter outer = json_iter(table);
	struct gantry_str group, topic;
	int err = 0;

	while (!err && json_next(&outer)) {
		struct json_iter inner = json_iter(outer.value);

		while (!err && json_plain(outer.key, &group) && json_next(&inner))
			if (json_plain(inner.key, &topic))
				err = groups_forbid_locked(groups, group, topic,
							   json_int64_or(inner.value, 0));
	}
	return err;
}

static int take_document(void *user, struct json_value root, char *why, size_t why_size)
{
	struct groups *groups = user;
	struct json_value table = json_get(root, "subscriptionGroupTable");
	struct json_iter it = json_iter(table);
	int err;

	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no subscriptionGroupTable");
		return -EINVAL;
	}
	pthread_rwlock_wrlock(&groups->lock);
	groups->version = data_version_read(json_get(root, "dataVersion"));
	err = groups_take_forbidden_locked(groups, json_get(root, "forbiddenTable"));
	while (!err && json_next(&it)) {
		err = take_group(groups, it.key, it.value);
		if (err == -EINVAL)
			snprintf(why, why_size, "an entry of subscriptionGroupTable is no group");
	}
	pthread_rwlock_unlock(&groups->lock);
	return err;
}

static int decode_file(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	return broker_decode(text, size, take_document, user, why, why_size);
}

static int encode_file(void *user, char **ret, size_t *ret_size)
{
	return groups_encode(user, JSON_PRETTY, NULL, ret, ret_size);
}

int groups_load(struct groups *groups)
{
	int result = broker_state_new(groups->broker, "subscriptionGroup.json", encode_file,
				      decode_file, groups, &groups->file);

	if (!result)
		result = state_read(groups->file);
	return result < 0 ? result : 0;
}

int groups_close(struct groups *groups, struct gantry_op *op)
{
	return groups->file ? state_close(groups->file, op) : 0;
}
