// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Delayed messages come when they are due, not before, in their order, and look as they were sent. */
final class DelayScenario implements Scenario {
    private static final int EACH = 20;
    /** What the default levels 1 and 2 wait. */
    private static final Map<Integer, Long> LEVELS = Map.of(0, 0L, 1, 1_000L, 2, 5_000L);
    private static final long SLACK_MS = 20_000; // of a loaded machine; how exact it is is measured elsewhere

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        List<MessageExt> got = Collections.synchronizedList(new ArrayList<>());
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            got.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        for (int number = 0; number < LEVELS.size() * EACH; number++) {
            Message message = Sender.message(session.topic, number);
            message.setDelayTimeLevel(number % LEVELS.size());
            producer.send(message, (queues, m, arg) -> queues.get(0), number);
        }
        consumer.start();
        Wait.until("all messages", () -> got.size() >= LEVELS.size() * EACH);

        Map<Integer, List<Integer>> order = new TreeMap<>();
        TreeSet<String> properties = new TreeSet<>();
        int early = 0;
        int late = 0;
        got.sort((a, b) -> Long.compare(a.getQueueOffset(), b.getQueueOffset()));
        for (MessageExt message : got) {
            int number = Sender.number(message.getBody());
            long took = message.getStoreTimestamp() - message.getBornTimestamp();
            long due = LEVELS.get(number % LEVELS.size());
            order.computeIfAbsent(number % LEVELS.size(), level -> new ArrayList<>()).add(number);
            early += took < due ? 1 : 0;
            late += took > due + SLACK_MS ? 1 : 0;
            properties.addAll(message.getProperties().keySet());
            if (!message.getTopic().equals(session.topic) || message.getDelayTimeLevel() != number % LEVELS.size()) {
                report.problem(message.toString());
            }
        }
        report.must("early", 0, early);
        report.must("late", 0, late);
        report.fact("order", order);
        report.fact("properties", properties);
    }
}
