// SPDX-License-Identifier: Apache-2.0
package peers;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Sends the numbers [from, from + n) of {@link SwapMessages} and writes a line for each message into the file
 * {@code out}: kind, topic, queue, queue offset, offset id ("-" where the answer cannot tell), content. A send that
 * failed is written with the kind {@code maybe}; with {@code until=failure} it ends the scenario, otherwise it is a
 * problem.
 */
final class SwapWriteScenario implements Scenario {
    private static final int THREADS = 6;
    /** By {@code kinds}, how many of the kinds in SwapMessages.SERVED are sent. */
    private static final Map<String, Integer> SERVED =
        Map.of("plain", 0, "delays", 2, "all", SwapMessages.SERVED.size());
    private static final Map<String, LocalTransactionState> DECISIONS = Map.of(
        "committed", LocalTransactionState.COMMIT_MESSAGE,
        "rolled-back", LocalTransactionState.ROLLBACK_MESSAGE,
        "undecided", LocalTransactionState.UNKNOW);

    private final Map<String, Integer> counts = new TreeMap<>();
    private TransactionMQProducer producer;
    private Session session;
    private Report report;
    private PrintWriter out;
    private int served;
    private volatile boolean failed;

    @Override
    public void run(Session with, Report to) throws Exception {
        session = with;
        report = to;
        served = SERVED.get(session.args.text("kinds", "all"));
        producer = session.startedTransactionProducer(new Decide());
        int from = session.args.number("from", 0);
        int end = from + session.args.number("n", 1000);
        Path file = Path.of(session.args.text("out"));
        try (PrintWriter writer = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
            out = writer;
            for (int i = 0; i < 3; i++) { // topics are made one after the other
                sendOne(from + i);
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int first = from + 3 + i;
                threads.add(new Thread(() -> sendSome(first, end)));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        report.note("failed", failed);
        report.note("counts", counts);
    }

    private void sendSome(int first, int to) {
        for (int number = first; number < to && !failed; number += THREADS) {
            sendOne(number);
        }
    }

    private void sendOne(int number) {
        String kind = SwapMessages.kind(number, served);
        List<Message> messages = SwapMessages.of(session.topic, number, kind);
        try {
            SendResult result = send(number, kind, messages);
            if (result.getSendStatus() != SendStatus.SEND_OK) {
                throw new IllegalStateException(number + ": " + result);
            }
            write(kind, messages, result);
        } catch (Exception e) {
            failed = true;
            if (!session.args.text("until", "").equals("failure")) {
                synchronized (this) {
                    report.problem(kind + " " + number + ": " + e);
                }
            }
            write("maybe", messages, null);
        }
    }

    private SendResult send(int number, String kind, List<Message> messages) throws Exception {
        if (DECISIONS.containsKey(kind)) {
            return producer.sendMessageInTransaction(messages.get(0), DECISIONS.get(kind));
        }
        if (kind.equals("batch")) {
            return producer.send(messages);
        }
        if (kind.equals("ordered")) {
            return producer.send(messages.get(0), (queues, m, arg) -> queues.get((Integer) arg % queues.size()),
                number / 50);
        }
        return producer.send(messages.get(0));
    }

    private synchronized void write(String kind, List<Message> messages, SendResult result) {
        try {
            for (int i = 0; i < messages.size(); i++) {
                out.println(kind + '\t' + messages.get(i).getTopic() + '\t' + place(kind, i, result) + '\t'
                    + SwapMessages.content(messages.get(i)));
            }
            out.flush();
            counts.merge(kind, messages.size(), Integer::sum);
        } catch (Exception e) {
            report.problem("cannot write down " + kind + ": " + e);
        }
    }

    private static String place(String kind, int item, SendResult result) {
        if (result == null || SwapMessages.SERVED.contains(kind)) {
            return "-\t-\t-";
        }
        MessageQueue queue = result.getMessageQueue();
        return queue.getQueueId() + "\t" + (result.getQueueOffset() + item) + '\t'
            + result.getOffsetMsgId().split(",")[item];
    }

    /** Decides as the sender said; undecided ones stay so when asked again. */
    private static final class Decide implements TransactionListener {
        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object decision) {
            return (LocalTransactionState) decision;
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            return LocalTransactionState.UNKNOW;
        }
    }
}
