// SPDX-License-Identifier: Apache-2.0
package peers;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;

/** Every field of a message as the consumer sees it, for a single one and one of a batch. */
final class FieldsScenario implements Scenario {
    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        SendResult single = producer.send(message(session.topic, 0));
        SendResult batch = producer.send(List.of(message(session.topic, 1), message(session.topic, 2)));
        Session.queues(producer, session.topic);

        List<MessageExt> got = Collections.synchronizedList(new ArrayList<>());
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            got.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Wait.until("3 messages", () -> got.size() >= 3);

        got.sort((a, b) -> Sender.number(a.getBody()) - Sender.number(b.getBody()));
        report.fact("single", fields(got.get(0), single));
        report.fact("of_batch", fields(got.get(2), batch));
    }

    private static Message message(String topic, int number) {
        Message message = Sender.message(topic, number);
        message.setFlag(7);
        message.setKeys(List.of("key-one", "key-two"));
        message.putUserProperty("colour", "blue = green; \u00fc");
        message.setBuyerId("someone");
        return message;
    }

    private static Map<String, Object> fields(MessageExt message, SendResult result) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("flag", message.getFlag());
        fields.put("sys_flag", message.getSysFlag());
        fields.put("reconsume_times", message.getReconsumeTimes());
        fields.put("queue_offset", message.getQueueOffset() - result.getQueueOffset());
        fields.put("same_queue", message.getQueueId() == result.getMessageQueue().getQueueId());
        fields.put("prepared_offset", message.getPreparedTransactionOffset());
        fields.put("body_crc", message.getBodyCRC() == crc(message.getBody()));
        fields.put("born_host", ((InetSocketAddress) message.getBornHost()).getAddress().getHostAddress());
        fields.put("store_host", ((InetSocketAddress) message.getStoreHost()).getAddress().getHostAddress());
        fields.put("times_in_order", message.getBornTimestamp() > 0
            && message.getStoreTimestamp() >= message.getBornTimestamp());
        String offsetId = ((MessageClientExt) message).getOffsetMsgId();
        fields.put("offset_id_as_sent", List.of(result.getOffsetMsgId().split(",")).contains(offsetId));
        fields.put("unique_id_as_sent", List.of(result.getMsgId().split(",")).contains(message.getMsgId()));
        fields.put("property_names", new TreeSet<>(message.getProperties().keySet()));
        for (String name : List.of("KEYS", "TAGS", "colour", "BUYER_ID", "CLUSTER", "WAIT", "TRACE_ON", "MSG_REGION")) {
            fields.put("property_" + name, message.getProperty(name));
        }
        return fields;
    }

    /** As RocketMQ keeps it: without the sign bit. */
    private static int crc(byte[] body) {
        CRC32 crc = new CRC32();
        crc.update(body);
        return (int) (crc.getValue() & 0x7FFFFFFF);
    }
}
