/* SPDX-License-Identifier: Apache-2.0 */
/* GET_BROKER_CONFIG and UPDATE_BROKER_CONFIG. What may be changed is what the key tables mark so;
 * it goes into the property file and is in force at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/loop.h>

#include "call.h"
#include "call/lines.h"

enum { BODY_MAX = 64 * 1024, CHANGES_MAX = 256 };

static int get_broker_config(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct call_lines lines = {0};
	char version[128];
	int size = snprintf(
		version, sizeof(version),
		"{\"counter\":%" PRIu64 ",\"stateVersion\":0,\"timestamp\":%" PRId64 "}",
		__atomic_load_n(&broker->conf_changes, __ATOMIC_RELAXED), broker->started_ms);

	(void)op;
	gantry_conf_each(broker->inst, call_lines_add, &lines);
	call_reply_text(call, "version", (struct gantry_str){version, (size_t)size});
	return call_reply_lines(call, &lines);
}

/* ---- the body of a change: lines as java.util.Properties reads them */

struct change {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_task task;
	struct gantry_conf_line list[CHANGES_MAX];
	uint32_t count;
	char text[];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

static char *skip_blanks(char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* Resolves \x and takes blanks off the end, in place. */
static void unescape(char *at)
{
	char *to = at, *end = at;

	while (*at) {
		bool escaped = *at == '\\' && at[1];

		at += escaped;
		*to++ = escaped && *at == 't' ? '\t' : *at;
		if (escaped || !is_blank(*at))
			end = to;
		at++;
	}
	*end = '\0';
}

/* One line, which ends with a NUL. -E2BIG: too many. */
static int add_line(struct change *change, char *line)
{
	char *key = skip_blanks(line), *end = key, *value;

	if (!*key || *key == '#' || *key == '!')
		return 0;
	while (*end && *end != '=' && *end != ':' && !is_blank(*end))
		end += *end == '\\' && end[1] ? 2 : 1;
	value = skip_blanks(end);
	if (*value == '=' || *value == ':')
		value = skip_blanks(value + 1);
	if (change->count == CHANGES_MAX)
		return -E2BIG;
	*end = '\0';
	unescape(key);
	unescape(value);
	change->list[change->count++] = (struct gantry_conf_line){key, value};
	return 0;
}

static int read_lines(struct change *change)
{
	int err = 0;

	for (char *line = change->text, *next; line && !err; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		err = add_line(change, line);
	}
	return err;
}

/* RocketMQ's own list, and the user's. */
static bool is_black(const struct broker *broker, const char *key)
{
	const char *list = gantry_conf_text(broker->inst, "configBlackList");
	size_t size = strlen(key);

	if (strcmp(key, "brokerConfigPath") == 0 || strcmp(key, "rocketmqHome") == 0 ||
	    strcmp(key, "configBlackList") == 0)
		return true;
	for (const char *at = list; at && *at; at += strcspn(at, ";"), at += *at == ';')
		if (strcspn(at, ";") == size && memcmp(at, key, size) == 0)
			return true;
	return false;
}

/* ---- applying it, on the control thread */

static int32_t code_of(int err)
{
	switch (err) {
	case -EPERM:
		return GANTRY_NO_PERMISSION;
	case -EINVAL:
	case -ENOENT:
		return GANTRY_INVALID_PARAMETER;
	}
	return GANTRY_SYSTEM_ERROR;
}

static void apply(struct gantry_task *task)
{
	struct change *change = task->user;
	struct broker *broker = change->broker;
	struct gantry_op *outer = change->outer;
	char why[GANTRY_REMARK_MAX] = "";
	int err = gantry_conf_change(broker->inst, change->list, change->count, why, sizeof(why));

	if (err) {
		call_fail(change->call, code_of(err), "%s", why);
	} else {
		__atomic_add_fetch(&broker->conf_changes, 1, __ATOMIC_RELAXED);
		for (uint32_t i = 0; i < change->count; i++)
			gantry_log(broker->inst, NOTICE,
				   "%s was changed over the network to %.200s", change->list[i].key,
				   change->list[i].value);
		call_ok(change->call);
	}
	free(change);
	gantry_op_finish(outer, 0, 0);
}

static int refuse(struct change *change, struct gantry_call *call, int32_t code, const char *why)
{
	free(change);
	return call_fail(call, code, "%s", why);
}

static int update_broker_config(struct broker *broker, struct gantry_call *call,
				struct gantry_op *op)
{
	struct change *change;

	if (!call->body.size)
		return call_ok(call);
	if (call->body.size > BODY_MAX || memchr(call->body.at, '\0', call->body.size))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "string2Properties error");
	change = malloc(sizeof(*change) + call->body.size + 1);
	if (!change)
		return call_no_memory(call);
	*change = (struct change){.broker = broker, .call = call, .outer = op};
	memcpy(change->text, call->body.at, call->body.size);
	change->text[call->body.size] = '\0';
	if (read_lines(change))
		return refuse(change, call, GANTRY_SYSTEM_ERROR, "too many keys at once");
	for (uint32_t i = 0; i < change->count; i++)
		if (is_black(broker, change->list[i].key))
			return refuse(change, call, GANTRY_NO_PERMISSION,
				      "Can not update config in black list.");
	if (!change->count) {
		free(change);
		return call_ok(call);
	}
	change->task = (struct gantry_task){.run = apply, .user = change};
	gantry_op_take(op, NULL, NULL);
	gantry_loop_post(gantry_loop_control(broker->inst), &change->task);
	return GANTRY_PENDING;
}

const struct call_row config_calls[] = {
	{25, "UPDATE_BROKER_CONFIG", update_broker_config},
	{26, "GET_BROKER_CONFIG", get_broker_config},
	{0, NULL, NULL},
};
