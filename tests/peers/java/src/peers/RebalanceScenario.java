// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Two consumers of one group share the queues; when one leaves, the other takes them all. The JVM's own round of
 * balancing is set to minutes (rocketmq.client.rebalance.waitInterval), so only the broker's notice can cause it.
 */
final class RebalanceScenario implements Scenario {
    private static final int PART = 40;

    private Session session;
    private Report report;
    private DefaultMQProducer producer;
    private List<MessageQueue> queues;
    private final List<Member> members = new ArrayList<>();

    @Override
    public void run(Session in, Report to) throws Exception {
        session = in;
        report = to;
        producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, 4);
        queues = Session.queues(producer, session.topic);

        Member a = new Member();
        Wait.until("a to hold all queues", () -> a.queues().size() == 4);
        sendPart("alone", 4, a);

        Member b = new Member();
        Wait.until("a and b to share", () -> a.queues().size() == 2 && b.queues().size() == 2);
        Set<Integer> both = new TreeSet<>(a.queues());
        both.addAll(b.queues());
        report.must("shared_queues", 4, both.size());
        report.must("consumer_ids_shared", 2, consumerIds());
        sendPart("shared", PART, a, b);
        report.fact("each_while_shared", List.of(a.receipts.total() - PART, b.receipts.total()));

        b.consumer.shutdown();
        Wait.until("a to take b's queues", () -> a.queues().size() == 4);
        report.must("consumer_ids_after", 1, consumerIds());
        sendPart("after", 2 * PART, a);
        report.fact("each_in_the_end", List.of(a.receipts.total(), b.receipts.total()));
    }

    /** Sends up to the next PART of numbers, waits until they came to anyone and the running ones committed. */
    private void sendPart(String name, int from, Member... running) throws Exception {
        int to = from / PART * PART + PART;
        Sender.sendSelected(producer, session.topic, from, to);
        Wait.until("all " + name, () -> members.stream().mapToInt(m -> m.receipts.distinct()).sum() >= to);
        report.must("delivered_" + name, (long) to, members.stream().mapToLong(m -> m.receipts.total()).sum());
        session.awaitConsumed(to, Arrays.stream(running).map(m -> m.consumer).toArray(DefaultMQPushConsumer[]::new));
        for (Member member : running) {
            member.consumer.getDefaultMQPushConsumerImpl().persistConsumerOffset();
        }
        session.awaitStored(producer, "shared", queues, to);
    }

    private int consumerIds() {
        return Session.instance(producer).findConsumerIdList(session.topic, session.group("shared")).size();
    }

    private final class Member {
        final Receipts receipts = new Receipts();
        final DefaultMQPushConsumer consumer = session.newPushConsumer("shared");

        Member() throws Exception {
            consumer.subscribe(session.topic, "*");
            receipts.listenTo(consumer);
            consumer.start();
            members.add(this);
        }

        Set<Integer> queues() {
            return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet().stream()
                .filter(queue -> queue.getTopic().equals(session.topic)).map(MessageQueue::getQueueId)
                .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
