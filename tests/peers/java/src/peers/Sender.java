// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/** Numbered messages: the body is {@code NUMBER#TOPIC}, the key {@code kNUMBER}, tags take turns. */
final class Sender {
    static final List<String> TAGS = List.of("TagA", "TagB", "TagC");

    private Sender() {
    }

    static Message message(String topic, int number) {
        byte[] body = (number + "#" + topic).getBytes(StandardCharsets.UTF_8);
        return new Message(topic, tag(number), "k" + number, body);
    }

    static String tag(int number) {
        return TAGS.get(number % TAGS.size());
    }

    static int number(byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);
        return Integer.parseInt(text.substring(0, text.indexOf('#')));
    }

    /** Sends the numbers [from, to) in order, to queues in turn as the client chooses. */
    static void send(DefaultMQProducer producer, String topic, int from, int to) throws Exception {
        for (int number = from; number < to; number++) {
            producer.send(message(topic, number));
        }
    }

    /** Sends to queue number % queues, also while the topic does not exist yet. */
    static SendResult sendSelected(DefaultMQProducer producer, String topic, int number) throws Exception {
        return producer.send(message(topic, number), (queues, m, arg) ->
            queues.stream().filter(q -> q.getQueueId() == (Integer) arg % queues.size()).findFirst().get(), number);
    }

    static void sendSelected(DefaultMQProducer producer, String topic, int from, int to) throws Exception {
        for (int number = from; number < to; number++) {
            sendSelected(producer, topic, number);
        }
    }
}
