// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;

/** What a consumer was given: how often each number came, and whether each queue kept its order. Thread-safe. */
final class Receipts {
    private static final int POLL_MS = 200;

    private final Map<Integer, Integer> times = new HashMap<>();
    private final Map<Integer, Long> lastOffset = new TreeMap<>();
    private final Map<Integer, Integer> lastNumber = new HashMap<>();
    private final Map<Integer, Long> perQueue = new TreeMap<>();
    private final Map<String, Long> perTag = new TreeMap<>();
    private long total;
    private long outOfOrder;

    synchronized void add(MessageExt message) {
        int number = Sender.number(message.getBody());
        int queue = message.getQueueId();
        total++;
        times.merge(number, 1, Integer::sum);
        perQueue.merge(queue, 1L, Long::sum);
        perTag.merge(String.valueOf(message.getTags()), 1L, Long::sum);
        Long offsetBefore = lastOffset.put(queue, message.getQueueOffset());
        Integer numberBefore = lastNumber.put(queue, number);
        if (offsetBefore != null && (offsetBefore >= message.getQueueOffset() || numberBefore >= number)) {
            outOfOrder++;
        }
    }

    void addAll(List<MessageExt> messages) {
        messages.forEach(this::add);
    }

    synchronized int distinct() {
        return times.size();
    }

    synchronized boolean has(int number) {
        return times.containsKey(number);
    }

    synchronized long total() {
        return total;
    }

    synchronized TreeMap<Integer, Long> perQueue() {
        return new TreeMap<>(perQueue);
    }

    /** Records that exactly the numbers [from, to) that are wanted came, each once; and the order if asked. */
    synchronized void mustBe(Report report, String prefix, int from, int to, IntPredicate wanted, boolean ordered) {
        TreeSet<Integer> missing = new TreeSet<>();
        IntStream.range(from, to).filter(wanted).filter(n -> !times.containsKey(n)).forEach(missing::add);
        long foreign = times.keySet().stream().filter(n -> n < from || n >= to || !wanted.test(n)).count();
        report.fact(prefix + "received", total);
        report.must(prefix + "duplicates", 0L, total - times.size());
        report.must(prefix + "missing", 0, missing.size());
        report.must(prefix + "unwanted", 0L, foreign);
        report.fact(prefix + "per_tag", new TreeMap<>(perTag));
        if (ordered) {
            report.must(prefix + "out_of_order", 0L, outOfOrder);
        }
        if (!missing.isEmpty()) {
            report.note(prefix + "first_missing", missing.first());
        }
    }

    void mustBe(Report report, String prefix, int from, int to) {
        mustBe(report, prefix, from, to, n -> true, false);
    }

    /** Gives every message that the consumer gets to these receipts. */
    void listenTo(DefaultMQPushConsumer consumer, boolean orderly) {
        if (orderly) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                addAll(messages);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                addAll(messages);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
    }

    void listenTo(DefaultMQPushConsumer consumer) {
        listenTo(consumer, false);
    }

    /** Polls until so many messages came. */
    static Receipts poll(DefaultLitePullConsumer consumer, int count) throws Exception {
        Receipts receipts = new Receipts();
        Wait.until(count + " messages", () -> {
            receipts.addAll(consumer.poll(POLL_MS));
            return receipts.distinct() >= count;
        });
        return receipts;
    }
}
