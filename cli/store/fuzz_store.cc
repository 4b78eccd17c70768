// SPDX-License-Identifier: Apache-2.0
// Any bytes as the files of a store, looked at by all of `gantry store verify`. An input is a row
// of files: one byte says which, two how long, then its bytes; a file that comes again is appended
// to.
#include "survey.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace
{

const char *const names[] = {
	"commitlog/00000000000000000000",
	"commitlog/00000000000000004096",
	"consumequeue/T/0/00000000000000000000",
	"consumequeue/T/1/00000000000000000000",
	"batchconsumequeue/B/0/00000000000000000000",
	"consumequeue_ext/T/0/00000000000000000000",
	"index/20231114221320000",
	"index/20231114221320001",
	"checkpoint",
	"abort",
	"lock",
	"config/topics.json",
	"config/subscriptionGroup.json",
	"config/consumerOffset.json",
	"config/delayOffset.json",
};

/* In memory, if the machine has such a place; gone with the process. */
class Root
{
      public:
	Root() : path_(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm")
	{
		path_ += "/gantry-fuzz-XXXXXX";
		if (!mkdtemp(path_.data()))
			abort();
		for (const char *name : names)
			std::filesystem::create_directories(
				std::filesystem::path(path(name)).parent_path());
	}
	~Root()
	{
		std::filesystem::remove_all(path_);
	}
	Root(const Root &) = delete;
	std::string path(const std::string &name) const
	{
		return path_ + "/" + name;
	}
	const std::string &get() const
	{
		return path_;
	}

      private:
	std::string path_;
};

void append(const std::string &path, const uint8_t *data, size_t size)
{
	int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

void look_at(const std::string &root)
{
	char *words[] = {const_cast<char *>("verify"), const_cast<char *>(root.c_str()), nullptr};
	struct store_places places;
	struct survey survey = {};
	struct survey_options options = {};

	if (store_places_find(&places, 2, words, nullptr))
		abort();
	survey_run(&survey, &places, &options);
	survey_free(&survey);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Root root;

	for (const char *name : names)
		unlink(root.path(name).c_str());
	while (size >= 3) {
		size_t which = data[0] % (sizeof(names) / sizeof(names[0]));
		size_t length = (size_t)data[1] << 8 | data[2];

		length = length < size - 3 ? length : size - 3;
		append(root.path(names[which]), data + 3, length);
		data += 3 + length;
		size -= 3 + length;
	}
	look_at(root.get());
	return 0;
}
