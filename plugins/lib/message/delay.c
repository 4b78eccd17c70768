/* SPDX-License-Identifier: Apache-2.0 */
/* The table of delay levels. */
#include "message/delay.h"

#include <errno.h>

static int64_t unit_ms(char unit)
{
	switch (unit) {
	case 's':
		return 1000;
	case 'm':
		return 60 * 1000;
	case 'h':
		return 60 * 60 * 1000;
	case 'd':
		return 24 * 60 * 60 * 1000;
	default:
		return 0;
	}
}

/* One level, "30s"; *text is moved behind it. -1: it is not one. */
static int64_t level_ms(const char **text)
{
	const int64_t number_max = 1000000;
	const char *at = *text;
	int64_t number = 0, unit;

	if (*at < '0' || *at > '9')
		return -1;
	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (*at - '0');
		if (number > number_max)
			return -1;
	}
	unit = unit_ms(*at);
	if (!unit)
		return -1;
	*text = at + 1;
	return number * unit;
}

int message_delays_read(const char *text, struct message_delays *ret)
{
	struct message_delays delays = {0};

	for (;;) {
		int64_t ms;

		while (*text == ' ')
			text++;
		if (!*text)
			break;
		ms = level_ms(&text);
		if (ms < 0 || (*text && *text != ' ') || delays.count == MESSAGE_DELAY_LEVELS_MAX)
			return -EINVAL;
		delays.ms[delays.count++] = ms;
	}
	*ret = delays;
	return 0;
}

int64_t message_deliver_ms(const struct message_delays *delays, int32_t level, int64_t store_ms)
{
	if (level > (int32_t)delays->count)
		level = (int32_t)delays->count;
	return store_ms + (level > 0 ? delays->ms[level - 1] : 1000);
}
