/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorded store's files may look like after a crash. */
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include <cstdint>
#include <string>

/* Deterministic throws. */
class Dice
{
      public:
	explicit Dice(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1)
	{
	}
	uint32_t below(uint32_t sides)
	{
		state_ = state_ * 6364136223846793005 + 1442695040888963407;
		return static_cast<uint32_t>((state_ >> 33) % sides);
	}

      private:
	uint64_t state_;
};

enum class Crash {
	KILL,  /* the process alone: the page cache stays; the last write may be half done */
	POWER, /* of what was not synced each 4 KiB stands as it was at some moment, or half as
		  it was at another, 512 bytes at a time; names come in order */
};

/* Makes to look like from did when so many events had happened. Returns how far the log whose
 * folder bears that name was durable. */
uint64_t make_disk(const std::string &from, const std::string &to, size_t events, Crash crash,
		   Dice &dice, const std::string &log);

#endif
