// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/**
 * A push consumer gets n messages, half of them sent before it starts, half while it runs. With mode=ordered one
 * thread serves a concurrent listener, which keeps each queue's order; mode=orderly uses the broker's queue locks;
 * mode=concurrent leaves the client's default threads, which promise no order.
 */
final class PushScenario implements Scenario {
    @Override
    public void run(Session session, Report report) throws Exception {
        int n = session.args.number("n", 200);
        String mode = session.args.text("mode", "ordered");
        String expression = session.args.text("tags", "*");
        IntPredicate wanted = wantedBy(expression);
        int wantedCount = (int) IntStream.range(0, n).filter(wanted).count();

        DefaultMQProducer producer = session.startedProducer();
        Sender.send(producer, session.topic, 0, n / 2);
        report.fact("queues", Session.queues(producer, session.topic).size());

        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        if (mode.equals("ordered")) {
            consumer.setConsumeThreadMin(1);
            consumer.setConsumeThreadMax(1);
        }
        consumer.subscribe(session.topic, expression);
        receipts.listenTo(consumer, mode.equals("orderly"));
        consumer.start();
        Sender.send(producer, session.topic, n / 2, n);

        Wait.until(wantedCount + " messages", () -> receipts.distinct() >= wantedCount);
        receipts.mustBe(report, "", 0, n, wanted, !mode.equals("concurrent"));
    }

    private static IntPredicate wantedBy(String expression) {
        if (expression.equals("*")) {
            return number -> true;
        }
        Set<String> tags = Arrays.stream(expression.split("\\|\\|")).map(String::trim)
            .collect(Collectors.toCollection(TreeSet::new));
        return number -> tags.contains(Sender.tag(number));
    }
}
