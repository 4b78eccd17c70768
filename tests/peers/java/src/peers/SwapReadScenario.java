// SPDX-License-Identifier: Apache-2.0
package peers;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Reads every message of every queue of the {@code topics} and writes a line for each into the file {@code out}: topic,
 * queue, queue offset, offset id, time stored, content. The facts are each queue's bounds and stored offset; then
 * half of each queue is committed.
 */
final class SwapReadScenario implements Scenario {
    private static final int MAX = 64;

    private final Map<String, Object> bounds = new TreeMap<>();
    private final Map<String, Object> stored = new TreeMap<>();
    private final Map<String, Object> committed = new TreeMap<>();
    private DefaultMQPullConsumer consumer;
    private Report report;

    @Override
    public void run(Session session, Report to) throws Exception {
        report = to;
        consumer = session.startedPullConsumer("reader");
        Path file = Path.of(session.args.text("out"));
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
            for (String topic : session.args.text("topics").split(",")) {
                for (MessageQueue queue : queues(topic)) {
                    read(queue, out);
                }
            }
        }
        report.fact("bounds", bounds);
        report.fact("stored", stored);
        report.fact("committed", committed);
    }

    private Set<MessageQueue> queues(String topic) throws Exception {
        List<Set<MessageQueue>> found = new java.util.ArrayList<>();
        Wait.until("the route of " + topic, () -> {
            try {
                found.add(consumer.fetchSubscribeMessageQueues(topic));
                return true;
            } catch (MQClientException e) {
                return false;
            }
        });
        return new java.util.TreeSet<>(found.get(0));
    }

    private void read(MessageQueue queue, PrintWriter out) throws Exception {
        String name = queue.getTopic() + "-" + queue.getQueueId();
        long at = consumer.minOffset(queue);
        long end = consumer.maxOffset(queue);
        bounds.put(name, List.of(at, end));
        stored.put(name, consumer.fetchConsumeOffset(queue, true));
        while (at < end) {
            PullResult result = consumer.pull(queue, "*", at, MAX);
            if (result.getPullStatus() != PullStatus.FOUND || result.getNextBeginOffset() <= at) {
                report.problem(name + " at " + at + " of " + end + ": " + result);
                return;
            }
            for (MessageExt message : result.getMsgFoundList()) {
                if (message.getQueueOffset() != at) {
                    report.problem(name + ": offset " + message.getQueueOffset() + " where " + at + " should be");
                }
                at = message.getQueueOffset() + 1;
                out.println(line(message));
            }
        }
        commit(queue, name, end);
    }

    private void commit(MessageQueue queue, String name, long end) throws Exception {
        long half = end / 2;
        consumer.getDefaultMQPullConsumerImpl().updateConsumeOffset(queue, half);
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, half, false);
        committed.put(name, half);
    }

    private static String line(MessageExt message) throws Exception {
        return String.join("\t", message.getTopic(), String.valueOf(message.getQueueId()),
            String.valueOf(message.getQueueOffset()), SwapQueryScenario.offsetId(message),
            String.valueOf(message.getStoreTimestamp()), SwapMessages.content(message));
    }
}
