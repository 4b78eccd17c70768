// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageQueue;

/** A lite pull consumer that subscribes: the group shares queues, the application polls and commits. */
final class LiteSubscribeScenario implements Scenario {
    private static final int HALF = 100;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, HALF);
        List<MessageQueue> queues = Session.queues(producer, session.topic);

        DefaultLitePullConsumer first = started(session);
        Receipts.poll(first, HALF).mustBe(report, "first_", 0, HALF, n -> true, true);
        report.fact("stored_before_commit", session.storedOffsets(producer, "lite", queues));
        first.commitSync(); // hands the polled offsets to the client, which sends them
        first.shutdown();
        session.awaitStored(producer, "lite", queues, HALF);
        report.fact("stored_after_commit", session.storedOffsets(producer, "lite", queues));

        Sender.sendSelected(producer, session.topic, HALF, 2 * HALF);
        DefaultLitePullConsumer second = started(session);
        Receipts.poll(second, HALF).mustBe(report, "second_", HALF, 2 * HALF, n -> true, true);
    }

    private static DefaultLitePullConsumer started(Session session) throws Exception {
        DefaultLitePullConsumer consumer = session.newLitePullConsumer("lite");
        consumer.subscribe(session.topic, "*");
        consumer.start();
        return consumer;
    }
}
