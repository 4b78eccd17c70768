// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Bodies of every size class come back byte for byte; from 4 KiB on the client compresses them. */
final class BodyScenario implements Scenario {
    private static final int[] SIZES = {1, 128, 4095, 4097, 65_536, 1 << 20, 3 << 20};

    @Override
    public void run(Session session, Report report) throws Exception {
        List<byte[]> bodies = new ArrayList<>();
        Random random = new Random(7);
        for (int size : SIZES) {
            byte[] text = new byte[size];
            Arrays.fill(text, (byte) 'x');
            bodies.add(text);
            byte[] noise = new byte[size];
            random.nextBytes(noise);
            bodies.add(noise);
        }
        DefaultMQProducer producer = session.startedProducer();
        List<String> statuses = new ArrayList<>();
        for (int i = 0; i < bodies.size(); i++) {
            Message message = new Message(session.topic, "", "b" + i, bodies.get(i));
            statuses.add(producer.send(message).getSendStatus().name());
        }
        report.fact("statuses", statuses);
        Session.queues(producer, session.topic);
        reportBodies(receive(session, bodies.size()), bodies, report);
    }

    private static Map<String, MessageExt> receive(Session session, int n) throws Exception {
        Map<String, MessageExt> got = new ConcurrentHashMap<>();
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> got.put(message.getKeys(), message));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Wait.until(n + " messages", () -> got.size() >= n);
        return got;
    }

    private static void reportBodies(Map<String, MessageExt> got, List<byte[]> bodies, Report report) {
        Map<Integer, Object> flags = new TreeMap<>();
        int different = 0;
        for (int i = 0; i < bodies.size(); i++) {
            MessageExt message = got.get("b" + i);
            flags.put(i, message.getSysFlag());
            different += Arrays.equals(message.getBody(), bodies.get(i)) ? 0 : 1;
        }
        report.must("bodies_that_differ", 0, different);
        report.fact("sys_flags", flags);
    }
}
