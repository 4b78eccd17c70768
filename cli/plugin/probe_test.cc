/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a plugin does while it is looked at, this program lives on and says what it was. */
#include <cerrno>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>

#include "plugin.h"

namespace
{

struct Probed {
	explicit Probed(const std::string &name, const char *as = nullptr)
	{
		char text[1024] = "";
		file = std::string(PROBE_PLUGINS) + "/" + name + ".so";
		failed = probe(file.c_str(), as ? as : name.c_str(), &doc, text, sizeof(text));
		why = text;
	}
	~Probed()
	{
		if (failed)
			return;
		free((char *)doc.text);
		json_free(&doc);
	}
	json_value get(const char *name) const
	{
		return json_get(json_root(&doc), name);
	}

	json_doc doc;
	std::string file, why;
	int failed;
};

bool holds(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

} // namespace

TEST(Probe, DescribesAGoodPlugin)
{
	Probed p("probe-good");
	ASSERT_EQ(p.failed, 0) << p.why;
	EXPECT_TRUE(json_equals(p.get("name"), "probe-good"));
	EXPECT_TRUE(json_equals(p.get("version"), "1.2"));
	json_value offer = json_at(p.get("offers"), 0);
	EXPECT_TRUE(json_equals(json_get(offer, "kind"), "allocation"));
	EXPECT_EQ(json_int64_or(json_get(offer, "caps"), 0), 5);
	ASSERT_EQ(json_count(p.get("needs")), 2u);
	EXPECT_TRUE(json_bool_or(json_get(json_at(p.get("needs"), 1), "optional"), false));
	ASSERT_EQ(json_count(p.get("keys")), 2u);
	json_value pause = json_at(p.get("keys"), 0), colour = json_at(p.get("keys"), 1);
	EXPECT_TRUE(json_equals(json_get(pause, "type"), "duration"));
	EXPECT_TRUE(json_equals(json_get(pause, "default"), "5s"));
	EXPECT_EQ(json_int64_or(json_get(pause, "max"), 0), 60000);
	EXPECT_TRUE(json_bool_or(json_get(pause, "reloadable"), false));
	EXPECT_EQ(json_count(json_get(colour, "choices")), 2u);
}

TEST(Probe, SurvivesACrash)
{
	Probed p("probe-crashes");
	EXPECT_EQ(p.failed, -ENOEXEC);
	EXPECT_TRUE(holds(p.why, p.file)) << p.why;
	EXPECT_TRUE(holds(p.why, "while it was looked at")) << p.why;
}

TEST(Probe, SurvivesTextThatIsNowhere)
{
	Probed p("probe-wild");
	EXPECT_EQ(p.failed, -ENOEXEC);
	EXPECT_TRUE(holds(p.why, "while it was looked at")) << p.why;
}

TEST(Probe, NoticesThatThePluginEndedTheProgram)
{
	Probed p("probe-ends");
	EXPECT_EQ(p.failed, -ENOEXEC);
	EXPECT_TRUE(holds(p.why, "ended the program")) << p.why;
}

TEST(Probe, EndsAPluginThatNeverAnswers)
{
	Probed p("probe-hangs");
	EXPECT_EQ(p.failed, -ENOEXEC);
	EXPECT_TRUE(holds(p.why, p.file)) << p.why;
}

TEST(Probe, SaysWhatTheLoaderHasAgainstIt)
{
	Probed renamed("probe-good", "other-name");
	EXPECT_EQ(renamed.failed, -ENOEXEC);
	EXPECT_TRUE(holds(renamed.why, "other-name")) << renamed.why;
	Probed missing("probe-missing");
	EXPECT_EQ(missing.failed, -ENOEXEC);
	EXPECT_TRUE(holds(missing.why, "probe-missing")) << missing.why;
}
