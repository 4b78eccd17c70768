/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: whole numbers, sizes and durations. */
#include "conf/private.h"

#include <errno.h>
#include <stdlib.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* the largest first; name NULL ends */
static const struct unit sizes[] = {
	{"g", INT64_C(1) << 30}, {"m", INT64_C(1) << 20}, {"k", INT64_C(1) << 10}, {NULL, 1}};
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
					{"s", 1000},     {"ms", 1},      {NULL, 1}};
static const struct unit none[] = {{NULL, 1}};

static const struct unit *units_of(uint16_t type)
{
	if (type == GANTRY_CONF_SIZE)
		return sizes;
	return type == GANTRY_CONF_DURATION ? durations : none;
}

void gk_number_range(const struct gantry_conf_item *item, int64_t *ret_min, int64_t *ret_max)
{
	int own = item->min == 0 && item->max == 0;

	*ret_min = own && item->type == GANTRY_CONF_INT ? INT64_MIN : item->min;
	*ret_max = own ? INT64_MAX : item->max;
}

const char *gk_number_parse(const struct gantry_conf_item *item, const char *text, int64_t *ret)
{
	const struct unit *unit = units_of(item->type);
	const char *digits = *text == '+' || *text == '-' ? text + 1 : text;
	int64_t min, max, number;
	int overflow;
	char *end;

	if (!*text)
		return "is empty";
	if (!g_ascii_isdigit(*digits))
		return "is not a number";
	errno = 0;
	number = strtoll(text, &end, 10);
	overflow = errno == ERANGE;
	if (*end) {
		while (unit->name && g_ascii_strcasecmp(unit->name, end) != 0)
			unit++;
		if (!unit->name)
			return "is not a number";
		overflow |= __builtin_mul_overflow(number, unit->factor, &number);
	}
	gk_number_range(item, &min, &max);
	if (overflow || number < min || number > max)
		return "is out of range";
	*ret = number;
	return NULL;
}

void gk_number_print(uint16_t type, int64_t number, GString *to)
{
	const struct unit *unit = units_of(type);

	while (unit->name && (number == 0 || number % unit->factor != 0))
		unit++;
	g_string_append_printf(to, "%" G_GINT64_FORMAT "%s", number / unit->factor,
			       unit->name ? unit->name : "");
}
