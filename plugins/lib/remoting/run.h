/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of characters that JSON strings hold as they are, a vector or a word at a time; private
 * to this library. */
#ifndef REMOTING_RUN_H
#define REMOTING_RUN_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ALWAYS static inline __attribute__((always_inline))

/* The place among RUN_STEP bytes of the first that ends a run: a quote, a backslash, a control
 * character; RUN_STEP if there is none. */
#ifdef __SSE2__
enum { RUN_STEP = 16 };

ALWAYS unsigned run_stop(const char *at)
{
	const __m128i bytes = _mm_loadu_si128((const __m128i *)at);
	const __m128i control = _mm_set1_epi8(0x1f);
	const __m128i stops = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
							_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
					   _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));

	return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(stops) | 1u << RUN_STEP);
}
#else
enum { RUN_STEP = 8 };

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

ALWAYS unsigned run_stop(const char *at)
{
	uint64_t word, quote, backslash, stops;

	memcpy(&word, at, sizeof(word));
	word = le64toh(word);
	quote = word ^ EACH_BYTE('"');
	backslash = word ^ EACH_BYTE('\\');
	/* The lowest bit that is set is right; borrows may have set others above it. */
	stops = ((quote - EACH_BYTE(1)) & ~quote) | ((backslash - EACH_BYTE(1)) & ~backslash) |
		((word - EACH_BYTE(0x20)) & ~word);
	stops &= EACH_BYTE(0x80);
	return stops ? (unsigned)__builtin_ctzll(stops) >> 3 : RUN_STEP;
}
#endif

ALWAYS bool run_stops_at(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

/* The first stop at or after at, or the end. */
ALWAYS const char *run_end(const char *at, const char *end)
{
	while (end - at >= RUN_STEP) {
		unsigned plain = run_stop(at);

		at += plain;
		if (plain < RUN_STEP)
			return at;
	}
	while (at < end && !run_stops_at(*at))
		at++;
	return at;
}

/* Copies the run at *at, which moves to its stop or to the end; returns where the copy ends. Up to
 * RUN_STEP bytes after it may be written too. */
ALWAYS char *run_copy(char *to, const char **at, const char *end)
{
	const char *from = *at;

	while (end - from >= RUN_STEP) {
		unsigned plain = run_stop(from);

		memcpy(to, from, RUN_STEP);
		to += plain;
		from += plain;
		if (plain < RUN_STEP) {
			*at = from;
			return to;
		}
	}
	while (from < end && !run_stops_at(*from))
		*to++ = *from++;
	*at = from;
	return to;
}

#endif
