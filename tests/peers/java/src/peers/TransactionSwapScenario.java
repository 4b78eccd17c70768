// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Transactions that one broker is told of and the next one has to ask about. With part=leave: of the numbers [0, n)
 * every third is committed, every third rolled back, the rest is left open. With part=take, at the broker that took
 * the store over: of the open ones the even numbers are committed when it asks, the others rolled back.
 */
final class TransactionSwapScenario implements Scenario, TransactionListener {
    private static final int WAIT_S = 60;

    private final Map<Integer, Integer> asked = new ConcurrentSkipListMap<>();
    private final Map<Integer, Integer> received = new ConcurrentSkipListMap<>();

    @Override
    public void run(Session session, Report report) throws Exception {
        int n = session.args.number("n", 30);
        TransactionMQProducer producer = session.startedTransactionProducer(this);
        if (session.args.text("part").equals("leave")) {
            for (int number = 0; number < n; number++) {
                producer.sendMessageInTransaction(Sender.message(session.topic, number), number);
            }
            return;
        }
        Sender.send(producer, session.topic, n, n + 1); // a client speaks to brokers that it knows only
        consume(session);
        TreeSet<Integer> wanted = new TreeSet<>();
        for (int number = 0; number <= n; number++) {
            if (number == n || decision(number, true) == LocalTransactionState.COMMIT_MESSAGE) {
                wanted.add(number);
            }
        }
        TreeSet<Integer> open = new TreeSet<>();
        for (int number = 2; number < n; number += 3) {
            open.add(number);
        }
        Wait.until("what was committed", WAIT_S, () -> received.keySet().containsAll(wanted));
        Wait.until("all open ones to be asked for", WAIT_S, () -> asked.keySet().containsAll(open));
        report.must("received", wanted.toString(), new TreeSet<>(received.keySet()).toString());
        report.note("asked", new TreeMap<>(asked));
        report.note("twice", received.entrySet().stream().filter(entry -> entry.getValue() > 1)
            .map(entry -> String.valueOf(entry.getKey())).collect(Collectors.toList()));
    }

    private void consume(Session session) throws Exception {
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> received.merge(Sender.number(message.getBody()), 1, Integer::sum));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    private static LocalTransactionState decision(int number, boolean wasAsked) {
        if (number % 3 == 2) {
            return !wasAsked ? LocalTransactionState.UNKNOW
                : number % 2 == 0 ? LocalTransactionState.COMMIT_MESSAGE : LocalTransactionState.ROLLBACK_MESSAGE;
        }
        return number % 3 == 0 ? LocalTransactionState.COMMIT_MESSAGE : LocalTransactionState.ROLLBACK_MESSAGE;
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object number) {
        return decision((Integer) number, false);
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
        int number = Sender.number(message.getBody());
        asked.merge(number, 1, Integer::sum);
        return decision(number, true);
    }
}
