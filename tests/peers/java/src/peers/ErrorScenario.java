// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.List;
import java.util.Random;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** The codes of refused requests, and that the connection serves the next request all the same. */
final class ErrorScenario implements Scenario {
    private static final int OVER_BROKER_LIMIT = 5 << 20; // the broker's maxMessageSize is 4 MiB

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.newProducer();
        producer.setMaxMessageSize(2 * OVER_BROKER_LIMIT);
        producer.start();
        Sender.send(producer, session.topic, 0, 1);
        MessageQueue queue = Session.queues(producer, session.topic).get(0);
        MessageQueue noQueue = new MessageQueue(session.topic, queue.getBrokerName(), 99);

        Failures.of(report, "route_of_unknown_topic",
            () -> producer.fetchPublishMessageQueues(session.topic + "-unknown"));
        Failures.of(report, "send_to_unknown_queue", () -> producer.send(Sender.message(session.topic, 1), noQueue));
        Failures.of(report, "send_over_limit", () -> producer.send(new Message(session.topic, random()), queue));
        Failures.of(report, "batch_over_limit", () ->
            producer.send(List.of(new Message(session.topic, random()), new Message(session.topic, new byte[1])), queue));
        Failures.of(report, "send_without_template", () -> {
            DefaultMQProducer other = session.newProducer();
            other.setProducerGroup(session.group("no-template"));
            other.setCreateTopicKey("NoSuchTemplate");
            other.start();
            return other.send(Sender.message(session.topic + "-unknown", 0));
        });
        report.fact("max_of_unknown_queue", producer.maxOffset(noQueue));
        report.fact("min_of_unknown_queue", producer.minOffset(noQueue));
        report.must("still_serves", "SEND_OK", producer.send(Sender.message(session.topic, 2), queue).getSendStatus().name());
    }

    private static byte[] random() {
        byte[] body = new byte[OVER_BROKER_LIMIT];
        new Random(1).nextBytes(body); // the client compresses what it can
        return body;
    }
}
