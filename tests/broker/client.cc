/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

static gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

const gantry_session_ops Client::ops = {
	sizeof(Client::ops),
	0,
	Client::push,
	Client::ask,
	[](gantry_session *) {},
	[](gantry_session *session) {
		__atomic_add_fetch(&of(session)->holds_, 1, __ATOMIC_RELAXED);
	},
	[](gantry_session *session) {
		__atomic_sub_fetch(&of(session)->holds_, 1, __ATOMIC_RELEASE);
	},
};

Client *Client::of(gantry_session *session)
{
	return static_cast<Client *>(reinterpret_cast<void *>(session->id));
}

Client::Client(World &world, unsigned loop, int32_t version) : world_(world), version_(version)
{
	session_.ops = &ops;
	session_.loop = world.loop(loop);
	session_.id = reinterpret_cast<uint64_t>(this);
	session_.peer.ip[0] = 127;
	session_.peer.ip[3] = 1;
	session_.peer.ip_size = 4;
	session_.peer.port = 50001;
}

void Client::close()
{
	if (open_)
		world_.on(session_.loop, [this] { world_.ops()->gone(world_.inst(), &session_); });
	open_ = false;
}

Client::~Client()
{
	close();
	world_.until([this] { return holds() == 0; });
}

uint32_t Client::holds() const
{
	return __atomic_load_n(&holds_, __ATOMIC_ACQUIRE);
}

/* ---- what the role says */

void Client::note(const gantry_push *push)
{
	Heard heard;

	heard.code = push->code;
	for (uint32_t i = 0; i < push->field_count; i++) {
		const gantry_field &field = push->fields[i];

		heard.fields[std::string(field.name.at, field.name.size)] =
			std::string(field.value.at, field.value.size);
	}
	if (push->body.size)
		heard.body.assign(push->body.at, push->body.size);
	heard_.push_back(heard);
}

int Client::push(gantry_session *session, const gantry_push *push)
{
	std::lock_guard<std::mutex> guard(of(session)->lock_);

	of(session)->note(push);
	return 0;
}

int Client::ask(gantry_session *session, const gantry_push *push, gantry_answer *ret, gantry_op *op)
{
	Client *self = of(session);
	std::lock_guard<std::mutex> guard(self->lock_);

	if (self->error_)
		return self->error_;
	self->note(push);
	gantry_op_take(op, nullptr, nullptr);
	if (self->silent_) {
		gantry_op_finish(op, -ETIMEDOUT, 0);
		return GANTRY_PENDING;
	}
	ret->code = self->code_;
	ret->body_size = (uint32_t)self->body_.size();
	ret->body = nullptr;
	if (!self->body_.empty()) {
		ret->body = static_cast<char *>(malloc(self->body_.size()));
		memcpy(ret->body, self->body_.data(), self->body_.size());
	}
	gantry_op_finish(op, 0, 0);
	return GANTRY_PENDING;
}

std::vector<Heard> Client::heard(size_t count)
{
	world_.until([&] {
		std::lock_guard<std::mutex> guard(lock_);
		return heard_.size() >= count;
	});
	std::lock_guard<std::mutex> guard(lock_);
	return heard_;
}

void Client::answers(int32_t code, const std::string &body)
{
	std::lock_guard<std::mutex> guard(lock_);

	silent_ = false;
	error_ = 0;
	code_ = code;
	body_ = body;
}

void Client::refuses(int error)
{
	std::lock_guard<std::mutex> guard(lock_);

	error_ = error;
}

/* ---- heartbeats */

void Client::join(const std::string &id, const std::string &consumer,
		  const std::vector<std::string> &topics, const std::string &producer)
{
	std::vector<gantry_subscription_data> subscriptions(topics.size());
	gantry_consumer_data data = {};
	gantry_str group = str(producer);
	gantry_client client = {};

	for (size_t i = 0; i < topics.size(); i++) {
		subscriptions[i].topic = str(topics[i]);
		subscriptions[i].expression = {"*", 1};
		subscriptions[i].expression_type = {"TAG", 3};
		subscriptions[i].version = 1;
	}
	data.group = str(consumer);
	data.consume_type = GANTRY_CONSUME_PASSIVELY;
	data.message_model = GANTRY_CLUSTERING;
	data.subscriptions = subscriptions.data();
	data.subscription_count = (uint32_t)subscriptions.size();
	client.session = &session_;
	client.id = str(id);
	client.version = version_;
	client.consumers = &data;
	client.consumer_count = !consumer.empty();
	client.producer_groups = &group;
	client.producer_count = !producer.empty();
	world_.on(session_.loop, [&] { world_.ops()->join(world_.inst(), &client); });
}

void Client::leave(const std::string &consumer, const std::string &producer)
{
	world_.on(session_.loop, [&] {
		world_.ops()->leave(world_.inst(), &session_, {"", 0}, str(producer),
				    str(consumer));
	});
}

/* ---- calls */

Client::Pending::Pending(World &world, Client &client, int32_t code, const Fields &fields,
			 const std::string &body)
    : world_(world), op_(world, client.session_.loop)
{
	call_.session = &client.session_;
	call_.code = code;
	call_.client_version = client.version_;
	op_.then = [this] { collect(); };
	world_.on(client.session_.loop, [&] {
		std::vector<std::string> texts;
		std::vector<gantry_field> list;

		texts.reserve(fields.size() * 2 + 1);
		for (const auto &[name, value] : fields) {
			texts.push_back(name);
			texts.push_back(value);
			list.push_back({str(texts[texts.size() - 2]), str(texts.back())});
		}
		texts.push_back(body);
		call_.fields = list.data();
		call_.field_count = (uint32_t)list.size();
		call_.body = str(texts.back());
		pending_ = world_.ops()->call(world_.inst(), &call_, op_.get()) > 0;
		for (std::string &text : texts) /* they were only lent */
			text.assign(text.size(), '\xEE');
		if (!pending_)
			collect();
	});
}

void Client::Pending::collect()
{
	answered_.code = call_.ret_code;
	answered_.remark = call_.remark;
	for (uint32_t i = 0; i < call_.ret_field_count; i++) {
		const gantry_field &field = call_.ret_fields[i];

		answered_.fields[std::string(field.name.at, field.name.size)] =
			std::string(field.value.at, field.value.size);
	}
	if (call_.ret_body)
		answered_.body.assign(call_.ret_body, call_.ret_body_size);
	free(call_.ret_body);
	__atomic_store_n(&collected_, true, __ATOMIC_RELEASE);
}

bool Client::Pending::done() const
{
	return __atomic_load_n(&collected_, __ATOMIC_ACQUIRE) && (!pending_ || op_.done());
}

Answered Client::Pending::wait()
{
	world_.until([this] { return done(); });
	return answered_;
}

std::unique_ptr<Client::Pending> Client::begin(int32_t code, const Fields &fields,
					       const std::string &body)
{
	return std::make_unique<Pending>(world_, *this, code, fields, body);
}

Answered Client::call(int32_t code, const Fields &fields, const std::string &body)
{
	return begin(code, fields, body)->wait();
}
