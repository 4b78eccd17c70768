// SPDX-License-Identifier: Apache-2.0
// Any text as topics.json, subscriptionGroup.json or consumerOffset.json (the first byte says
// which), read as a start does. What is taken is written, read again and written the same.
#include "broker_fixture.h"
#include "topics/private.h"

namespace
{

const char *const names[] = {"topics.json", "subscriptionGroup.json", "consumerOffset.json"};

class Files : public control::Broker
{
      public:
	void TestBody() override
	{
	}
	/* Reads the text as that file; what it holds then, "" if it is refused. */
	std::string Read(unsigned which, const std::string &text)
	{
		WriteConfig(names[which], text);
		broker_free(broker_);
		broker_ = nullptr;
		Open();
		if (Load(which) != 0)
			return "";
		char *out;
		size_t size;
		if (Encode(which, &out, &size) != 0)
			abort();
		std::string whole(out, size);
		free(out);
		return whole;
	}

      private:
	int Load(unsigned which)
	{
		if (which == 0)
			return topics_load(broker_->topics);
		return which == 1 ? groups_load(broker_->groups) : offsets_load(broker_->offsets);
	}
	int Encode(unsigned which, char **ret, size_t *ret_size)
	{
		if (which == 0)
			return topics_encode(broker_->topics, JSON_PRETTY, nullptr, ret, ret_size);
		if (which == 1)
			return groups_encode(broker_->groups, JSON_PRETTY, nullptr, ret, ret_size);
		return offsets_encode(broker_->offsets, JSON_PRETTY, ret, ret_size);
	}
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Files files;

	if (!size)
		return 0;
	unsigned which = data[0] % 3;
	std::string once =
		files.Read(which, std::string(reinterpret_cast<const char *>(data) + 1, size - 1));
	if (once.empty())
		return 0;
	std::string twice = files.Read(which, once);
	if (twice != once) {
		printf("written as\n%s\nand read again\n%s\n", once.c_str(), twice.c_str());
		fflush(stdout);
		abort();
	}
	return 0;
}
