// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Messages asked for by key, unique key, tag, offset id and time, and what is not there. */
final class QueryScenario implements Scenario {
    private static final int N = 40;
    private static final int QUERY_MESSAGE = 12;
    private static final int VIEW_MESSAGE_BY_ID = 33;
    private static final long FOREVER = Long.MAX_VALUE;

    private DefaultMQProducer producer;
    private Report report;
    private String topic;
    private String broker;

    @Override
    public void run(Session session, Report to) throws Exception {
        report = to;
        topic = session.topic;
        producer = session.startedProducer();
        Sender.sendSelected(producer, topic, 0, 1);
        Session.queues(producer, topic);
        List<SendResult> sent = new ArrayList<>();
        // The index keeps the time of a message in seconds, rounded down.
        long began = System.currentTimeMillis() - 5_000;
        for (int i = 1; i < N; i++) {
            sent.add(producer.send(message(i)));
        }
        SendResult batch = producer.send(List.of(message(N), message(N + 1)));
        Wait.until("the last message to be indexed", () -> finds("k" + (N + 1)));
        long ended = System.currentTimeMillis();
        broker = Session.instance(producer).findBrokerAddressInPublish(sent.get(0).getMessageQueue().getBrokerName());

        byKey("one", "k7", began, ended);
        byKey("of_many", "many", began, ended);
        byKey("umlaut", "Grüße", began, ended);
        byKey("of_a_batch", "k" + N, began, ended);
        byKey("early", "k7", 0, began - 60_000);
        byKey("late", "k7", ended + 60_000, FOREVER);
        byKey("unknown", "no-such-key", began, ended);
        byKey("few", "many", 5, 0, FOREVER);
        byKey("too_many", "many", 1000, 0, FOREVER);
        byId("unique", sent.get(6).getMsgId());
        byId("offset_id", sent.get(6).getOffsetMsgId());
        byId("unique_of_a_batch", batch.getMsgId().split(",")[1]);
        Failures.of(report, "unknown_unique", () -> producer.viewMessage(topic, "7F000001ABCD18B4AAC2000000000000"));
        onTheWire();
    }

    /** Every message has the keys kNUMBER and many; some more. */
    private Message message(int number) {
        Message message = Sender.message(topic, number);
        message.setKeys("k" + number + " many" + (number % 10 == 3 ? "  Grüße" : ""));
        return message;
    }

    private boolean finds(String key) {
        try {
            return !producer.queryMessage(topic, key, 1, 0, FOREVER).getMessageList().isEmpty();
        } catch (Exception e) {
            return false;
        }
    }

    private void byKey(String name, String key, long begin, long end) throws Exception {
        byKey(name, key, 32, begin, end);
    }

    private void byKey(String name, String key, int max, long begin, long end) throws Exception {
        List<Integer> numbers = new ArrayList<>();
        Failures.of(report, name, () -> {
            for (MessageExt message : producer.queryMessage(topic, key, max, begin, end).getMessageList()) {
                numbers.add(Sender.number(message.getBody()));
            }
            return null;
        });
        report.fact(name + "_numbers", numbers);
    }

    private void byId(String name, String id) throws Exception {
        MessageExt message = producer.viewMessage(topic, id);
        report.fact(name, Sender.number(message.getBody()) + " " + message.getKeys() + " " + message.getTags());
    }

    /** What the client library hides: tags, fields, codes and remarks. */
    private void onTheWire() throws Exception {
        ask("wire_key", QUERY_MESSAGE, query("k9", "32"));
        ask("wire_tag", QUERY_MESSAGE, with(query("TagB", "32"), "indexType", "T"));
        ask("wire_tag_as_key", QUERY_MESSAGE, query("TagB", "32"));
        ask("wire_key_as_tag", QUERY_MESSAGE, with(query("k9", "32"), "indexType", "T"));
        ask("wire_unknown_type", QUERY_MESSAGE, with(query("k9", "32"), "indexType", "X"));
        ask("wire_unique", QUERY_MESSAGE, with(query("many", "1"), "_UNIQUE_KEY_QUERY", "true"));
        ask("wire_unique_false", QUERY_MESSAGE, with(query("many", "1"), "_UNIQUE_KEY_QUERY", "false"));
        ask("wire_none", QUERY_MESSAGE, query("no-such-key", "32"));
        ask("wire_max_0", QUERY_MESSAGE, query("many", "0"));
        ask("wire_other_topic", QUERY_MESSAGE, with(query("k9", "32"), "topic", "no-such-topic"));
        ask("wire_view_none", VIEW_MESSAGE_BY_ID, with(new HashMap<>(), "offset", "1099511627776"));
    }

    private Map<String, String> query(String key, String max) {
        Map<String, String> fields = new HashMap<>(Map.of("topic", topic, "key", key, "maxNum", max));
        fields.put("beginTimestamp", "0");
        fields.put("endTimestamp", String.valueOf(FOREVER));
        return fields;
    }

    private static Map<String, String> with(Map<String, String> fields, String name, String value) {
        fields.put(name, value);
        return fields;
    }

    private void ask(String name, int code, Map<String, String> fields) throws Exception {
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        request.setExtFields(new HashMap<>(fields));
        RemotingCommand answer = Session.instance(producer).getMQClientAPIImpl().getRemotingClient()
            .invokeSync(broker, request, 10_000);
        Map<String, Object> facts = new TreeMap<>();
        facts.put("code", answer.getCode());
        facts.put("remark", String.valueOf(answer.getRemark()));
        Map<String, String> said = answer.getExtFields() == null ? Map.of() : answer.getExtFields();
        // Times and places differ from run to run: whether there is one does not.
        for (String field : List.of("indexLastUpdateTimestamp", "indexLastUpdatePhyoffset")) {
            facts.put(field, said.containsKey(field) ? Long.parseLong(said.get(field)) > 0 : "none");
        }
        List<String> numbers = new ArrayList<>();
        if (answer.getBody() != null) {
            for (MessageExt message : MessageDecoder.decodes(java.nio.ByteBuffer.wrap(answer.getBody()))) {
                numbers.add(new String(message.getBody(), StandardCharsets.UTF_8).split("#")[0]);
            }
        }
        facts.put("numbers", numbers);
        report.fact(name, facts);
    }
}
