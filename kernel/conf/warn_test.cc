// SPDX-License-Identifier: Apache-2.0
// Warnings: the three messages about keys that do nothing, duplicates, and what Java reads
// otherwise.
#include "conf/known.h"
#include "conf/test.h"

namespace
{

using Lines = std::vector<std::string>;

struct Snapshot {
	int64_t port, reserved;
	bool yes;
	const char *root;
};

gantry_conf_item row(unsigned type, const char *key, size_t offset)
{
	gantry_conf_item item = {};

	item.key = key;
	item.type = static_cast<uint16_t>(type);
	item.offset = static_cast<uint32_t>(offset);
	return item;
}

const gantry_conf_item items[] = {
	row(GANTRY_CONF_INT, "listenPort", offsetof(Snapshot, port)),
	row(GANTRY_CONF_INT, "fileReservedTime", offsetof(Snapshot, reserved)),
	row(GANTRY_CONF_BOOL, "autoCreateTopicEnable", offsetof(Snapshot, yes)),
	row(GANTRY_CONF_STRING, "storePathRootDir", offsetof(Snapshot, root)),
	{},
};

class ConfWarn : public ConfTest
{
      protected:
	Lines of(const std::string &properties, const std::string &fragments = "",
		 const std::string &section = "", const char *kind = "broker")
	{
		Snapshot at;

		role(kind, properties, "f");
		EXPECT_EQ(code, 0) << why();
		fragment("a.conf", "[plugin role-x]\n" + section + "\n" + fragments);
		EXPECT_EQ(choose(), 0) << why();
		EXPECT_EQ(
			gk_conf_fill(conf, chosen("role-x", kind), items, &at, sizeof(at), &error),
			0)
			<< why();
		return warnings();
	}
};

TEST_F(ConfWarn, KeysInUseAreFine)
{
	EXPECT_EQ(of("listenPort=1\nbrokerRole=ASYNC_MASTER\naclEnable=false\nown=1\n",
		     "[plugin y]\nwhen = own=2\n[defaults broker]\nlistenPort=2\n"),
		  Lines{});
}

TEST_F(ConfWarn, ThreeMessages)
{
	EXPECT_EQ(of("sendMessageThreadPoolNums=128\nclientManageThreadPoolNums=1\n"
		     "mapedFileSizeCommitLog=1\nfilterServerNums=1\nrokerClusterName=a\nxyzzy=1\n"),
		  (Lines{
			  "f:1: sendMessageThreadPoolNums: known to RocketMQ, no effect here",
			  "f:2: clientManageThreadPoolNums: known to RocketMQ (its default is "
			  "\"32\"), "
			  "no effect here",
			  "f:3: mapedFileSizeCommitLog: ignored by RocketMQ 5.5.0 as well, which "
			  "uses "
			  "mappedFileSizeCommitLog = 1073741824",
			  "f:4: filterServerNums: ignored by RocketMQ 5.5.0 as well",
			  "f:5: rokerClusterName: unknown, did you mean brokerClusterName?",
			  "f:6: xyzzy: unknown",
		  }));
}

TEST_F(ConfWarn, IgnoredKeysSayWhatIsUsed)
{
	EXPECT_EQ(
		of("storePathRootDir=/data\nstorePathIndex=/x\nstorePathConsumeQueue=/x\n"
		   "storeCheckpoint=/x\nabortFile=/x\nmappedFileSizeConsumeQueue=600\n"
		   "mapedFileSizeConsumeQueue=300000\nisInBrokerContainer=true\n"
		   "haSlaveFallbehindMax=1024\n"),
		(Lines{
			"f:2: storePathIndex: ignored by RocketMQ 5.5.0 as well, which uses "
			"/data/index",
			"f:3: storePathConsumeQueue: ignored by RocketMQ 5.5.0 as well, which uses "
			"/data/consumequeue",
			"f:4: storeCheckpoint: ignored by RocketMQ 5.5.0 as well, which uses "
			"/data/checkpoint",
			"f:5: abortFile: ignored by RocketMQ 5.5.0 as well, which uses /data/abort",
			"f:6: mappedFileSizeConsumeQueue: known to RocketMQ (its default is "
			"\"6000000\"), no effect here",
			"f:7: mapedFileSizeConsumeQueue: ignored by RocketMQ 5.5.0 as well, which "
			"uses "
			"mappedFileSizeConsumeQueue = 600",
			"f:8: isInBrokerContainer: ignored by RocketMQ 5.5.0 as well, which uses "
			"inBrokerContainer = false",
			"f:9: haSlaveFallbehindMax: ignored by RocketMQ 5.5.0 as well, which uses "
			"haMaxGapNotInSync = 268435456",
		}));
}

TEST_F(ConfWarn, WithoutARootTheDefaultIsNamed)
{
	EXPECT_EQ(of("abortFile=/x\n"),
		  Lines{"f:1: abortFile: ignored by RocketMQ 5.5.0 as well, which uses "
			"${user.home}/store/abort"});
}

TEST_F(ConfWarn, AnotherRolesKeys)
{
	EXPECT_EQ(of("brokerRole=SLAVE\nlistenPort=1\n", "", "", "namesrv"),
		  Lines{"f:1: brokerRole: a key of RocketMQ's broker, no effect in a namesrv"});
}

TEST_F(ConfWarn, DuplicatesNameBothLines)
{
	EXPECT_EQ(of("listenPort=1\nlistenPort=2\nstorePathRootDir=/a\nlistenPort=2\n"),
		  Lines{"f:4: listenPort: given again; this value is used, not the one of f:2"});
}

TEST_F(ConfWarn, BlanksThatJavaStumblesOver)
{
	EXPECT_EQ(of("listenPort=1 \nautoCreateTopicEnable=true\t\nstorePathRootDir=/a  \n"),
		  (Lines{
			  "f:1: listenPort: blanks after the value, taken off here; RocketMQ 5.5.0 "
			  "would "
			  "use its default",
			  "f:2: autoCreateTopicEnable: blanks after the value, taken off here; "
			  "RocketMQ "
			  "5.5.0 would use false",
		  }));
}

TEST_F(ConfWarn, RawBytesThatJavaReadsOtherwise)
{
	EXPECT_EQ(
		of("# \xe4\xb8\xad\nstorePathRootDir=/\xe4\xb8\xad\n"),
		Lines{"f:2: storePathRootDir: read as UTF-8 here, as ISO-8859-1 by RocketMQ 5.5.0; "
		      "\\uXXXX escapes mean the same to both"});
	gk_conf_free(conf);
	conf = gk_conf_new();
	EXPECT_EQ(of("storePathRootDir=/caf\xe9\n"), Lines{}); // ISO-8859-1 for both
}

TEST_F(ConfWarn, CommentsBehindAValue)
{
	EXPECT_EQ(
		of("storePathRootDir=/a # main\nbrokerName=a#b\n"),
		(Lines{"f:1: storePathRootDir: # and what follows belongs to the value; a comment "
		       "stands on a line of its own",
		       "f:2: brokerName: known to RocketMQ, no effect here"}));
}

TEST_F(ConfWarn, NotesOfReading)
{
	EXPECT_EQ(of("\xef\xbb\xbf"
		     "listenPort=1\n= x\n"),
		  (Lines{"f: begins with a byte-order mark, skipped here; RocketMQ 5.5.0 takes it "
			 "for "
			 "a part of the first key",
			 "f:2: a value without a key, ignored"}));
}

TEST_F(ConfWarn, ValuesOutOfUse)
{
	EXPECT_EQ(of("brokerRole=SLAVE\nenableDLegerCommitLog=true\n",
		     "[defaults broker]\nbrokerRole = ASYNC_MASTER\n",
		     "serves = enableDLegerCommitLog=true\n"),
		  Lines{"f:1: brokerRole: out of use while enableDLegerCommitLog = true"});
}

TEST_F(ConfWarn, KeysOfSections)
{
	EXPECT_EQ(
		of("", "[defaults broker]\nlistenPrt=1\n", "wehn = role=broker\nlistenPorts = 1\n"),
		(Lines{"conf.d/a.conf:2: wehn: unknown, did you mean when?",
		       "conf.d/a.conf:3: listenPorts: unknown, did you mean listenPort?",
		       "conf.d/a.conf:6: listenPrt: unknown, did you mean listenPort?"}));
}

TEST_F(ConfWarn, KeysOfTheKernel)
{
	Snapshot at;

	fragment("a.conf", "[kernel]\nlistenPort=1\nlogLevl=x\n");
	ASSERT_EQ(choose(), 0);
	EXPECT_EQ(warnings(), Lines{}); // its table is not known yet
	ASSERT_EQ(gk_conf_fill(conf, nullptr, items, &at, sizeof(at), &error), 0);
	EXPECT_EQ(warnings(), Lines{"conf.d/a.conf:3: logLevl: unknown"});
}

TEST_F(ConfWarn, ASectionIsWarnedOfOnce)
{
	Snapshot at;

	role("broker", "", "f");
	role("broker", "", "g");
	fragment("a.conf", "[plugin role-x]\nlistenPrt=1\n");
	ASSERT_EQ(choose(), 0);
	for (const char *name : {"broker", "broker-2"})
		ASSERT_EQ(
			gk_conf_fill(conf, chosen("role-x", name), items, &at, sizeof(at), &error),
			0);
	EXPECT_EQ(warnings().size(), 1u);
}

TEST(ConfHint, NearestKeys)
{
	const struct {
		const char *wanted, *best;
	} rows[] = {
		{"brokerIp1", "brokerIP1"},
		{"brokerClustername", "brokerClusterName"},
		{"rokerClusterName", "brokerClusterName"},
		{"fileReservedTimes", "fileReservedTime"},
		{"flushDsikType", "flushDiskType"},
		{"enableAcl", "aclEnable"},
		{"namesrvAddress", "namesrvAddr"},
		{"storePathRoot", "storePathRootDir"},
		{"brokerNam", "brokerName"},
		{"listen_port", "listenPort"},
		{"", nullptr},
		{"zzzzzzzzzz", nullptr},
		{"x", nullptr},
	};

	for (auto &row : rows) {
		gk_hint hint = gk_hint_for(row.wanted);

		for (const gk_known_list *list = gk_known_lists; list->kind; list++)
			for (const gk_known *known = list->keys; known->key; known++)
				gk_hint_offer(&hint, known->key);
		EXPECT_STREQ(hint.best, row.best) << row.wanted;
	}
	std::string endless(1000, 'x'), longer(1001, 'x');
	gk_hint hint = gk_hint_for(endless.c_str());
	gk_hint_offer(&hint, longer.c_str());
	EXPECT_EQ(hint.best, nullptr);
}

TEST(ConfKnown, ListsAreSound)
{
	unsigned broker = 0, namesrv = 0;

	for (const gk_known_list *list = gk_known_lists; list->kind; list++) {
		for (const gk_known *known = list->keys; known->key; known++) {
			(strcmp(list->kind, "broker") == 0 ? broker : namesrv)++;
			EXPECT_EQ(gk_gone_find(known->key), nullptr) << known->key;
			EXPECT_TRUE(known == list->keys || strcmp(known[-1].key, known->key) < 0)
				<< known->key;
		}
	}
	EXPECT_EQ(broker, 1u + 242 + 18 + 20 + 215 + 26 + 35 + 19);
	EXPECT_EQ(namesrv, 1u + 22 + 18 + 20 + 34 + 19);
	for (const gk_gone *gone = gk_gone_keys; gone->key; gone++)
		EXPECT_TRUE(!gone->uses || gk_known_find("broker", gone->uses) ||
			    gk_known_find("namesrv", gone->uses))
			<< gone->key;
}

TEST(ConfKnown, StartUpDefaultsComeFirst)
{
	EXPECT_STREQ(gk_known_find("broker", "listenPort")->dflt, "10911");
	EXPECT_STREQ(gk_known_find("namesrv", "listenPort")->dflt, "9876");
	EXPECT_EQ(gk_known_find("namesrv", "brokerRole"), nullptr);
	EXPECT_STREQ(gk_known_elsewhere("namesrv", "brokerRole"), "broker");
	EXPECT_EQ(gk_known_elsewhere("broker", "nothing"), nullptr);
	EXPECT_EQ(gk_known_find("proxy", "listenPort"), nullptr);
}

} // namespace
