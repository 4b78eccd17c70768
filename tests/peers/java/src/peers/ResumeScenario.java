// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/** A group's offsets outlive its consumer: the next one gets only what is new. Another group gets all. */
final class ResumeScenario implements Scenario {
    private static final int HALF = 40;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, HALF);
        List<MessageQueue> queues = Session.queues(producer, session.topic);
        report.fact("stored_before", session.storedOffsets(producer, "group", queues));

        consume(session, "group", 0, HALF, report, "first_");
        session.awaitStored(producer, "group", queues, HALF);
        report.fact("stored_after_first", session.storedOffsets(producer, "group", queues));

        Sender.sendSelected(producer, session.topic, HALF, 2 * HALF);
        consume(session, "group", HALF, 2 * HALF, report, "second_");
        session.awaitStored(producer, "group", queues, 2 * HALF);
        consume(session, "other", 0, 2 * HALF, report, "other_group_");
    }

    private static void consume(Session session, String role, int from, int to, Report report, String prefix)
        throws Exception {
        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer(role);
        consumer.subscribe(session.topic, "*");
        receipts.listenTo(consumer);
        consumer.start();
        Wait.until("numbers up to " + to, () -> receipts.distinct() >= to - from);
        session.awaitConsumed(to, consumer);
        consumer.shutdown(); // commits
        receipts.mustBe(report, prefix, from, to);
    }
}
