// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A member of a group of several processes, until a file appears or the process is killed. Each message that it
 * takes is a line of the file {@code to}, its body and the time, written before the broker may hear that it is done.
 */
final class MemberScenario implements Scenario {
    private static final int HOURS_S = 3_600;

    @Override
    public void run(Session session, Report report) throws Exception {
        Path until = Path.of(session.args.text("until"));
        try (FileChannel to = FileChannel.open(Path.of(session.args.text("to")), StandardOpenOption.CREATE,
            StandardOpenOption.APPEND)) {
            DefaultMQPushConsumer consumer = session.newPushConsumer("member");
            consumer.setPersistConsumerOffsetInterval(session.args.number("persist", 5_000));
            consumer.subscribe(session.topic, "*");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                for (MessageExt message : messages) {
                    write(to, new String(message.getBody(), StandardCharsets.US_ASCII));
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            consumer.start();
            Wait.until("the file " + until, HOURS_S, () -> Files.exists(until));
            consumer.shutdown();
        }
    }

    private static void write(FileChannel to, String body) {
        String line = body + " " + System.currentTimeMillis() + "\n";
        try {
            to.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
