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
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A producer and a consumer as applications have them, with the library's own retries and time-outs, over whatever
 * happens to the servers. The producer sends until the file {@code to.enough} appears, the consumer takes until
 * {@code to.end} does. {@code to.sent} has a line for each send: name, begin and end in ms, outcome,
 * broker; {@code to.taken} one for each message taken: name, ms. {@code to.done} appears behind the last send.
 */
final class StreamScenario implements Scenario {
    private static final int HOURS_S = 3_600;
    private static final int LOOK_MS = 1_000; // for changes of routes; by default every 30 s
    private static final int PERSIST_MS = 1_000;

    @Override
    public void run(Session session, Report report) throws Exception {
        String to = session.args.text("to");
        Path end = Path.of(to + ".end");
        try (FileChannel taken = open(to + ".taken"); FileChannel sent = open(to + ".sent")) {
            DefaultMQPushConsumer consumer = session.newPushConsumer(session.args.text("name"));
            consumer.setPollNameServerInterval(LOOK_MS);
            consumer.setPersistConsumerOffsetInterval(PERSIST_MS);
            consumer.subscribe(session.topic, "*");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                for (MessageExt message : messages) {
                    write(taken, text(message.getBody()) + " " + System.currentTimeMillis());
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            consumer.start();
            produce(session, sent, Path.of(to + ".enough"));
            Wait.until("the file " + end, HOURS_S, () -> Files.exists(end));
            consumer.shutdown();
        }
    }

    private static void produce(Session session, FileChannel sent, Path enough) throws Exception {
        int pause = session.args.number("pause", 10);
        DefaultMQProducer producer = session.newProducer();
        producer.setPollNameServerInterval(LOOK_MS);
        producer.setSendMsgTimeout(3_000); // these two as they are by default
        producer.setRetryTimesWhenSendFailed(2);
        producer.start();
        for (int number = 0; !Files.exists(enough); number++) {
            String name = session.args.text("name") + "." + number;
            long begin = System.currentTimeMillis();
            String outcome = send(producer, new Message(session.topic, name.getBytes(StandardCharsets.US_ASCII)));
            write(sent, name + " " + begin + " " + System.currentTimeMillis() + " " + outcome);
            Thread.sleep(pause);
        }
        Files.createFile(Path.of(session.args.text("to") + ".done"));
    }

    /** The status and the broker, or the exception and no broker. */
    private static String send(DefaultMQProducer producer, Message message) throws InterruptedException {
        try {
            SendResult result = producer.send(message);
            return result.getSendStatus() + " " + result.getMessageQueue().getBrokerName();
        } catch (MQBrokerException e) {
            return "MQBrokerException:" + e.getResponseCode() + " -";
        } catch (MQClientException e) {
            return "MQClientException:" + e.getResponseCode() + " -";
        } catch (org.apache.rocketmq.remoting.exception.RemotingException e) {
            return e.getClass().getSimpleName() + " -";
        } catch (IllegalStateException e) { // 5.5.0: a name server did not answer
            return "IllegalStateException -";
        }
    }

    private static FileChannel open(String path) throws java.io.IOException {
        return FileChannel.open(Path.of(path), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.US_ASCII);
    }

    private static void write(FileChannel to, String line) {
        try {
            to.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII)));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
