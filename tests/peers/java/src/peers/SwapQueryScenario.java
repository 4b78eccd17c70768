// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Asks for some of the messages that the file {@code lines} lists (as {@link SwapReadScenario} writes them): by time,
 * and with {@code index=1} by each key, unique id and offset id.
 */
final class SwapQueryScenario implements Scenario {
    private static final int MAX = 64;
    private static final int TOPIC = 0;
    private static final int QUEUE = 1;
    private static final int OFFSET = 2;
    private static final int OFFSET_ID = 3;
    private static final int STORED_MS = 4;
    private static final int UNIQUE_ID = 5;
    private static final int KEYS = 8;

    private DefaultMQPullConsumer consumer;
    private Report report;

    @Override
    public void run(Session session, Report to) throws Exception {
        report = to;
        consumer = session.startedPullConsumer("query");
        List<String> lines = Files.readAllLines(Path.of(session.args.text("lines")), StandardCharsets.UTF_8);
        boolean index = session.args.number("index", 0) == 1;
        int step = Math.max(1, lines.size() / session.args.number("n", 100));
        int asked = 0;
        String broker = session.args.text("broker");
        for (int i = 0; i < lines.size(); i += step) {
            String[] line = lines.get(i).split("\t");
            byTime(broker, line);
            if (index) {
                byId(line);
                byKeys(line);
            }
            asked++;
        }
        report.note("asked", asked);
    }

    /** The first message that is not older than this one: itself, or one before it of the same millisecond. */
    private void byTime(String broker, String[] line) throws Exception {
        MessageQueue queue = new MessageQueue(line[TOPIC], broker, Integer.parseInt(line[QUEUE]));
        long offset = Long.parseLong(line[OFFSET]);
        long ms = Long.parseLong(line[STORED_MS]);
        long found = consumer.searchOffset(queue, ms);
        long behind = consumer.searchOffset(queue, ms + 1);
        if (found > offset || offset - found > MAX || behind <= offset && behind != consumer.maxOffset(queue)) {
            report.problem("by time: " + queue + " " + offset + " of " + ms + ": " + found + ", behind: " + behind);
        }
    }

    private void byId(String[] line) throws Exception {
        MessageExt message = consumer.viewMessage(line[TOPIC], line[OFFSET_ID]);
        same("by offset id", line, message);
        same("by unique id", line, consumer.viewMessage(line[TOPIC], line[UNIQUE_ID]));
    }

    private void byKeys(String[] line) throws Exception {
        if (line[KEYS].equals("-")) {
            return;
        }
        long ms = Long.parseLong(line[STORED_MS]);
        for (String key : line[KEYS].split(" ")) {
            if (key.equals("common")) {
                continue; // more messages than one answer brings
            }
            // The time of an entry is kept in seconds, rounded down.
            QueryResult result = consumer.queryMessage(line[TOPIC], key, MAX, ms - 5_000, ms + 5_000);
            MessageExt found = result.getMessageList().stream()
                .filter(message -> SwapMessages.uniqueId(message).equals(line[UNIQUE_ID])).findFirst().orElse(null);
            same("by key " + key, line, found);
        }
    }

    private void same(String how, String[] line, MessageExt message) throws Exception {
        String wanted = String.join("\t", List.of(line).subList(UNIQUE_ID, line.length));
        String got = message == null ? "nothing" : SwapMessages.content(message);
        if (!wanted.equals(got)) {
            report.problem(how + ": wanted " + wanted + ", got " + got);
        }
    }

    /** Where the broker keeps the message. */
    static String offsetId(MessageExt message) {
        return message instanceof MessageClientExt ? ((MessageClientExt) message).getOffsetMsgId()
            : message.getMsgId();
    }
}
