// SPDX-License-Identifier: Apache-2.0
// The outgoing client on a real kernel loop, against sockets that the test's own threads hold.
#include "client.h"
#include "test_wire.h"

#include "../../../tests/support/kernel_fixture.h"
#include "../../../tests/support/ports.h"

#include <atomic>
#include <cerrno>
#include <thread>

namespace
{

const struct gantry_plugin *entry()
{
	static const struct gantry_plugin plugin = {GANTRY_MAGIC,
						    sizeof(struct gantry_plugin),
						    GANTRY_ABI_MAJOR,
						    GANTRY_ABI_MINOR,
						    GANTRY_LAYOUT,
						    "role-probe",
						    "0",
						    "Apache-2.0",
						    "calls",
						    nullptr,
						    nullptr,
						    nullptr,
						    nullptr,
						    nullptr};

	return &plugin;
}

class ClientTest : public testing::Test
{
      protected:
	ClientTest() : kernel_({{"role-probe", entry}}, "")
	{
		spec_.size = sizeof(spec_);
		spec_.inst = static_cast<struct gantry_inst *>(kernel_.get()->insts->pdata[0]);
		spec_.loop = gantry_loop_control(spec_.inst);
	}
	~ClientTest() override
	{
		Close();
	}
	void Close()
	{
		if (client_) {
			int code = kernel_.Do(
				[&](gantry_op *op) { return remoting_client_close(client_, op); });

			EXPECT_EQ(code, 0);
		}
		client_ = nullptr;
	}
	remoting_client *client()
	{
		if (!client_) {
			EXPECT_EQ(remoting_client_new(&spec_, &client_), 0);
		}
		return client_;
	}
	// One call to its end.
	int Call(const std::string &address, remoting_request *request, uint64_t wait_ms = 60000)
	{
		return kernel_.Do([&](gantry_op *op) {
			op->deadline_ms = gantry_clock_ms() + wait_ms;
			return remoting_client_call(client(), address.c_str(), request, op);
		});
	}

	int CallAfterThePause(const std::string &address, remoting_request *request)
	{
		uint64_t end = gantry_clock_ms() + 60000;
		int code;

		do
			code = Call(address, request);
		while (code == -EHOSTDOWN && gantry_clock_ms() < end && poll(nullptr, 0, 1) == 0);
		return code;
	}

	TestKernel kernel_;
	remoting_client_spec spec_ = {};
	remoting_client *client_ = nullptr;
};

// A call that the test waits for later.
struct Pending {
	gantry_op op = {};
	remoting_request request = {};
	bool done = false;

	int Begin(remoting_client *client, gantry_loop *loop, const std::string &address,
		  uint64_t wait_ms = 60000)
	{
		op.loop = loop;
		op.user = this;
		op.deadline_ms = gantry_clock_ms() + wait_ms;
		op.done = [](gantry_op *finished) {
			static_cast<Pending *>(finished->user)->done = true;
		};
		return remoting_client_call(client, address.c_str(), &request, &op);
	}
	~Pending()
	{
		remoting_request_clear(&request);
	}
};

// Answers every request with its own code, fields and body until the connection ends.
void Echo(Wire wire)
{
	for (Message message = wire.Read(); message.whole; message = wire.Read()) {
		message.flag |= REMOTING_RESPONSE;
		wire.Send(message);
	}
}

std::string str(gantry_str text)
{
	return std::string(text.at, text.size);
}

TEST_F(ClientTest, GetsItsAnswer)
{
	for (uint32_t serialization : {REMOTING_JSON, REMOTING_BINARY}) {
		Listener listener;
		std::thread server([&] { Echo(listener.Accept()); });
		gantry_field field = {{"topic", 5}, {"T\n", 2}};
		remoting_request request = {};

		spec_.serialization = serialization;
		request.code = 105;
		request.fields = &field;
		request.field_count = 1;
		request.body = {"hello", 5};
		EXPECT_EQ(Call(listener.address(), &request), 0);
		EXPECT_EQ(request.reply.code, 105);
		EXPECT_EQ(request.reply.serialization, serialization);
		EXPECT_EQ(request.reply.version, REMOTING_VERSION);
		EXPECT_EQ(str(remoting_field(&request.reply, "topic")), "T\n");
		EXPECT_EQ(str(request.ret_body), "hello");
		remoting_request_clear(&request);
		Close();
		server.join();
	}
}

TEST_F(ClientTest, MatchesAnswersOutOfOrder)
{
	Listener listener;
	std::thread server([&] {
		Wire wire = listener.Accept();
		std::vector<Message> requests;

		for (int i = 0; i < 3; i++)
			requests.push_back(wire.Read());
		for (int i = 2; i >= 0; i--) {
			requests[size_t(i)].flag = REMOTING_RESPONSE;
			wire.Send(requests[size_t(i)]);
		}
		wire.Read();
	});
	Pending calls[3];

	for (int i = 0; i < 3; i++) {
		calls[i].request.code = 10 + i;
		EXPECT_GT(calls[i].Begin(client(), spec_.loop, listener.address()), 0);
	}
	EXPECT_TRUE(kernel_.Until([&] { return calls[0].done && calls[1].done && calls[2].done; }));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(calls[i].request.reply.code, 10 + i);
	Close();
	server.join();
}

TEST_F(ClientTest, TakesAnswersInPieces)
{
	Listener listener;
	std::thread server([&] {
		Wire wire = listener.Accept();
		Message message = wire.Read();

		message.flag = REMOTING_RESPONSE;
		for (char byte : message.Bytes())
			wire.Send(std::string(1, byte));
		message = wire.Read();
		message.flag = REMOTING_RESPONSE;
		message.body.assign(3 << 20, 'b');
		wire.Send(message);
		wire.Read();
	});
	remoting_request request = {};

	request.body = {"x", 1};
	EXPECT_EQ(Call(listener.address(), &request), 0);
	EXPECT_EQ(str(request.ret_body), "x");
	remoting_request_clear(&request);
	EXPECT_EQ(Call(listener.address(), &request), 0);
	EXPECT_EQ(request.ret_body.size, size_t(3 << 20));
	remoting_request_clear(&request);
	Close();
	server.join();
}

TEST_F(ClientTest, GivesUpAtTheDeadline)
{
	Listener listener;
	remoting_request request = {};

	EXPECT_EQ(Call(listener.address(), &request, 50), -ETIMEDOUT);
	// The connection is still good, and a late answer is nobody's.
	Wire wire = listener.Accept();
	Message late = wire.Read();
	late.flag = REMOTING_RESPONSE;
	wire.Send(late);
	Pending next;
	EXPECT_GT(next.Begin(client(), spec_.loop, listener.address()), 0);
	std::thread server([&] {
		Message message = wire.Read();

		EXPECT_NE(message.opaque, late.opaque);
		message.flag = REMOTING_RESPONSE;
		message.code = 77;
		wire.Send(message);
	});
	EXPECT_TRUE(kernel_.Until([&] { return next.done; }));
	EXPECT_EQ(next.op.status, 0);
	EXPECT_EQ(next.request.reply.code, 77);
	server.join();
}

TEST_F(ClientTest, WaitsAfterAFailureAndComesBack)
{
	remoting_request request = {};
	std::string address = "127.0.0.1:" + std::to_string(free_port());

	spec_.backoff_min_ms = 200;
	uint64_t begin = gantry_clock_ms();
	EXPECT_EQ(Call(address, &request), -ECONNREFUSED);
	int code = Call(address, &request);
	EXPECT_TRUE(code == -EHOSTDOWN || gantry_clock_ms() - begin >= 100) << code;
	EXPECT_EQ(CallAfterThePause(address, &request), -ECONNREFUSED);
	EXPECT_GE(gantry_clock_ms() - begin, 100u) << "the first pause";
}

TEST_F(ClientTest, ConnectsAgainAfterTheServerClosed)
{
	Listener listener;
	std::thread server([&] {
		listener.Accept().Read(); // and closes
		Echo(listener.Accept());
	});
	remoting_request request = {};

	spec_.backoff_min_ms = 1;
	EXPECT_EQ(Call(listener.address(), &request), -EPIPE);
	EXPECT_EQ(CallAfterThePause(listener.address(), &request), 0);
	remoting_request_clear(&request);
	Close();
	server.join();
}

TEST_F(ClientTest, EndsABrokenConnection)
{
	for (const char *bytes :
	     {"\0\0\0\0\0\0\0\0", "\xff\xff\xff\xff\0\0\0\0", "\0\0\0\x06\0\0\0\x02{]"}) {
		Listener listener;
		std::thread server([&] {
			Wire wire = listener.Accept();

			wire.Read();
			wire.Send(std::string(bytes, bytes[3] == 6 ? 10 : 8));
			EXPECT_TRUE(wire.Ends());
		});
		remoting_request request = {};

		EXPECT_EQ(Call(listener.address(), &request), -EPROTO);
		server.join();
	}
}

TEST_F(ClientTest, OneWayIsDoneWhenSent)
{
	Listener listener;
	remoting_request request = {};

	request.code = 318;
	request.one_way = 1;
	EXPECT_EQ(Call(listener.address(), &request), 0);
	Wire wire = listener.Accept();
	Message message = wire.Read();
	EXPECT_EQ(message.code, 318);
	EXPECT_EQ(message.flag, REMOTING_ONE_WAY);
}

TEST_F(ClientTest, TakesRequestsOfTheOtherSide)
{
	struct Seen {
		std::vector<int32_t> codes;
	} seen;
	Listener listener;

	spec_.user = &seen;
	spec_.incoming = [](void *user, const char *, const remoting_header *header,
			    gantry_str body) {
		EXPECT_EQ(std::string(body.at, body.size), "b");
		static_cast<Seen *>(user)->codes.push_back(header->code);
		return header->code + 1;
	};
	std::thread server([&] {
		Wire wire = listener.Accept();
		Message call = wire.Read(), own;

		own.body = "b";
		own.code = 905;
		own.flag = REMOTING_ONE_WAY;
		wire.Send(own);
		own.code = 1008;
		own.flag = 0;
		own.opaque = call.opaque; // both directions may use the same number
		wire.Send(own);
		Message answer = wire.Read();
		EXPECT_EQ(answer.code, 1009);
		EXPECT_EQ(answer.flag, REMOTING_RESPONSE);
		EXPECT_EQ(answer.opaque, call.opaque);
		call.flag = REMOTING_RESPONSE;
		wire.Send(call);
		wire.Read();
	});
	remoting_request request = {};

	EXPECT_EQ(Call(listener.address(), &request), 0);
	EXPECT_EQ(seen.codes, (std::vector<int32_t>{905, 1008}));
	remoting_request_clear(&request);
	Close();
	server.join();
}

TEST_F(ClientTest, ClosesWithRequestsOnTheirWay)
{
	Listener listener;
	Pending waiting, cancelled;

	EXPECT_GT(waiting.Begin(client(), spec_.loop, listener.address()), 0);
	EXPECT_GT(cancelled.Begin(client(), spec_.loop, listener.address()), 0);
	EXPECT_EQ(gantry_op_cancel(&cancelled.op), 0);
	EXPECT_TRUE(kernel_.Until([&] { return cancelled.done; }));
	EXPECT_EQ(cancelled.op.status, -ECANCELED);
	EXPECT_FALSE(waiting.done);
	Close();
	EXPECT_TRUE(waiting.done);
	EXPECT_EQ(waiting.op.status, -ECANCELED);
}

TEST_F(ClientTest, ForgetsAnAddress)
{
	Listener listener;
	Pending waiting;

	EXPECT_GT(waiting.Begin(client(), spec_.loop, listener.address()), 0);
	remoting_client_forget(client(), listener.address().c_str());
	remoting_client_forget(client(), "127.0.0.1:1");
	EXPECT_TRUE(kernel_.Until([&] { return waiting.done; }));
	EXPECT_EQ(waiting.op.status, -ECANCELED);
}

TEST_F(ClientTest, ResolvesNames)
{
	Listener listener;
	std::thread server([&] { Echo(listener.Accept()); });
	remoting_request request = {};

	EXPECT_EQ(Call("localhost:" + std::to_string(listener.port()), &request), 0);
	remoting_request_clear(&request);
	EXPECT_LT(Call("no-such-name.invalid:9876", &request, 60000), 0);
	for (const char *address : {"", "localhost", ":9876", "localhost:", "localhost:x",
				    "localhost:123456", "localhost:65536", "[]:1"})
		EXPECT_EQ(Call(address, &request), -EINVAL) << address;
	Close();
	server.join();
}

TEST_F(ClientTest, KeepsItsLimits)
{
	Listener listener;
	Pending calls[3];
	std::string body(1000, 'x');

	spec_.pending_max = 2;
	spec_.queue_max = 2000;
	for (Pending &call : calls)
		call.request.body = {body.data(), body.size()};
	EXPECT_GT(calls[0].Begin(client(), spec_.loop, listener.address()), 0);
	EXPECT_EQ(calls[1].Begin(client(), spec_.loop, listener.address()), -ENOBUFS) << "bytes";
	calls[1].request.body.size = calls[2].request.body.size = 1;
	EXPECT_GT(calls[1].Begin(client(), spec_.loop, listener.address()), 0);
	EXPECT_EQ(calls[2].Begin(client(), spec_.loop, listener.address()), -ENOBUFS) << "requests";
	calls[2].op.loop = gantry_loop_at(spec_.inst, 0);
	EXPECT_EQ(remoting_client_call(client(), "127.0.0.1:1", &calls[2].request, &calls[2].op),
		  -EINVAL)
		<< "another loop";
	Close();
}

// A listener whose queue is full answers no more connects.
TEST_F(ClientTest, GivesUpConnecting)
{
	Listener listener(0);
	std::vector<int> filling;
	sockaddr_in address = {};
	Pending call;

	address.sin_family = AF_INET;
	address.sin_port = htons(uint16_t(listener.port()));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 8; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)!connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address));
		filling.push_back(fd);
	}
	spec_.connect_timeout_ms = 100;
	EXPECT_GT(call.Begin(client(), spec_.loop, listener.address(), 60000), 0);
	EXPECT_TRUE(kernel_.Until([&] { return call.done; }));
	EXPECT_EQ(call.op.status, -ETIMEDOUT);
	for (int fd : filling)
		close(fd);
}

TEST_F(ClientTest, ClosesAnIdleConnection)
{
	Listener listener;
	std::atomic<bool> ended{false};
	std::thread server([&] {
		Wire wire = listener.Accept();
		Message message = wire.Read();

		message.flag = REMOTING_RESPONSE;
		wire.Send(message);
		ended = wire.Ends();
	});
	remoting_request request = {};

	spec_.idle_ms = 50;
	EXPECT_EQ(Call(listener.address(), &request), 0);
	remoting_request_clear(&request);
	EXPECT_TRUE(kernel_.Until([&] { return ended.load(); }));
	server.join();
}

} // namespace
