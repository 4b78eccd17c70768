// SPDX-License-Identifier: Apache-2.0
// What must not be: malformed frames, too much of everything, idle clients, wrong keys. Each costs
// its own connection or request only.
#include "../../../tests/support/kernel_fixture.h"
#include "front_fixture.h"

#include <sys/resource.h>

namespace
{

using FrontBad = FrontTest;

std::string be32(uint32_t value)
{
	return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string Framed(const std::string &header, uint32_t serialization = 0)
{
	return be32(uint32_t(4 + header.size())) +
	       be32(serialization << 24 | uint32_t(header.size())) + header;
}

TEST_F(FrontBad, MalformedFramesCostTheirConnection)
{
	const std::pair<const char *, std::string> cases[] = {
		{"length 0", be32(0) + be32(0)},
		{"length 3", be32(3) + "abc"},
		{"negative", be32(0xffffffff)},
		{"over the limit", be32(16 << 20) + be32(2) + "{}"},
		{"header longer than the frame", be32(10) + be32(100) + "abcdef"},
		{"header over its limit", be32(8 << 20) + be32(1 << 20)},
		{"unknown serialization", Framed("{}", 7)},
		{"broken JSON", Framed("{\"code\":")},
		{"no JSON", Framed("hello")},
		{"no object", Framed("[1]")},
		{"no header", Framed("")},
		{"text for a number", Framed("{\"code\":\"x\"}")},
		{"binary cut short", Framed(std::string(20, '\0'), 1)},
		{"binary lengths", Framed(std::string(13, '\0') + "\x7f\xff\xff\xff" + be32(0), 1)},
		{"nested", Framed("{\"x\":" + std::string(1000, '[') + "}")},
		{"PROXY protocol", "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"},
	};
	Start();
	Wire good = Connect();

	for (const auto &one : cases) {
		Wire bad = Connect();

		bad.Send(one.second);
		EXPECT_TRUE(bad.Ends()) << one.first;
		good.Send(Send(1));
		EXPECT_EQ(good.Read().code, 0) << one.first;
	}
	EXPECT_EQ(Counter("malformed"), std::size(cases) - 1) << "TLS is no malformed frame";
}

// What came before the malformed frame in the same turn is done and answered.
TEST_F(FrontBad, RequestsBeforeItAreAnswered)
{
	Start();
	Wire wire = Connect();

	wire.Send(Send(1).Bytes() + Call(1, 2).Bytes() + be32(0) + be32(0) + Send(3).Bytes());
	Message first = wire.Read(), second = wire.Read();
	EXPECT_EQ(first.opaque + second.opaque, 3);
	EXPECT_TRUE(wire.Ends());
	EXPECT_EQ(role.sends.size(), 1u);
}

TEST_F(FrontBad, TooManyFieldsCostTheConnection)
{
	Start();
	Wire wire = Connect();
	Message call = Call(1, 1);

	for (int i = 0; i < REMOTING_FIELDS_MAX; i++)
		call.fields["f" + std::to_string(i)] = "v";
	wire.Send(call);
	EXPECT_EQ(wire.Read().code, 0);
	call.fields["more"] = "v";
	wire.Send(call);
	EXPECT_TRUE(wire.Ends());
}

// Unknown things that are no errors: a language, fields, members.
TEST_F(FrontBad, UnknownLanguageAndMembersAreFine)
{
	Start();
	Wire wire = Connect();

	wire.Send(Framed("{\"code\":1,\"language\":\"KLINGON\",\"opaque\":4,\"x\":{\"y\":[1]}}"));
	EXPECT_EQ(wire.Read().opaque, 4);
	wire.Send(Framed("{\"code\":1,\"language\":99,\"opaque\":5}"));
	EXPECT_EQ(wire.Read().opaque, 5);
}

TEST_F(FrontBad, TooManyConnections)
{
	Start("maxConnections=2\n");
	Wire one = Connect(), two = Connect();

	one.Send(Call(1, 1));
	two.Send(Call(1, 1));
	EXPECT_EQ(one.Read().code + two.Read().code, 0);
	Wire three = Connect();
	EXPECT_TRUE(three.Ends());
	EXPECT_EQ(Counter("connections_refused"), 1u);
	one.Close();
	ASSERT_TRUE(role.Wait([&] { return role.gone == 1; }));
	Wire four = Connect();
	four.Send(Call(1, 1));
	EXPECT_EQ(four.Read().code, 0);
	EXPECT_EQ(Counter("connections"), 2u);
}

TEST_F(FrontBad, DescriptorsAreLeftForFiles)
{
	rlimit saved, few;
	std::vector<Wire> taken;

	getrlimit(RLIMIT_NOFILE, &saved);
	few = saved;
	few.rlim_cur = 200;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
	Start("");
	for (int i = 0; i < 80; i++) /* both ends are in this process */
		taken.push_back(Connect());
	EXPECT_TRUE(taken.back().Ends());
	EXPECT_GT(Counter("connections_refused"), 0u);
	taken.front().Send(Call(1, 1));
	EXPECT_EQ(taken.front().Read().code, 0);
	setrlimit(RLIMIT_NOFILE, &saved);
}

TEST_F(FrontBad, IdleConnectionsAreClosed)
{
	Start("serverChannelMaxIdleTimeSeconds=1\n");
	uint64_t begin = gantry_clock_ms(), last = begin;
	Wire idle = Connect();
	auto busy = std::make_unique<Wire>(Connect());
	auto speak = [&](int opaque) {
		busy->Send(Call(1, opaque));
		bool heard = busy->Read().opaque == opaque;
		uint64_t now = gantry_clock_ms();
		/* if all stood still for so long it was idle, too */
		ASSERT_TRUE(heard || now - last >= 900) << now - last << " ms";
		if (!heard)
			busy = std::make_unique<Wire>(Connect());
		last = now;
	};

	for (int opaque = 1; idle.Silent(50) && last - begin < 60000; opaque++)
		speak(opaque);
	EXPECT_TRUE(idle.Ends());
	EXPECT_GE(gantry_clock_ms() - begin, 900u);
	speak(1 << 20);
}

// A large frame that is announced and never comes holds no memory, and its connection ends with
// the client's.
TEST_F(FrontBad, AnnouncedAndNeverSent)
{
	Start();
	{
		Wire wire = Connect();

		wire.Send(be32((16 << 20) - 4) + be32(2) + "{}" + std::string(100000, 'x'));
	}
	EXPECT_TRUE(role.Wait([&] { return role.gone == 1; }));
}

// Connections share what may be kept of partial frames and of answers that are not read.
TEST_F(FrontBad, BuffersHaveALimit)
{
	Start("maxBufferedBytes=2m\n");
	Wire good = Connect(), deaf = Connect(4096);
	std::string part = be32((8 << 20) - 4) + be32(2) + "{}" + std::string(3 << 20, 'x');

	for (int round = 0; round < 3; round++) {
		Wire large = Connect();

		large.Send(part);
		EXPECT_TRUE(large.Ends());
		large.Close();
		good.Send(Send(1));
		EXPECT_EQ(good.Read().code, 0);
	}
	{
		std::lock_guard<std::mutex> held(role.lock);
		role.call_body.assign(6 << 20, 'c');
	}
	deaf.Send(Call(1, 1));
	ASSERT_TRUE(role.Wait([&] { return role.gone == 4; }));
	good.Send(Send(2));
	EXPECT_EQ(good.Read().code, 0);
}

TEST_F(FrontBad, ResponsesThatNobodyAskedFor)
{
	Start();
	Wire wire = Connect();
	Message response = Call(0, 1, "x");

	response.flag = REMOTING_RESPONSE;
	wire.Send(response);
	wire.Send(Call(1, 2));
	EXPECT_EQ(wire.Read().opaque, 2);
	EXPECT_EQ(role.calls.size(), 1u);
}

} // namespace
