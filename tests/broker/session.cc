/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <gtest/gtest.h>

#include "message/bytes.h"
#include "message/properties.h"
#include "message/record.h"
#include "store/store.h"

static const gantry_session_ops session_ops = {
	sizeof(session_ops),
	0,
	[](gantry_session *, const gantry_push *) { return -ENOTSUP; },
	[](gantry_session *, const gantry_push *, gantry_answer *, gantry_op *) {
		return -ENOTSUP;
	},
	[](gantry_session *) {},
	[](gantry_session *) {},
	[](gantry_session *) {},
};

static gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

Session::Session(World &world, unsigned loop) : world_(world)
{
	static uint64_t id;

	session_.ops = &session_ops;
	session_.loop = world.loop(loop);
	session_.id = ++id;
	session_.peer.ip[0] = 127;
	session_.peer.ip[3] = 1;
	session_.peer.ip_size = 4;
	session_.peer.port = 50000;
}

void Session::close()
{
	if (open_)
		world_.on(session_.loop, [this] { world_.ops()->gone(world_.inst(), &session_); });
	open_ = false;
}

void Session::abandon()
{
	open_ = false;
}

Session::~Session()
{
	close();
	free(session_.role_data);
}

/* ---- send */

namespace
{

struct Call { /* what a front-end keeps of one call; lent texts are wiped when it returns */
	std::vector<gantry_send> sends;
	std::vector<gantry_send *> at;
	std::vector<std::string> texts;
};

gantry_str lend(Call &call, const std::string &text)
{
	call.texts.push_back(text);
	return str(call.texts.back());
}

void fill(Call &call, gantry_session *session, const Sent &message, gantry_send *send)
{
	send->session = session;
	send->topic = lend(call, message.topic);
	send->group = lend(call, message.group);
	send->default_topic = lend(call, message.default_topic);
	send->properties = lend(call, message.properties);
	send->body = lend(call, message.body);
	send->born_ms = message.born_ms;
	send->default_queues = message.default_queues;
	send->queue = message.queue;
	send->sys_flag = message.sys_flag;
	send->flag = 7;
	send->reconsume_times = message.reconsume;
	send->max_reconsume_times = message.max_reconsume;
	send->client_version = 500;
	send->flags = message.flags;
}

void collect(const gantry_send &send, Sent &message)
{
	message.code = send.code;
	message.ret_queue = send.ret_queue;
	message.queue_offset = send.queue_offset;
	message.offsets.clear();
	if (send.offset_count)
		message.offsets.assign(send.offsets, send.offsets + send.offset_count);
	message.transaction_id.assign(send.transaction_id, send.transaction_id_size);
	message.ret_flags = send.ret_flags;
	message.remark = send.remark;
}

} // namespace

void Session::send(std::vector<Sent> &messages)
{
	Call call;
	Op op(world_, session_.loop);
	bool pending = false;

	call.sends.resize(messages.size());
	call.texts.reserve(messages.size() * 5);
	for (size_t i = 0; i < messages.size(); i++) {
		fill(call, &session_, messages[i], &call.sends[i]);
		call.at.push_back(&call.sends[i]);
	}
	auto answers = [&] {
		for (size_t i = 0; i < messages.size(); i++)
			collect(call.sends[i], messages[i]);
	};
	op.then = answers;
	world_.on(session_.loop, [&] {
		pending = world_.ops()->send(world_.inst(), call.at.data(),
					     (uint32_t)call.at.size(), op.get()) > 0;
		for (std::string &text : call.texts)
			text.assign(text.size(), '\xEE');
		call.at.assign(call.at.size(), nullptr);
		if (!pending)
			answers();
	});
	if (pending)
		op.wait();
}

Sent Session::send(Sent message)
{
	std::vector<Sent> one = {std::move(message)};

	send(one);
	return one[0];
}

/* ---- pull */

Session::Pending::Pending(World &world, Session &session, Pulled pulled)
    : world_(world), pulled_(std::move(pulled)), op_(world, session.loop())
{
	pull_.session = session.get();
	pull_.offset = pulled_.offset;
	pull_.commit_offset = pulled_.commit_offset;
	pull_.sub_version = pulled_.sub_version;
	pull_.suspend_ms = pulled_.suspend_ms;
	pull_.queue = pulled_.queue;
	pull_.max_messages = pulled_.max_messages;
	pull_.max_bytes = pulled_.max_bytes;
	pull_.request_source = pulled_.source;
	pull_.flags = pulled_.flags;
	op_.then = [this] { collect(); };
	world_.on(session.loop(), [&] {
		std::string group = pulled_.group, topic = pulled_.topic,
			    subscription = pulled_.subscription, type = pulled_.type,
			    proxy = pulled_.proxy_client;

		pull_.group = str(group);
		pull_.topic = str(topic);
		pull_.subscription = str(subscription);
		pull_.expression_type = str(type);
		pull_.proxy_client_id = str(proxy);
		pulled_.pending = world_.ops()->pull(world_.inst(), &pull_, op_.get()) > 0;
		if (!pulled_.pending)
			collect();
	});
}

void Session::Pending::collect()
{
	pulled_.op_status = op_.status();
	pulled_.code = pull_.code;
	pulled_.forbidden = pull_.forbidden_type;
	pulled_.next = pull_.next_offset;
	pulled_.min = pull_.min_offset;
	pulled_.max = pull_.max_offset;
	pulled_.suggest = pull_.suggest_broker_id;
	pulled_.slices = pull_.slice_count;
	pulled_.count = pull_.message_count;
	pulled_.remark = pull_.remark;
	for (uint32_t i = 0; pull_.slices && i < pull_.slice_count; i++) {
		pulled_.bytes.append((const char *)pull_.slices[i].bytes, pull_.slices[i].size);
		gantry_slice_release(&pull_.slices[i]);
	}
	__atomic_store_n(&answered_, true, __ATOMIC_RELEASE);
}

bool Session::Pending::done() const
{
	return __atomic_load_n(&answered_, __ATOMIC_ACQUIRE) && (!pulled_.pending || op_.done());
}

Pulled Session::Pending::wait()
{
	world_.until([this] { return done(); });
	return pulled_;
}

std::unique_ptr<Session::Pending> Session::begin(Pulled pull)
{
	return std::make_unique<Pending>(world_, *this, std::move(pull));
}

Pulled Session::pull(Pulled pull)
{
	return begin(std::move(pull))->wait();
}

/* ---- calls */

Called ask(World &world, int32_t code,
	   const std::vector<std::pair<std::string, std::string>> &fields)
{
	std::vector<gantry_field> list;
	gantry_session session = {};
	gantry_call call = {};
	Op op(world, world.loop(0));
	int pending = 0;
	Called called;

	session.ops = &session_ops;
	session.loop = world.loop(0);
	for (const auto &[name, value] : fields)
		list.push_back({str(name), str(value)});
	call.session = &session;
	call.code = code;
	call.client_version = 500;
	call.fields = list.data();
	call.field_count = (uint32_t)list.size();
	world.on(world.loop(0),
		 [&] { pending = world.ops()->call(world.inst(), &call, op.get()); });
	if (pending > 0)
		op.wait();
	called.code = call.ret_code;
	called.remark = call.remark;
	if (call.ret_body)
		called.body.assign(call.ret_body, call.ret_body_size);
	free(call.ret_body);
	return called;
}

/* ---- what is stored */

namespace
{

Kept read(World &world, uint64_t at)
{
	std::string bytes = world.message_at(at);
	message_record record = {};
	message_property property;
	gantry_str rest;
	Kept stored;

	EXPECT_EQ(MESSAGE_WHOLE,
		  message_record_read((const uint8_t *)bytes.data(), bytes.size(), true, &record));
	stored.topic.assign(record.topic.at, record.topic.size);
	stored.body.assign(record.body.at, record.body.size);
	rest = record.properties;
	while (message_property_next(&rest, &property)) {
		std::string key(property.key.at, property.key.size);

		EXPECT_FALSE(stored.has(key)) << key << " is there twice";
		stored.properties[key].assign(property.value.at, property.value.size);
	}
	stored.queue = record.queue;
	stored.flag = record.flag;
	stored.sys_flag = record.sys_flag;
	stored.reconsume = record.reconsume_times;
	stored.queue_offset = record.queue_offset;
	stored.born_ms = record.born_ms;
	stored.store_ms = record.store_ms;
	stored.at = at;
	return stored;
}

} // namespace

std::vector<Kept> stored(World &world, const std::string &topic, int32_t id)
{
	std::vector<uint64_t> places;
	std::vector<Kept> list;

	world.dispatched();
	world.aside([&] {
		queue *queue = store_queue_named(world.messages(), str(topic), id);
		queue_unit units[64];
		int64_t min, max;
		int count;

		queue_bounds(queue, &min, &max);
		while (min < max &&
		       ((count = queue_read(queue, min, 64, units)) > 0 || count == -EAGAIN))
			for (int i = 0; i < count && min < max; i++, min++)
				places.push_back((uint64_t)units[i].physical_offset);
	});
	for (uint64_t at : places)
		list.push_back(read(world, at));
	return list;
}

std::vector<Kept> stored(World &world, const std::string &topic, int32_t id, size_t count)
{
	world.until([&] {
		queue *queue = store_queue_named(world.messages(), str(topic), id);
		int64_t min, max;

		queue_bounds(queue, &min, &max);
		return max - min >= (int64_t)count;
	});
	return stored(world, topic, id);
}

/* ---- texts */

std::vector<std::string> bodies(const std::string &records)
{
	std::vector<std::string> list;
	size_t at = 0;

	while (at < records.size()) {
		message_record record;
		message_scan scan = message_record_read((const uint8_t *)records.data() + at,
							records.size() - at, true, &record);

		EXPECT_EQ(scan, MESSAGE_WHOLE);
		if (scan != MESSAGE_WHOLE)
			break;
		list.emplace_back(record.body.at, record.body.size);
		at += record.size;
	}
	return list;
}

std::string pairs(const std::vector<std::pair<std::string, std::string>> &list)
{
	std::string text;

	for (const auto &[key, value] : list)
		text += key + '\1' + value + '\2';
	return text;
}

std::string batch_item(const std::string &body, const std::string &properties)
{
	std::string item(20, '\0');
	auto *at = (uint8_t *)item.data();

	message_put32(at, (uint32_t)(22 + body.size() + properties.size()));
	message_put32(at + 16, (uint32_t)body.size());
	item += body;
	item += (char)(properties.size() >> 8);
	item += (char)properties.size();
	return item + properties;
}
