// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/** A lite pull consumer that takes two queues by hand, reads them, seeks back in one, and commits for them only. */
final class LiteAssignScenario implements Scenario {
    private static final int N = 100;
    private static final int EACH = N / Session.QUEUES;
    private static final int SEEK = 10;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, N);
        Session.queues(producer, session.topic);

        DefaultLitePullConsumer consumer = session.newLitePullConsumer("lite");
        consumer.start();
        List<MessageQueue> all = new ArrayList<>(consumer.fetchMessageQueues(session.topic));
        all.sort(null);
        List<MessageQueue> mine = all.stream().filter(q -> q.getQueueId() % 2 == 1).collect(Collectors.toList());
        report.fact("all_queues", all.size());
        consumer.assign(mine);
        Receipts.poll(consumer, 2 * EACH).mustBe(report, "assigned_", 0, N, n -> n % 2 == 1, true);
        consumer.seek(mine.get(0), SEEK);
        Receipts.poll(consumer, EACH - SEEK).mustBe(report, "sought_", 0, N,
            n -> n % Session.QUEUES == 1 && n / Session.QUEUES >= SEEK, true);

        consumer.commitSync();
        TreeMap<Integer, Long> committed = new TreeMap<>();
        for (MessageQueue queue : mine) {
            committed.put(queue.getQueueId(), consumer.committed(queue));
        }
        report.fact("committed", committed);
        report.fact("by_time", consumer.offsetForTimestamp(mine.get(1), 0L));
        consumer.shutdown();
        session.awaitStored(producer, "lite", all, 2 * EACH);
        report.fact("stored", session.storedOffsets(producer, "lite", all));
    }
}
