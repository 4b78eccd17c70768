// SPDX-License-Identifier: Apache-2.0
#include "recorder.h"

#include <gantry/op.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

Recorder *Recorder::current;

namespace
{

std::string str(gantry_str text)
{
	return text.at ? std::string(text.at, text.size) : "";
}

} // namespace

Recorder::Recorder() : offsets_(4096), bytes_(1 << 20, 'm')
{
	for (size_t i = 0; i < offsets_.size(); i++)
		offsets_[i] = i;
	current = this;
}

Recorder::~Recorder()
{
	for (auto &session : sessions)
		session.second->ops->release(session.second);
	current = nullptr;
}

bool Recorder::Wait(const std::function<bool()> &met)
{
	std::unique_lock<std::mutex> held(lock);

	return changed_.wait_for(held, std::chrono::seconds(60), met);
}

// Notes the session once, holding it.
void Recorder::Note(gantry_session *session)
{
	if (sessions.emplace(session->id, session).second)
		session->ops->hold(session);
	changed_.notify_all();
}

void Recorder::Answer(gantry_send *send)
{
	send->code = send_code;
	if (send_code) {
		snprintf(send->remark, sizeof(send->remark), "%s", "no");
		return;
	}
	send->ret_queue = send->queue;
	send->queue_offset = 100;
	send->offsets = offsets_.data();
	send->offset_count = ids;
	memcpy(send->transaction_id, "uniq", 4);
	send->transaction_id_size = 4;
}

int Recorder::Send(gantry_inst *, gantry_send *const *sends, uint32_t count, gantry_op *op)
{
	Recorder *r = current;
	std::lock_guard<std::mutex> held(r->lock);
	HeldSend batch = {{}, op};

	for (uint32_t i = 0; i < count; i++) {
		const gantry_send *s = sends[i];

		r->sends.push_back({str(s->topic), str(s->group), str(s->default_topic),
				    str(s->properties), str(s->body), s->born_ms, s->default_queues,
				    s->queue, s->sys_flag, s->flag, s->reconsume_times,
				    s->max_reconsume_times, s->client_version, s->flags});
		batch.sends.push_back(sends[i]);
	}
	r->batches.push_back(count);
	r->Note(sends[0]->session);
	if (r->hold_sends) {
		gantry_op_take(op, nullptr, nullptr);
		r->held_sends_.push_back(batch);
		return GANTRY_PENDING;
	}
	for (uint32_t i = 0; i < count; i++)
		r->Answer(sends[i]);
	return 0;
}

void Recorder::FinishSends()
{
	std::lock_guard<std::mutex> held(lock);

	for (HeldSend &batch : held_sends_) {
		for (gantry_send *send : batch.sends)
			Answer(send);
		gantry_op_finish(batch.op, 0, 0);
	}
	held_sends_.clear();
}

void Recorder::Release(gantry_slice *)
{
	std::lock_guard<std::mutex> held(current->lock);

	current->leases--;
	current->changed_.notify_all();
}

void Recorder::Answer(gantry_pull *pull)
{
	pull->code = pull_code;
	pull->next_offset = pull->offset + slice_count;
	pull->min_offset = 1;
	pull->max_offset = 1000;
	pull->suggest_broker_id = 0;
	pull->message_count = slice_count;
	snprintf(pull->remark, sizeof(pull->remark), "%s", pull_code ? "other" : "FOUND");
	if (pull_code)
		return;
	slices_.emplace_back(slice_count,
			     gantry_slice{bytes_.data(), slice_size, 0, nullptr, Release});
	leases += int(slice_count);
	pull->slices = slices_.back().data();
	pull->slice_count = slice_count;
}

int Recorder::Pull(gantry_inst *, gantry_pull *p, gantry_op *op)
{
	Recorder *r = current;
	std::lock_guard<std::mutex> held(r->lock);

	r->pulls.push_back({str(p->group), str(p->topic), str(p->subscription),
			    str(p->expression_type), p->offset, p->commit_offset, p->sub_version,
			    p->suspend_ms, p->queue, p->max_messages, p->max_bytes,
			    p->request_source, p->flags});
	r->Note(p->session);
	if (r->hold_pulls) {
		gantry_op_take(op, nullptr, nullptr);
		r->held_pulls_.push_back({p, op});
		return GANTRY_PENDING;
	}
	r->Answer(p);
	return 0;
}

void Recorder::FinishPulls(int32_t code)
{
	std::lock_guard<std::mutex> held(lock);

	pull_code = code;
	for (HeldPull &one : held_pulls_) {
		Answer(one.pull);
		gantry_op_finish(one.op, 0, 0);
	}
	held_pulls_.clear();
}

void Recorder::Answer(gantry_call *call)
{
	const Called &asked = calls.back();
	const std::string &body = call_body.empty() ? asked.body : call_body;

	call->ret_code = asked.code == 9 ? GANTRY_REQUEST_CODE_NOT_SUPPORTED : GANTRY_SUCCESS;
	if (call->ret_code)
		snprintf(call->remark, sizeof(call->remark), "%s", " request type 9 not supported");
	call->ret_fields[0] = {{"code", 4}, {call->ret_text, 0}};
	call->ret_fields[0].value.size =
		size_t(snprintf(call->ret_text, sizeof(call->ret_text), "%d", call->code));
	call->ret_field_count = 1;
	if (body.empty())
		return;
	call->ret_body = static_cast<char *>(malloc(body.size()));
	memcpy(call->ret_body, body.data(), body.size());
	call->ret_body_size = body.size();
}

int Recorder::Call(gantry_inst *, gantry_call *c, gantry_op *op)
{
	Recorder *r = current;
	std::lock_guard<std::mutex> held(r->lock);
	Called called = {c->code, c->one_way, {}, str(c->body)};

	for (uint32_t i = 0; i < c->field_count; i++)
		called.fields[str(c->fields[i].name)] = str(c->fields[i].value);
	r->calls.push_back(called);
	r->Note(c->session);
	if (r->hold_calls) {
		gantry_op_take(op, nullptr, nullptr);
		r->held_calls_.push_back({c, op});
		return GANTRY_PENDING;
	}
	r->Answer(c);
	return 0;
}

void Recorder::FinishCalls()
{
	std::lock_guard<std::mutex> held(lock);

	for (HeldCall &one : held_calls_) {
		Answer(one.call);
		gantry_op_finish(one.op, 0, 0);
	}
	held_calls_.clear();
}

int Recorder::Join(gantry_inst *, gantry_client *client)
{
	std::lock_guard<std::mutex> held(current->lock);
	std::string text = str(client->id) + " " + std::to_string(client->fingerprint) +
			   (client->without_subscriptions ? " short" : "") + " P";

	for (uint32_t i = 0; i < client->producer_count; i++)
		text += ":" + str(client->producer_groups[i]);
	for (uint32_t i = 0; i < client->consumer_count; i++) {
		const gantry_consumer_data &c = client->consumers[i];

		text += " C:" + str(c.group) + "," + std::to_string(c.consume_type) +
			std::to_string(c.message_model) + std::to_string(c.from_where) +
			std::to_string(c.unit);
		for (uint32_t j = 0; j < c.subscription_count; j++) {
			const gantry_subscription_data &s = c.subscriptions[j];

			text += "," + str(s.topic) + "/" + str(s.expression) + "/" +
				str(s.expression_type) + "/" + std::to_string(s.version) + "/" +
				std::to_string(s.class_filter);
		}
	}
	current->heartbeats.push_back(text);
	current->Note(client->session);
	client->subscriptions_changed = client->fingerprint == 0;
	return 0;
}

int Recorder::Leave(gantry_inst *, gantry_session *, gantry_str id, gantry_str producer,
		    gantry_str consumer)
{
	std::lock_guard<std::mutex> held(current->lock);

	current->leaves.push_back(str(id) + "/" + str(producer) + "/" + str(consumer));
	return 0;
}

// Held pulls of a session that is gone end as the contract says.
void Recorder::Gone(gantry_inst *, gantry_session *session)
{
	std::lock_guard<std::mutex> held(current->lock);
	auto &pulls = current->held_pulls_;

	for (size_t i = 0; i < pulls.size();) {
		if (pulls[i].pull->session == session) {
			gantry_op_finish(pulls[i].op, -EPIPE, 0);
			pulls.erase(pulls.begin() + long(i));
		} else {
			i++;
		}
	}
	current->gone++;
	current->changed_.notify_all();
}

void Recorder::StoreHost(const gantry_inst *, gantry_address *ret)
{
	*ret = {{127, 0, 0, 1}, 10911, 4, 0};
}

int Recorder::Setup(gantry_inst *inst)
{
	current->inst = inst;
	return 0;
}

const gantry_plugin *Recorder::entry()
{
	static const gantry_role_ops ops = {sizeof(ops), 0,     Send, Pull,     Call,
					    Join,        Leave, Gone, StoreHost};
	static const gantry_service offers[] = {{GANTRY_ROLE, 0, "recorder", &ops},
						{0, 0, nullptr, nullptr}};
	static const gantry_lifecycle life = {
		sizeof(life), 0, 0, 0, Setup, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
	static const gantry_plugin plugin = {GANTRY_MAGIC,
					     sizeof(plugin),
					     GANTRY_ABI_MAJOR,
					     GANTRY_ABI_MINOR,
					     GANTRY_LAYOUT,
					     "role-recorder",
					     "0",
					     "Apache-2.0",
					     "records",
					     offers,
					     nullptr,
					     nullptr,
					     nullptr,
					     &life};

	return &plugin;
}
