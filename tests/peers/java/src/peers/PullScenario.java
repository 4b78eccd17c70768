// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/** Every status that one pull may end in, with the offsets that come with it. */
final class PullScenario implements Scenario {
    private static final int N = 30;
    private static final int MAX = 32;

    private DefaultMQPullConsumer consumer;
    private Report report;

    @Override
    public void run(Session session, Report to) throws Exception {
        report = to;
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, 4);
        MessageQueue queue = Session.queues(producer, session.topic).get(2);
        for (int i = 1; i < N; i++) {
            producer.send(Sender.message(session.topic, i), queue);
        }
        Wait.until("all messages to be visible", () -> producer.maxOffset(queue) == N);

        consumer = session.startedPullConsumer("pull");
        pull("from_first", queue, "*", 0, MAX);
        pull("few", queue, "*", 5, 3);
        pull("by_tag", queue, "TagB", 0, MAX);
        pull("by_two_tags", queue, "TagA || TagC", 0, MAX);
        pull("by_unknown_tag", queue, "NoSuchTag", 0, MAX);
        pull("at_end", queue, "*", N, MAX);
        pull("beyond_end", queue, "*", N + 100, MAX);
        MessageQueue noQueue = new MessageQueue(session.topic, queue.getBrokerName(), 99);
        MessageQueue noTopic = new MessageQueue(session.topic + "-unknown", queue.getBrokerName(), 0);
        Failures.of(report, "unknown_queue", () -> consumer.pull(noQueue, "*", 0, MAX));
        Failures.of(report, "unknown_topic", () -> consumer.pull(noTopic, "*", 0, MAX));
        pullWaiting(producer, queue);
    }

    private void pull(String name, MessageQueue queue, String expression, long offset, int max) throws Exception {
        report.fact(name, facts(consumer.pull(queue, expression, offset, max)));
    }

    /** A pull at the end of the queue is answered when a message arrives, not before. */
    private void pullWaiting(DefaultMQProducer producer, MessageQueue queue) throws Exception {
        CompletableFuture<PullResult> waiting = new CompletableFuture<>();
        Thread puller = new Thread(() -> {
            try {
                waiting.complete(consumer.pullBlockIfNotFound(queue, "*", N, MAX));
            } catch (Exception e) {
                waiting.completeExceptionally(e);
            }
        });
        puller.start();
        // Nothing shows from outside that a pull is parked: give it a moment, either order must work.
        report.must("answered_early", false, isDoneWithin(waiting, 300));
        producer.send(Sender.message(queue.getTopic(), N), queue);
        report.fact("waiting", facts(waiting.get(30, TimeUnit.SECONDS)));
        puller.join();
    }

    private static boolean isDoneWithin(CompletableFuture<?> future, int ms) throws Exception {
        try {
            future.get(ms, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    private static Map<String, Object> facts(PullResult result) {
        Map<String, Object> facts = new TreeMap<>();
        facts.put("status", result.getPullStatus().name());
        facts.put("next", result.getNextBeginOffset());
        facts.put("min", result.getMinOffset());
        facts.put("max", result.getMaxOffset());
        int count = result.getMsgFoundList() == null ? 0 : result.getMsgFoundList().size();
        facts.put("count", count);
        if (count > 0) {
            facts.put("first", result.getMsgFoundList().get(0).getQueueOffset());
            facts.put("last", result.getMsgFoundList().get(count - 1).getQueueOffset());
        }
        return facts;
    }
}
