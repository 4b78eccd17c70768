/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the JSON of a group has the types of RocketMQ's SubscriptionGroupConfig, as fastjson2
 * sees it: null and an empty text are as good as nothing. */
#include <stdio.h>

#include "call/fields.h"
#include "groups/private.h"
#include "json/json.h"

static const char *const flags[] = {
	"consumeEnable",         "consumeFromMinEnable",           "consumeBroadcastEnable",
	"consumeMessageOrderly", "notifyConsumerIdsChangedEnable",
};

static const char *const numbers[] = {
	"retryQueueNums",       "retryMaxTimes", "groupSysFlag",
	"consumeTimeoutMinute", "brokerId",      "whichBrokerWhenConsumeSlowly",
};

static bool is_nothing(struct json_value value)
{
	struct gantry_str text;

	return !value.doc || json_is(value, JSON_NULL) || (json_raw(value, &text) && !text.size);
}

static bool is_number(struct json_value value)
{
	int64_t number;

	return is_nothing(value) || json_int64(value, &number) == 0;
}

static bool is_flag(struct json_value value)
{
	bool flag;

	return is_number(value) || json_bool(value, &flag) == 0;
}

bool group_json_fits(struct json_value object, char *why, size_t why_size)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (is_flag(json_get(object, flags[i])))
			continue;
		snprintf(why, why_size, "JSONException: %s is not true or false", flags[i]);
		return false;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (is_number(json_get(object, numbers[i])))
			continue;
		snprintf(why, why_size, "JSONException: %s is not a number", numbers[i]);
		return false;
	}
	return true;
}
