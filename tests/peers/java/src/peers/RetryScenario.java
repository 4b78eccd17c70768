// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A consumer that fails: each message comes again as often as the group says, then stands in the group's dead letter
 * topic. mode=concurrent sends back with level 1; mode=orderly suspends its queue.
 */
final class RetryScenario implements Scenario {
    private static final int MESSAGES = 8;
    private static final int RETRIES = 2;

    private final List<MessageExt> tries = Collections.synchronizedList(new ArrayList<>());
    private final List<MessageExt> dead = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer producer = session.startedProducer();
        Sender.sendSelected(producer, session.topic, 0, MESSAGES);
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.setMaxReconsumeTimes(RETRIES);
        consumer.subscribe(session.topic, "*");
        if (session.args.text("mode").equals("orderly")) {
            consumer.setSuspendCurrentQueueTimeMillis(50);
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                tries.addAll(messages);
                return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                tries.addAll(messages);
                context.setDelayLevelWhenNextConsume(1);
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            });
        }
        consumer.start();
        Wait.until("the first tries", () -> tries.size() >= MESSAGES);
        followRetries(session, consumer);
        Wait.until("the tries", () -> tries.size() >= MESSAGES * (RETRIES + 1));

        DefaultMQPushConsumer undertaker = session.newPushConsumer("undertaker");
        undertaker.subscribe(MixAll.getDLQTopic(session.group("push")), "*");
        undertaker.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            dead.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        undertaker.start();
        Wait.until("the dead", 60, () -> dead.size() >= MESSAGES);
        report.must("tries", MESSAGES * (RETRIES + 1), tries.size());
        report.fact("tried", counts(tries));
        report.fact("dead", counts(dead));
        report.fact("properties of the dead", properties(session));
    }

    /** The retry topic is made by the consumer's first heartbeat, after it looked for its queues; these clients do not
     *  look again by themselves. */
    private static void followRetries(Session session, DefaultMQPushConsumer consumer) {
        MQClientInstance instance = Session.instance(consumer);
        instance.updateTopicRouteInfoFromNameServer(MixAll.getRetryTopic(session.group("push")));
        instance.rebalanceImmediately();
    }

    /** How often each number was seen. */
    private static Map<Integer, Integer> counts(List<MessageExt> messages) {
        Map<Integer, Integer> counts = new TreeMap<>();
        for (MessageExt message : List.copyOf(messages)) {
            counts.merge(Sender.number(message.getBody()), 1, Integer::sum);
        }
        return counts;
    }

    private Map<String, Object> properties(Session session) {
        MessageExt one = dead.get(0);
        Map<String, Object> seen = new TreeMap<>();
        seen.put("names", new TreeSet<>(one.getProperties().keySet()));
        seen.put("reconsume_times", one.getReconsumeTimes());
        seen.put("from_topic", session.topic.equals(one.getProperty("RETRY_TOPIC")));
        for (String name : List.of("DELAY", "WAIT")) {
            seen.put(name, one.getProperty(name));
        }
        return seen;
    }
}
