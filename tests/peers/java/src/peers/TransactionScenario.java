// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Transactions that are committed, rolled back, or left open until the broker asks: then committed, rolled back, or
 * left open for ever, until the broker gives up. The brokers' times are shortened in servers.py.
 */
final class TransactionScenario implements Scenario {
    static final String HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
    private static final String GIVEN_UP_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
    private static final int WAIT_S = 90;
    private static final Set<String> PLAIN = Set.of("TAGS", "KEYS", "TRAN_MSG", "WAIT", "later", "n",
        "CHECK_IMMUNITY_TIME_IN_SECONDS", "CLUSTER", "MSG_REGION", "TRACE_ON", "TRANSACTION_CHECK_TIMES");

    private final Receipts receipts = new Receipts();
    private final Map<Integer, MessageExt> received = new ConcurrentSkipListMap<>();
    private final Map<Integer, List<String>> checks = new ConcurrentSkipListMap<>();
    private final Map<Integer, MessageExt> checked = new ConcurrentSkipListMap<>();
    private final Map<Integer, SendResult> sent = new TreeMap<>();
    private Session session;
    private Report report;
    private TransactionMQProducer producer;

    @Override
    public void run(Session with, Report to) throws Exception {
        session = with;
        report = to;
        producer = session.startedTransactionProducer(new Decide());
        send(0, 20, LocalTransactionState.COMMIT_MESSAGE, LocalTransactionState.UNKNOW, null);
        DefaultMQPushConsumer consumer = consumer();
        send(20, 30, LocalTransactionState.ROLLBACK_MESSAGE, LocalTransactionState.UNKNOW, null);
        send(30, 35, LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE, null);
        send(35, 40, LocalTransactionState.UNKNOW, LocalTransactionState.ROLLBACK_MESSAGE, null);
        send(40, 42, LocalTransactionState.UNKNOW, LocalTransactionState.UNKNOW, null);
        send(42, 44, LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE, "4");
        Wait.until("the committed ones", WAIT_S, () -> receipts.distinct() >= 27);
        List<MessageExt> givenUp = givenUp(2);

        receipts.mustBe(report, "", 0, 44, n -> n < 20 || n >= 30 && n < 35 || n >= 42, false);
        results();
        report.fact("committed", properties(received.get(3)));
        report.fact("committed_after_check", properties(received.get(31)));
        report.fact("checked", properties(checked.get(31)));
        report.fact("given_up", properties(givenUp.get(0)));
        report.fact("times_of_endless", checks.get(40));
        report.fact("times_of_committed", checks.get(31));
        report.fact("times_of_immune", checks.get(42));
        report.must("not_asked", new ArrayList<>(), new ArrayList<>(
            new TreeSet<>(checks.keySet()).headSet(30)));
        places();
        queries();
        session.awaitConsumed(27, consumer);
        elsewhere();
    }

    private DefaultMQPushConsumer consumer() throws Exception {
        DefaultMQPushConsumer consumer = session.newPushConsumer("push");
        consumer.subscribe(session.topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> received.put(Sender.number(message.getBody()), message));
            receipts.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    private void send(int from, int to, LocalTransactionState now, LocalTransactionState later, String immunity)
        throws Exception {
        for (int number = from; number < to; number++) {
            Message message = Sender.message(session.topic, number);
            message.putUserProperty("later", later.name());
            if (immunity != null) {
                message.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", immunity);
            }
            sent.put(number, producer.sendMessageInTransaction(message, now));
        }
    }

    /** What a send is answered: the real queue, and the place of the half message. */
    private void results() {
        Set<String> statuses = new TreeSet<>();
        boolean ids = true;
        boolean real = true;
        long before = -1;
        boolean ascending = true;
        for (SendResult result : sent.values()) {
            statuses.add(result.getSendStatus().name());
            ids &= result.getMsgId().equals(result.getTransactionId());
            real &= result.getMessageQueue().getTopic().equals(session.topic);
            ascending &= result.getQueueOffset() > before;
            before = result.getQueueOffset();
        }
        report.fact("statuses", statuses);
        report.must("transaction_ids_are_unique_keys", true, ids);
        report.must("results_name_the_real_topic", true, real);
        report.must("half_offsets_ascend", true, ascending);
        report.fact("received_in_the_queue_of_the_result", received.entrySet().stream().allMatch(entry ->
            entry.getValue().getQueueId() == sent.get(entry.getKey()).getMessageQueue().getQueueId()));
    }

    /** Every property: those that differ from run to run only by what they are equal to. */
    private Map<String, String> properties(MessageExt message) {
        Map<String, String> said = new TreeMap<>();
        String unique = message.getProperty("UNIQ_KEY");
        for (Map.Entry<String, String> entry : message.getProperties().entrySet()) {
            String value = entry.getValue();
            said.put(entry.getKey(), PLAIN.contains(entry.getKey()) ? value
                : value.equals(unique) ? "unique key"
                : value.equals(session.topic) ? "topic"
                : value.equals(session.group("producer")) ? "group" : "?");
        }
        return said;
    }

    private void places() {
        MessageExt committed = received.get(3);
        report.fact("committed_sys_flag", committed.getSysFlag());
        report.must("committed_names_its_half", true,
            checked.get(31).getCommitLogOffset() == received.get(31).getPreparedTransactionOffset());
        report.fact("committed_transaction_id_is_unique_key",
            sent.get(3).getMsgId().equals(committed.getTransactionId()));
        MessageExt asked = checked.get(31);
        report.fact("checked_sys_flag", asked.getSysFlag());
        report.fact("checked_topic_is_real", asked.getTopic().equals(session.topic));
        report.fact("checked_queue_is_real", asked.getQueueId() == sent.get(31).getMessageQueue().getQueueId());
        report.fact("checked_transaction_id_is_unique_key", sent.get(31).getMsgId().equals(asked.getTransactionId()));
        report.fact("checked_id_is_unique_key", sent.get(31).getMsgId().equals(asked.getMsgId()));
        report.fact("checked_is_another_message", asked.getQueueOffset() > sent.get(31).getQueueOffset());
        report.fact("checked_body", new String(asked.getBody()).split("#")[0]);
        report.must("born_when_sent", true, received.get(31).getBornTimestamp() == asked.getBornTimestamp());
    }

    /** Half messages are found by key, under the half topic only. */
    private void queries() throws Exception {
        report.fact("real_by_key", count(session.topic, "k3"));
        report.fact("rolled_back_by_key", count(session.topic, "k21"));
        report.fact("real_by_unique_key", Sender.number(producer.viewMessage(session.topic, sent.get(3).getMsgId()).getBody()));
    }

    private int count(String topic, String key) {
        try {
            return producer.queryMessage(topic, key, 32, 0, Long.MAX_VALUE).getMessageList().size();
        } catch (Exception e) {
            return 0;
        }
    }

    /** The half messages of this scenario that the broker has given up. */
    private List<MessageExt> givenUp(int wanted) throws Exception {
        DefaultMQPullConsumer puller = session.startedPullConsumer("given-up");
        MessageQueue queue = new MessageQueue(GIVEN_UP_TOPIC, sent.get(0).getMessageQueue().getBrokerName(), 0);
        Map<Integer, MessageExt> found = new TreeMap<>();
        long[] next = {0};
        Wait.until("messages that the broker gives up", WAIT_S, () -> {
            try {
                PullResult result = puller.pull(queue, "*", next[0], 32);
                next[0] = result.getNextBeginOffset();
                if (result.getMsgFoundList() != null) {
                    result.getMsgFoundList().stream()
                        .filter(message -> session.topic.equals(message.getProperty("REAL_TOPIC")))
                        .forEach(message -> found.put(Sender.number(message.getBody()), message));
                }
            } catch (Exception e) {
                Thread.sleep(200); // the topic is made when it is needed
            }
            return found.size() >= wanted;
        });
        report.fact("given_up_numbers", new ArrayList<>(found.keySet()));
        return new ArrayList<>(found.values());
    }

    /** A producer goes and leaves a transaction open: another one of its group is asked. */
    private void elsewhere() throws Exception {
        send(50, 51, LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE, null);
        producer.shutdown();
        TransactionMQProducer other = session.startedTransactionProducer(new Decide(), "elsewhere");
        Sender.send(other, session.topic, 60, 61); // a client speaks to brokers that it knows only
        Wait.until("what another producer committed", WAIT_S, () -> receipts.has(50));
        report.must("elsewhere", "50", new String(received.get(50).getBody()).split("#")[0]);
    }

    private final class Decide implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object decision) {
            return (LocalTransactionState) decision;
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            int number = Sender.number(message.getBody());
            checked.put(number, message);
            checks.computeIfAbsent(number, n -> new ArrayList<>())
                .add(String.valueOf(message.getProperty("TRANSACTION_CHECK_TIMES")));
            return LocalTransactionState.valueOf(message.getProperty("later"));
        }
    }
}
