/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's store is recorded, and then opened as it may be after a crash at any moment of that
 * life: what was acknowledged is there, nothing else is served, queues agree with the log, and
 * sending goes on. CRASH_STATES: how many states, beyond the few of a short run. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include "recorder.h"
#include "recording.h"

namespace
{

class States : public testing::Test
{
      protected:
	static void SetUpTestSuite()
	{
		if (access("/dev/shm", W_OK) == 0)
			setenv("TMPDIR", "/dev/shm", 1);
	}
	/* Kills at every step-th moment, a power cut at others. */
	void sample(Recording &recording)
	{
		const char *wanted = getenv("CRASH_STATES");
		size_t states = wanted ? strtoul(wanted, nullptr, 10) : 25;
		size_t events = recording.events();
		Dice dice(states);

		for (size_t i = 0; i < states && !HasFailure(); i++) {
			size_t event = i < events && states >= 4 * events
					       ? i
					       : dice.below(static_cast<uint32_t>(events) + 1);
			Crash crash = i % 4 == 0 ? Crash::KILL : Crash::POWER;

			SCOPED_TRACE(std::string(crash == Crash::KILL ? "a kill" : "a power cut") +
				     " before event " + std::to_string(event) + ", seed " +
				     std::to_string(i));
			recording.check(event, crash, i);
		}
	}
};

TEST_F(States, UnderSynchronousFlush)
{
	Recording recording("flushDiskType = SYNC_FLUSH\n", 1);

	for (int life = 0; life < 3; life++)
		recording.live(40);
	sample(recording);
}

TEST_F(States, UnderAsynchronousFlush)
{
	Recording recording("", 2);

	for (int life = 0; life < 3; life++)
		recording.live(40);
	sample(recording);
}

/* Entries and their units are synced apart. */
TEST_F(States, WithUnitsBesideTheQueues)
{
	Recording recording("enableConsumeQueueExt = true\nmappedFileSizeConsumeQueueExt = 250\n",
			    4);

	for (int life = 0; life < 3; life++)
		recording.live(40);
	sample(recording);
}

/* A crash in the recovery from a crash. */
TEST_F(States, InARecovery)
{
	Recording recording("flushDiskType = SYNC_FLUSH\n", 3);

	recording.live(40);
	recording.live(40);
	for (uint64_t i = 0; i < 3; i++) {
		recording.crash(recording.events() - 5 * i, Crash::POWER, i);
		recording.live(20);
		sample(recording);
	}
}

} // namespace
