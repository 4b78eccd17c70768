// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageQueue;

/** What tools ask a broker about running consumers, and that a consumer follows a reset offset. */
final class RelayScenario implements Scenario {
    private static final int N = 40;
    private static final int TIMEOUT_MS = 20_000;

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        SendResult last = null;
        for (int i = 0; i < N; i++) {
            last = Sender.sendSelected(producer, session.topic, i);
        }
        List<MessageQueue> queues = Session.queues(producer, session.topic);
        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer("group");
        consumer.subscribe(session.topic, "*");
        receipts.listenTo(consumer);
        consumer.start();
        Wait.until("all messages", () -> receipts.distinct() == N);
        session.awaitConsumed(N, consumer);

        MQClientInstance instance = Session.instance(producer);
        MQClientAPIImpl api = instance.getMQClientAPIImpl();
        String broker = instance.findBrokerAddressInPublish(queues.get(0).getBrokerName());
        String group = session.group("group");
        String id = Session.instance(consumer).getClientId();

        var info = api.getConsumerRunningInfo(broker, group, id, true, TIMEOUT_MS);
        report.fact("subscriptions", info.getSubscriptionSet().size());
        report.fact("queues", info.getMqTable().keySet().stream().filter(q -> q.getTopic().equals(session.topic)).count());
        report.fact("has_jstack", info.getJstack() != null && !info.getJstack().isEmpty());
        report.fact("no_jstack", api.getConsumerRunningInfo(broker, group, id, false, TIMEOUT_MS).getJstack() == null);
        Failures.of(report, "unknown_client", () -> api.getConsumerRunningInfo(broker, group, "nobody", false, TIMEOUT_MS));

        Map<String, Map<MessageQueue, Long>> status =
            api.invokeBrokerToGetConsumerStatus(broker, session.topic, group, id, TIMEOUT_MS);
        TreeMap<Integer, Long> offsets = new TreeMap<>();
        status.get(id).forEach((queue, offset) -> offsets.put(queue.getQueueId(), offset));
        report.fact("status", offsets);

        long before = receipts.total();
        reset(session, report, api, broker, group);
        Wait.until("everything again", () -> {
            Session.instance(consumer).rebalanceImmediately(); // 4.9.8 gives the queues up and waits for this
            return receipts.total() == before + N;
        });
        report.fact("again", receipts.total() - before);
        report.fact("last_offset_id_is_long", last.getOffsetMsgId().length());
    }

    private static void reset(Session session, Report report, MQClientAPIImpl api, String broker, String group)
        throws Exception {
        TreeMap<Integer, Long> offsets = new TreeMap<>();
        api.invokeBrokerToResetOffset(broker, session.topic, group, 0, true, TIMEOUT_MS)
            .forEach((queue, offset) -> offsets.put(queue.getQueueId(), offset));
        report.fact("reset", offsets);
    }
}
