// SPDX-License-Identifier: Apache-2.0
package peers;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A consumer of the {@code group} sends the newest messages of one queue back: to its retry topic soon and later, and to its
 * dead-letter queue. Writes lines as {@link SwapWriteScenario} does.
 */
final class SwapBackScenario implements Scenario {
    private static final int EACH = 5;

    @Override
    public void run(Session session, Report report) throws Exception {
        String group = session.args.text("group");
        DefaultMQPullConsumer consumer = session.startedPullConsumer("back");
        MessageQueue queue = consumer.fetchSubscribeMessageQueues(session.args.text("from")).stream().sorted()
            .findFirst().orElseThrow();
        long newest = Math.max(consumer.minOffset(queue), consumer.maxOffset(queue) - 3 * EACH);
        PullResult result = consumer.pull(queue, "*", newest, 3 * EACH);
        Path file = Path.of(session.args.text("out"));
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
            int i = 0;
            for (MessageExt message : result.getMsgFoundList()) {
                Back back = Back.values()[i++ % Back.values().length];
                consumer.sendMessageBack(message, back.level, queue.getBrokerName(), group);
                out.println(String.join("\t", back.kind, back.prefix + group, "-\t-\t-",
                    SwapMessages.content(message)));
            }
        }
        report.note("sent back", Map.of("count", result.getMsgFoundList().size()));
    }

    /** How a message is sent back. */
    private enum Back {
        SOON("due", 1, "%RETRY%"), LATER("pending", 2, "%RETRY%"), DEAD("dead", -1, "%DLQ%");

        private final String kind;
        private final int level;
        private final String prefix;

        Back(String kind, int level, String prefix) {
            this.kind = kind;
            this.level = level;
            this.prefix = prefix;
        }
    }
}
