/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include <cstdlib>
#include <filesystem>
#include <string>

/* A temporary folder, removed with everything in it. */
class Folder
{
      public:
	Folder()
	{
		const char *base = getenv("TMPDIR");

		path_ = std::string(base ? base : "/tmp") + "/gantry-test-XXXXXX";
		if (!mkdtemp(path_.data()))
			abort();
	}
	~Folder()
	{
		std::error_code ignored;

		std::filesystem::remove_all(path_, ignored);
	}
	Folder(const Folder &) = delete;
	const std::string &path() const
	{
		return path_;
	}
	std::string operator/(const std::string &name) const
	{
		return path_ + "/" + name;
	}

      private:
	std::string path_;
};

#endif
