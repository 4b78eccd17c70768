// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageQueue;

/** Where a new group begins that asks for the last offset: the broker decides it for a young topic. */
final class FromLastScenario implements Scenario {
    private static final int OLD = 40;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, OLD);
        List<MessageQueue> queues = Session.queues(producer, session.topic);
        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer("last");
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        consumer.setConsumeThreadMin(1);
        consumer.setConsumeThreadMax(1);
        consumer.subscribe(session.topic, "*");
        receipts.listenTo(consumer);
        consumer.start();
        Wait.until("an offset for every queue", () -> consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl()
            .getProcessQueueTable().keySet().containsAll(queues));
        // One more for each queue: what came before it on its queue has then come, or never will.
        Sender.sendSelected(producer, session.topic, OLD, OLD + queues.size());
        for (int i = 0; i < queues.size(); i++) {
            int number = OLD + i;
            Wait.until("message " + number, () -> receipts.has(number));
        }
        report.fact("received", receipts.total());
        report.fact("per_queue", receipts.perQueue());
    }
}
