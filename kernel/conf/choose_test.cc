// SPDX-License-Identifier: Apache-2.0
// Pass one: unmodified RocketMQ files choose modules, and no promise is broken silently.
#include "conf/test.h"

#include <cerrno>

namespace
{

// Fragments as plugins install them.
class ConfChoose : public ConfTest
{
      protected:
	ConfChoose()
	{
		fragment("00.conf", "[defaults broker]\nstorageBackend = mmap\n"
				    "brokerRole = ASYNC_MASTER\nflushDiskType = ASYNC_FLUSH\n");
		fragment("mmap.conf", "[plugin storage-mmap]\nwhen = role=broker\n"
				      "when = storageBackend=mmap\n");
		fragment("async.conf", "[plugin replication-async]\nwhen = role=broker\n"
				       "when = brokerRole=ASYNC_MASTER\n"
				       "serves = flushDiskType=SYNC_FLUSH\n");
		fragment("role.conf", "[plugin role-broker]\nwhen = role=broker\n"
				      "[plugin role-namesrv]\nwhen = role=namesrv\n");
	}
	void sync_and_slave()
	{
		fragment("ha.conf", "[plugin replication-sync]\nwhen = brokerRole=SYNC_MASTER\n"
				    "serves = flushDiskType=SYNC_FLUSH\n"
				    "[plugin replication-slave]\nwhen = brokerRole = SLAVE\n");
	}
	void dledger()
	{
		fragment("dledger.conf",
			 "[plugin replication-dledger]\nwhen = enableDLegerCommitLog=true\n");
	}
	// the reason why a broker with that file does not start, or ""
	std::string refused(const std::string &text)
	{
		gk_conf_free(conf);
		conf = gk_conf_new();
		error = {};
		broker(text);
		EXPECT_EQ(code, 0) << why();
		choose();
		EXPECT_TRUE(code == 0 || code == -ENOTSUP) << why();
		return why();
	}
};

TEST_F(ConfChoose, AnEmptyFileGetsTheDefaults)
{
	broker("");
	EXPECT_EQ(choose(), 0) << why();
	EXPECT_EQ(all_chosen(), "replication-async storage-mmap role-broker");
	const gk_chosen *at = chosen("replication-async");
	EXPECT_STREQ(at->plugin, "replication-async");
	EXPECT_STREQ(at->kind, "broker");
	EXPECT_EQ(bare(at->file), "conf.d/async.conf");
	EXPECT_EQ(at->line, 1u);
	EXPECT_EQ(gk_conf_choose(conf, &error), -EALREADY);
	EXPECT_EQ(gk_conf_chosen(conf, 3), nullptr);
}

TEST_F(ConfChoose, ByBrokerRoleInAnyCase)
{
	sync_and_slave();
	EXPECT_EQ(refused("brokerRole=SYNC_MASTER\nflushDiskType=SYNC_FLUSH\n"), "");
	EXPECT_EQ(all_chosen(), "replication-sync storage-mmap role-broker");
	EXPECT_EQ(refused("brokerRole = slave \n"), "");
	EXPECT_EQ(all_chosen(), "replication-slave storage-mmap role-broker");
	EXPECT_EQ(refused("brokerRole: ASYNC_MASTER\n"), "");
	EXPECT_EQ(all_chosen(), "replication-async storage-mmap role-broker");
}

TEST_F(ConfChoose, DLedgerBeatsBrokerRole)
{
	sync_and_slave();
	dledger();
	EXPECT_EQ(refused("brokerRole=SLAVE\nenableDLegerCommitLog=true\n"), "");
	EXPECT_EQ(all_chosen(), "replication-dledger storage-mmap role-broker");
	EXPECT_EQ(refused("brokerRole=SLAVE\nenableDLegerCommitLog=false\n"), "");
	EXPECT_EQ(all_chosen(), "replication-slave storage-mmap role-broker");
}

TEST_F(ConfChoose, SeveralRolesChooseEachForItself)
{
	const char *first = broker("");
	const char *second = role("broker", "brokerRole=SLAVE\n", "b.properties");
	const char *third = role("namesrv", "", "n.properties");

	sync_and_slave();
	EXPECT_EQ(choose(), 0) << why();
	EXPECT_STREQ(first, "broker");
	EXPECT_STREQ(second, "broker-2");
	EXPECT_EQ(all_chosen(first), "replication-async storage-mmap role-broker");
	EXPECT_EQ(all_chosen(second), "replication-slave storage-mmap role-broker");
	EXPECT_EQ(all_chosen(third), "role-namesrv");
}

TEST_F(ConfChoose, Conditions)
{
	const struct {
		const char *when;
		bool holds;
	} rows[] = {
		{"a=1", true},           {"a=2", false},
		{"a=2|1", true},         {"a = 2 | 1", true},
		{"a!=1", false},         {"a!=2|3", true},
		{"a!=1|2", false},       {"b=", true},
		{"b=x", false},          {"b!=", false},
		{"b!=x", true},          {"word=YES", true},
		{"role=broker", true},   {"role=namesrv|broker", true},
		{"role!=broker", false}, {"a=1=1", false},
		{"eq=1=1", true},        {"a=*", false},
		{"empty=", true},
	};
	for (auto &row : rows) {
		gk_conf_free(conf);
		conf = gk_conf_new();
		broker("a=1\nword=yes\neq=1=1\nempty=\n");
		fragment("x.conf", "[plugin x]\nwhen = " + std::string(row.when) + "\n");
		EXPECT_EQ(choose(), 0) << why();
		EXPECT_EQ(chosen("x") != nullptr, row.holds) << row.when;
	}
}

TEST_F(ConfChoose, TheCommandLineAndTheEnvironmentChooseToo)
{
	fragment("x.conf",
		 "[plugin x]\nwhen = namesrvAddr=b:2\n[plugin y]\nwhen = namesrvAddr=a:1\n");
	setenv("NAMESRV_ADDR", "a:1", 1);
	const char *name = broker("");
	unsetenv("NAMESRV_ADDR");
	EXPECT_EQ(choose(), 0) << why();
	EXPECT_EQ(chosen("x"), nullptr);
	EXPECT_NE(chosen("y"), nullptr);

	gk_conf_free(conf);
	conf = gk_conf_new();
	name = broker("namesrvAddr=c:3\n");
	EXPECT_EQ(gk_conf_override(conf, name, "namesrvAddr", "b:2", "-n"), 0);
	EXPECT_EQ(gk_conf_override(conf, "nobody", "namesrvAddr", "b:2", "-n"), -EINVAL);
	EXPECT_EQ(choose(), 0) << why();
	EXPECT_NE(chosen("x"), nullptr);
	EXPECT_EQ(chosen("y"), nullptr);
}

TEST_F(ConfChoose, PromisesWithoutAModuleStopTheStart)
{
	const struct {
		const char *line, *key;
	} rows[] = {
		{"aclEnable=true", "aclEnable"},
		{"authenticationEnabled=TRUE ", "authenticationEnabled"},
		{"authorizationEnabled: true", "authorizationEnabled"},
		{"tls.server.mode=enforcing", "tls.server.mode"},
		{"tls.server.need.client.auth=require", "tls.server.need.client.auth"},
		{"useTLS=true", "useTLS"},
		{"brokerRole=SYNC_MASTER", "brokerRole"},
		{"brokerRole=SLAVE", "brokerRole"},
		{"enableDLegerCommitLog=true", "enableDLegerCommitLog"},
		{"enableControllerMode=true", "enableControllerMode"},
		{"enableSlaveActingMaster=true", "enableSlaveActingMaster"},
		{"storageBackend=io_uring", "storageBackend"},
		{"storeType=defaultRocksDB", "storeType"},
		{"timerRocksDBEnable=true", "timerRocksDBEnable"},
		{"messageStorePlugIn=org.apache.rocketmq.tieredstore.TieredMessageStore",
		 "messageStorePlugIn"},
		{"enableConsumeQueueExt=true", "enableConsumeQueueExt"},
	};
	for (auto &row : rows) {
		std::string reason = refused("x=y\n" + std::string(row.line) + "\n");

		EXPECT_EQ(reason.rfind("broker.properties:2: " + std::string(row.key) + " = \"", 0),
			  0u)
			<< row.line << ": " << reason;
		EXPECT_NE(reason.find(" promises "), std::string::npos) << reason;
		EXPECT_NE(reason.find(", which needs a"), std::string::npos) << reason;
		EXPECT_NE(reason.find(": no installed section serves it"), std::string::npos)
			<< reason;
	}
}

TEST_F(ConfChoose, WhatPromisesNothingStarts)
{
	for (const char *line :
	     {"aclEnable=false", "authenticationEnabled=false", "tls.server.mode=permissive",
	      "tls.server.mode=disabled", "enableDLegerCommitLog=false", "storeType=default",
	      "messageStorePlugIn=", "storePathCommitLog=/a,/b", "readOnlyCommitLogStorePaths=/b",
	      "brokerRole=ASYNC_MASTER", "configManagerVersion=v1", "flushDiskType=SYNC_FLUSH"})
		EXPECT_EQ(refused(line), "") << line;
}

TEST_F(ConfChoose, ADefaultPromisesToo)
{
	fragment("zz.conf", "[defaults broker]\naclEnable = true\n");
	broker("");
	EXPECT_EQ(choose(), -ENOTSUP);
	EXPECT_EQ(why(),
		  "conf.d/zz.conf:2: aclEnable = \"true\" promises access control, which needs "
		  "an auth plugin: no installed section serves it");
}

TEST_F(ConfChoose, PromisesBelongToTheirRole)
{
	role("namesrv", "aclEnable=true\nbrokerRole=SLAVE\n", "n.properties");
	EXPECT_EQ(choose(), 0) << why();
	gk_conf_free(conf);
	conf = gk_conf_new();
	role("namesrv", "enableControllerInNamesrv=true\n", "n.properties");
	EXPECT_EQ(choose(), -ENOTSUP);
	// Another role's section serves nobody here.
	gk_conf_free(conf);
	conf = gk_conf_new();
	fragment("auth.conf", "[plugin auth-acl]\nwhen = role=namesrv\nserves = aclEnable=true\n");
	role("namesrv", "", "n.properties");
	broker("aclEnable=true");
	EXPECT_EQ(choose(), -ENOTSUP);
}

TEST_F(ConfChoose, ServesKeepsAPromise)
{
	fragment("auth.conf", "[plugin auth-acl]\nwhen = role=broker\n"
			      "serves = aclEnable=true\nserves = authenticationEnabled=true\n");
	EXPECT_EQ(refused("aclEnable=true\nauthenticationEnabled=true\n"), "");
	EXPECT_NE(refused("authorizationEnabled=true\n"), "");
	fragment("tiered.conf", "[plugin storage-tiered]\nserves = messageStorePlugIn=*Tiered*\n");
	EXPECT_EQ(refused("messageStorePlugIn=a.b.TieredMessageStore\n"), "");
	EXPECT_NE(refused("messageStorePlugIn=a.b.Other\n"), "");
}

// A plugin of the right kind that was chosen by the value serves it; another kind's does not.
TEST_F(ConfChoose, WhenKeepsAPromiseOfItsKind)
{
	fragment("acl.conf", "[plugin telemetry-acl]\nwhen = aclEnable=true\n");
	EXPECT_NE(refused("aclEnable=true\n"), "");
	EXPECT_NE(chosen("telemetry-acl"), nullptr);
	fragment("acl.conf", "[plugin auth-acl]\nwhen = aclEnable=true\n");
	EXPECT_EQ(refused("aclEnable=true\n"), "");
	fragment("acl.conf", "[plugin auth-acl]\nwhen = aclEnable!=false\n");
	EXPECT_NE(refused("aclEnable=true\n"), "");
}

TEST_F(ConfChoose, TheReasonNamesWhoWouldServe)
{
	fragment("sync.conf", "[plugin replication-sync]\nwhen = brokerRole=SYNC_MASTER\n"
			      "when = haListenPort!=\n");
	EXPECT_EQ(
		refused("brokerRole=SYNC_MASTER\n"),
		"broker.properties:1: brokerRole = \"SYNC_MASTER\" promises that messages are on a "
		"slave before they are acknowledged, which needs a replication plugin for "
		"SYNC_MASTER: [plugin replication-sync] (conf.d/sync.conf:1) would serve it, but "
		"its "
		"`when = haListenPort!=` does not hold (conf.d/sync.conf:3)");
	fragment("zz.conf", "[plugin replication-sync]\nenabled = no\n");
	std::string reason = refused("brokerRole=SYNC_MASTER\nhaListenPort=1\n");
	EXPECT_NE(reason.find("would serve it, but is switched off (conf.d/zz.conf:2)"),
		  std::string::npos)
		<< reason;
}

TEST_F(ConfChoose, NoRolesNoPlugins)
{
	EXPECT_EQ(choose(), 0);
	EXPECT_EQ(gk_conf_chosen_count(conf), 0u);
	const char *name;
	EXPECT_EQ(gk_conf_add_role(conf, "", &name), -EINVAL);
}

} // namespace
