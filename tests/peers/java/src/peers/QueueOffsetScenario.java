// SPDX-License-Identifier: Apache-2.0
package peers;

import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;

/** What a queue says of itself: first and next offset, offset by time, time of its first message. */
final class QueueOffsetScenario implements Scenario {
    private static final int HALF = 10;
    private static final long HOUR_MS = 3_600_000;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, 4);
        MessageQueue queue = Session.queues(producer, session.topic).get(1);
        long before = System.currentTimeMillis();
        for (int i = 0; i < HALF; i++) {
            producer.send(Sender.message(session.topic, i), queue);
        }
        long between = nextMillisecond();
        SendResult last = null;
        for (int i = 0; i < HALF; i++) {
            last = producer.send(Sender.message(session.topic, i), queue);
        }
        long end = last.getQueueOffset() + 1;
        report.fact("last_offset", end - 1);
        Wait.until("the last message to be visible", () -> producer.maxOffset(queue) >= end);
        report.fact("max", producer.maxOffset(queue));
        report.fact("min", producer.minOffset(queue));
        report.fact("search_beginning", producer.searchOffset(queue, 0));
        report.fact("search_between", producer.searchOffset(queue, between));
        report.fact("search_future", producer.searchOffset(queue, between + HOUR_MS));
        long earliest = producer.earliestMsgStoreTime(queue);
        report.must("earliest_is_near", true, earliest <= between && earliest > before - HOUR_MS);
    }

    /** A time after all messages so far and before all that follow. */
    private static long nextMillisecond() throws Exception {
        long now = System.currentTimeMillis();
        Wait.until("the clock to move", () -> System.currentTimeMillis() > now + 1);
        return now + 1;
    }
}
