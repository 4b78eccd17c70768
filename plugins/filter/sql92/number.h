/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as Java reads and prints them. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include <gantry/base.h>

/* Integer.valueOf() and Long.valueOf(), by their bounds; false: NumberFormatException. */
bool java_integer(struct gantry_str text, int64_t least, int64_t most, int64_t *ret);

/* Double.valueOf(); false: NumberFormatException. */
bool java_double(struct gantry_str text, double *ret);

enum { JAVA_DOUBLE_TEXT = 64 };

/* Double.toString() of what is neither NaN nor infinite, as JDK 19 and newer have it: older ones
 * print a digit too many of some. */
void java_double_text(double number, char to[JAVA_DOUBLE_TEXT]);

/* Double.compareTo(): NaN is the greatest, -0.0 less than 0.0. */
int java_double_compare(double left, double right);

#endif
