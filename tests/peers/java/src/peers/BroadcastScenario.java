// SPDX-License-Identifier: Apache-2.0
package peers;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** In a broadcasting group every consumer gets every message. */
final class BroadcastScenario implements Scenario {
    private static final int N = 100;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.send(producer, session.topic, 0, N / 2);
        Session.queues(producer, session.topic);
        Receipts one = started(session, "one");
        Receipts two = started(session, "two");
        Sender.send(producer, session.topic, N / 2, N);
        Wait.until("both to get all", () -> one.distinct() >= N && two.distinct() >= N);
        one.mustBe(report, "one_", 0, N);
        two.mustBe(report, "two_", 0, N);
    }

    private static Receipts started(Session session, String instance) throws Exception {
        DefaultMQPushConsumer consumer = session.newPushConsumer("all");
        consumer.setInstanceName(session.topic + "-" + instance);
        // MessageModel lives in another package since 5.0.
        consumer.setMessageModel(Enum.valueOf(consumer.getMessageModel().getDeclaringClass(), "BROADCASTING"));
        consumer.subscribe(session.topic, "*");
        Receipts receipts = new Receipts();
        receipts.listenTo(consumer);
        consumer.start();
        return receipts;
    }
}
