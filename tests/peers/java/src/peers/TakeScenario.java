// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A push consumer of the group "takers" reports the bodies of all that it gets, in their order: n messages, and what
 * comes in the second after them. Whoever runs it says what was sent, and which nodes are there.
 */
final class TakeScenario implements Scenario {
    private static final long QUIET_MS = 1_000;

    @Override
    public void run(Session session, Report report) throws Exception {
        int n = session.args.number("n", 0);
        List<String> bodies = new CopyOnWriteArrayList<>();
        AtomicLong last = new AtomicLong(System.nanoTime());
        DefaultMQPushConsumer consumer = session.newPushConsumer("takers");
        consumer.setConsumeThreadMin(1);
        consumer.setConsumeThreadMax(1);
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((List<MessageExt> messages,
            ConsumeConcurrentlyContext context) -> {
            for (MessageExt message : messages) {
                bodies.add(new String(message.getBody(), StandardCharsets.UTF_8));
            }
            last.set(System.nanoTime());
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Wait.until(n + " messages", () -> bodies.size() >= n
            && System.nanoTime() - last.get() > TimeUnit.MILLISECONDS.toNanos(QUIET_MS));
        report.fact("bodies", bodies.stream().collect(Collectors.joining(" ")));
        consumer.shutdown(); // commits
    }
}
