/* SPDX-License-Identifier: Apache-2.0 */
/* A limit of this process, as long as it lives. */
#ifndef SUPPORT_LIMIT_H
#define SUPPORT_LIMIT_H

#include <sys/resource.h>

class Limit
{
      public:
	Limit(__rlimit_resource resource, rlim_t value) : resource_(resource)
	{
		getrlimit(resource_, &before_);
		rlimit limit = before_;
		limit.rlim_cur = value;
		setrlimit(resource_, &limit);
	}
	~Limit()
	{
		setrlimit(resource_, &before_);
	}
	Limit(const Limit &) = delete;

      private:
	__rlimit_resource resource_;
	rlimit before_;
};

#endif
