// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/** Consumers that select messages by their properties: what they get, and what they are told of bad expressions. */
final class SqlScenario implements Scenario {
    private static final int N = 90;
    private static final int MAX = 32;
    private static final List<String> REGIONS = List.of("eu", "us", "it's");
    private static final List<String> REFUSED = List.of("amount >", "amount > 'x'", "amount NOT 5", "amount = 'x",
        "region IN (5)", "amount BETWEEN 9 AND 1", "5", "amount = 1 ?", "amount = 0.0");

    private DefaultMQProducer producer;
    private Session session;
    private Report report;

    @Override
    public void run(Session with, Report to) throws Exception {
        session = with;
        report = to;
        producer = session.startedProducer();
        send(0, N / 2);
        push("some", "amount BETWEEN 10 AND 70 AND TAGS = 'TagB' OR region = 'it''s' AND NOT (amount < 80)",
            n -> n >= 10 && n <= 70 && n % 3 == 1 || n % 4 == 2 && n >= 80);
        push("none_of_these", "region NOT IN ('eu', 'us') AND KEYS ENDSWITH '4'", n -> n % 4 == 2 && n % 10 == 4);
        push("missing", "region IS NULL AND TAGS <> 'TagA'", n -> n % 4 == 3 && n % 3 != 0);
        pollLite();
        pull();
        for (String expression : REFUSED) {
            refuse(expression);
        }
    }

    private static Message message(String topic, int number) {
        Message message = Sender.message(topic, number);
        message.putUserProperty("amount", String.valueOf(number));
        if (number % 4 < REGIONS.size()) {
            message.putUserProperty("region", REGIONS.get(number % 4));
        }
        return message;
    }

    private void send(int from, int to) throws Exception {
        for (int number = from; number < to; number++) {
            producer.send(message(session.topic, number));
        }
    }

    /** Half of the messages may be there before the consumer. */
    private void push(String name, String expression, IntPredicate wanted) throws Exception {
        Receipts receipts = new Receipts();
        DefaultMQPushConsumer consumer = session.newPushConsumer(name);
        consumer.subscribe(session.topic, MessageSelector.bySql(expression));
        receipts.listenTo(consumer);
        consumer.start();
        if (name.equals("some")) {
            send(N / 2, N);
        }
        long count = IntStream.range(0, N).filter(wanted).count();
        Wait.until(count + " messages", () -> receipts.distinct() >= count);
        receipts.mustBe(report, name + "_", 0, N, wanted, false);
        consumer.shutdown();
    }

    private void pollLite() throws Exception {
        DefaultLitePullConsumer consumer = session.newLitePullConsumer("lite");
        consumer.subscribe(session.topic, MessageSelector.bySql("amount > 80.5"));
        consumer.start();
        Receipts.poll(consumer, N - 81).mustBe(report, "lite_", 0, N, n -> n > 80, false);
    }

    /** Pulls that bring their expression along. */
    private void pull() throws Exception {
        MessageQueue queue = Session.queues(producer, session.topic).get(1);
        for (int number = 0; number < MAX; number++) {
            producer.send(message(queue.getTopic(), number), queue);
        }
        DefaultMQPullConsumer consumer = session.startedPullConsumer("pull");
        long first = producer.maxOffset(queue) - MAX;
        Wait.until("all messages to be visible", () -> producer.maxOffset(queue) >= first + MAX);
        Wait.until("a heartbeat to tell the broker's version", () -> {
            try {
                return consumer.pull(queue, MessageSelector.bySql("TRUE"), first, 1) != null;
            } catch (MQClientException e) {
                return false;
            }
        });
        for (String expression : List.of("amount IN ('3', '17', '30')", "amount > 9", "region > 5", "NOT (region > 5)",
            "amount IS NULL", "TRUE", "absent = 5", "region = 'eu' trailing words ?")) {
            PullResult result = consumer.pull(queue, MessageSelector.bySql(expression), first, MAX);
            report.fact("pull " + expression, facts(result, first));
        }
        Failures.of(report, "pull_tag", () -> consumer.pull(queue, MessageSelector.byTag("TagA"), first, MAX));
    }

    private static Map<String, Object> facts(PullResult result, long first) {
        Map<String, Object> facts = new TreeMap<>();
        facts.put("status", result.getPullStatus().name());
        facts.put("next", result.getNextBeginOffset() - first);
        facts.put("numbers", result.getMsgFoundList() == null ? "none" : result.getMsgFoundList().stream()
            .map(m -> Sender.number(m.getBody())).collect(Collectors.toList()));
        return facts;
    }

    /** A consumer asks the broker before it starts. */
    private void refuse(String expression) throws Exception {
        DefaultMQPushConsumer consumer = session.newPushConsumer("refused");
        consumer.subscribe(session.topic, MessageSelector.bySql(expression));
        new Receipts().listenTo(consumer);
        List<Object> told = new ArrayList<>();
        try {
            consumer.start();
            told.add("started");
        } catch (MQClientException e) {
            told.add(e.getResponseCode());
            told.add(e.getErrorMessage());
        }
        report.fact("refused " + expression, told);
        consumer.shutdown();
    }
}
