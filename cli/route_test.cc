/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as name servers write them. */
#include "route.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <string>

namespace
{

struct Route {
	explicit Route(const std::string &text, int32_t new_queues = 0)
	{
		failed = route_read({text.data(), text.size()}, new_queues, &route);
	}
	~Route()
	{
		route_free(route);
	}

	struct route *route = nullptr;
	int failed;
};

const char two_brokers[] = R"({"brokerDatas":[
	{"brokerAddrs":{"0":"1.2.3.4:10911","1":"1.2.3.5:10911"},"brokerName":"b","cluster":"c"},
	{"brokerAddrs":{2:"1.2.3.7:10911",1:"1.2.3.6:10911"},"brokerName":"a","cluster":"c"}],
	"filterServerTable":{},"queueDatas":[
	{"brokerName":"b","perm":6,"readQueueNums":3,"topicSysFlag":0,"writeQueueNums":2},
	{"brokerName":"a","perm":6,"readQueueNums":1,"topicSysFlag":0,"writeQueueNums":5}]})";

} // namespace

TEST(Route, ListsQueuesByBrokerAndId)
{
	Route r(two_brokers);
	ASSERT_EQ(r.failed, 0);
	ASSERT_EQ(r.route->broker_count, 2u);
	EXPECT_STREQ(r.route->brokers[0].name, "a");
	EXPECT_STREQ(r.route->brokers[1].master, "1.2.3.4:10911");
	ASSERT_EQ(r.route->read_count, 4u);
	EXPECT_EQ(r.route->reads[0].broker, 0u);
	EXPECT_EQ(r.route->reads[3].broker, 1u);
	EXPECT_EQ(r.route->reads[3].queue, 2);
}

TEST(Route, WritesOnlyToMastersAndReadsFromTheNextSlave)
{
	Route r(two_brokers);
	ASSERT_EQ(r.failed, 0);
	EXPECT_EQ(r.route->brokers[0].master, nullptr);
	EXPECT_STREQ(r.route->brokers[0].reader, "1.2.3.6:10911");
	ASSERT_EQ(r.route->write_count, 2u);
	EXPECT_EQ(r.route->writes[0].broker, 1u);
}

TEST(Route, HonoursPermissions)
{
	Route r(R"({"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"b"}],
		"queueDatas":[{"brokerName":"b","perm":4,"readQueueNums":2,"writeQueueNums":2}]})");
	ASSERT_EQ(r.failed, 0);
	EXPECT_EQ(r.route->write_count, 0u);
	EXPECT_EQ(r.route->read_count, 2u);
}

TEST(Route, GivesANewTopicAsManyQueuesAsAClientAsksFor)
{
	Route r(R"({"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"b"}],
		"queueDatas":[{"brokerName":"b","perm":7,"readQueueNums":8,"writeQueueNums":8}]})",
		ROUTE_NEW_QUEUES);
	ASSERT_EQ(r.failed, 0);
	EXPECT_TRUE(r.route->created_by_send);
	EXPECT_EQ(r.route->write_count, (uint32_t)ROUTE_NEW_QUEUES);
}

TEST(Route, IgnoresABrokerWithoutAddressAndAbsurdNumbers)
{
	Route r(R"({"brokerDatas":[{"brokerAddrs":{},"brokerName":"x"},
		{"brokerAddrs":{"0":"h:1"},"brokerName":"b"}],
		"queueDatas":[{"brokerName":"x","perm":6,"readQueueNums":4,"writeQueueNums":4},
		{"brokerName":"b","perm":6,"readQueueNums":2000000000,"writeQueueNums":-1}]})");
	ASSERT_EQ(r.failed, 0);
	EXPECT_EQ(r.route->broker_count, 1u);
	EXPECT_EQ(r.route->read_count, 0u);
	EXPECT_EQ(r.route->write_count, 0u);
}

TEST(Route, RefusesWhatIsNone)
{
	EXPECT_EQ(Route("").failed, -EINVAL);
	EXPECT_EQ(Route("[]").failed, -EINVAL);
	EXPECT_EQ(Route("{}").failed, -EINVAL);
	EXPECT_EQ(Route("{\"queueDatas\":").failed, -EINVAL);
}
