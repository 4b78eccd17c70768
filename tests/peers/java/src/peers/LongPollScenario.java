// SPDX-License-Identifier: Apache-2.0
package peers;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/**
 * Messages reach a consumer that already waits, one at a time. A broker that leaves a waiting pull until its own
 * timers end it needs seconds for each, and misses the limit for all.
 */
final class LongPollScenario implements Scenario {
    private static final int ROUNDS = 40;
    private static final int LIMIT_S = 20;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, 4);
        Session.queues(producer, session.topic);
        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        receipts.listenTo(consumer);
        consumer.start();
        Wait.until("the first messages", () -> receipts.distinct() == 4);

        long start = System.nanoTime();
        long end = start + LIMIT_S * 1_000_000_000L;
        for (int i = 0; i < ROUNDS; i++) {
            int number = 4 + i;
            Sender.sendSelected(producer, session.topic, number);
            int left = Math.max(1, (int) ((end - System.nanoTime()) / 1_000_000_000L));
            Wait.until("message " + number + " within " + LIMIT_S + " s for all", left, () -> receipts.has(number));
        }
        report.note("ms_each", (System.nanoTime() - start) / 1_000_000 / ROUNDS);
        receipts.mustBe(report, "", 0, 4 + ROUNDS);
    }
}
