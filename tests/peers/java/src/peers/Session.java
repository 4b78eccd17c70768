// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.client.consumer.store.RemoteBrokerOffsetStore;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.MQClientManager;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageQueue;

/** The clients of one scenario: made for its name server and topic, shut down when it ends. */
final class Session implements AutoCloseable {
    /** Producers ask for this many queues when a topic is created by sending to it. */
    static final int QUEUES = 4;
    /**
     * After taking queues a consumer must announce a new version of its subscription before it may pull, but leaves
     * that to the next heartbeat (30 s by default) when another one is just under way.
     */
    private static final int HEARTBEAT_MS = 1_000;

    final Args args;
    final String topic;
    private final String namesrv;
    private final Deque<Runnable> closers = new ArrayDeque<>();

    Session(Args args) {
        this.args = args;
        this.namesrv = args.text("namesrv");
        this.topic = args.text("topic");
    }

    /** A group name of this scenario only. */
    String group(String role) {
        return topic + "-" + role;
    }

    /** Not started. Doesn't retry, so that a refused send shows. */
    DefaultMQProducer newProducer() {
        DefaultMQProducer producer = prepared(new DefaultMQProducer(group("producer")));
        producer.setDefaultTopicQueueNums(QUEUES);
        producer.setSendMsgTimeout(10_000);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        closers.push(producer::shutdown);
        return producer;
    }

    DefaultMQProducer startedProducer() throws MQClientException {
        DefaultMQProducer producer = newProducer();
        producer.start();
        return producer;
    }

    /** Sends all kinds of messages, transactional ones as well; doesn't retry. */
    TransactionMQProducer startedTransactionProducer(TransactionListener listener) throws MQClientException {
        return startedTransactionProducer(listener, null);
    }

    /** So, with a connection of its own if it has a name. */
    TransactionMQProducer startedTransactionProducer(TransactionListener listener, String instance)
        throws MQClientException {
        TransactionMQProducer producer = prepared(new TransactionMQProducer(group("producer")));
        if (instance != null) {
            producer.setInstanceName(instance);
        }
        producer.setTransactionListener(listener);
        producer.setDefaultTopicQueueNums(QUEUES);
        producer.setSendMsgTimeout(10_000);
        producer.setRetryTimesWhenSendFailed(0);
        closers.push(producer::shutdown);
        producer.start();
        return producer;
    }

    /** Not started, without subscription and listener. Begins at the first message of each queue. */
    DefaultMQPushConsumer newPushConsumer(String role) {
        DefaultMQPushConsumer consumer = prepared(new DefaultMQPushConsumer(group(role)));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        closers.push(consumer::shutdown);
        return consumer;
    }

    /** Not started. Commits only when told. */
    DefaultLitePullConsumer newLitePullConsumer(String role) {
        DefaultLitePullConsumer consumer = prepared(new DefaultLitePullConsumer(group(role)));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit(false);
        closers.push(consumer::shutdown);
        return consumer;
    }

    DefaultMQPullConsumer startedPullConsumer(String role) throws MQClientException {
        DefaultMQPullConsumer consumer = prepared(new DefaultMQPullConsumer(group(role)));
        closers.push(consumer::shutdown);
        consumer.start();
        return consumer;
    }

    private <T extends ClientConfig> T prepared(T client) {
        client.setNamesrvAddr(namesrv);
        client.setHeartbeatBrokerInterval(HEARTBEAT_MS);
        return client;
    }

    /** Waits until the topic's route has reached the name server; sorted by queue id. */
    static List<MessageQueue> queues(DefaultMQProducer producer, String topic) throws Exception {
        List<List<MessageQueue>> found = new ArrayList<>();
        Wait.until("the route of " + topic, () -> {
            try {
                found.add(producer.fetchPublishMessageQueues(topic));
                return true;
            } catch (MQClientException e) {
                return false;
            }
        });
        found.get(0).sort(null);
        return found.get(0);
    }

    /** The connection below a client, for what clients ask brokers but don't offer to applications. */
    static MQClientInstance instance(ClientConfig client) {
        return MQClientManager.getInstance().getOrCreateMQClientInstance(client);
    }

    /** The offset that the broker keeps for each queue: -1 where it knows none. */
    TreeMap<Integer, Long> storedOffsets(ClientConfig client, String role, List<MessageQueue> queues) {
        RemoteBrokerOffsetStore store = new RemoteBrokerOffsetStore(instance(client), group(role));
        TreeMap<Integer, Long> offsets = new TreeMap<>();
        for (MessageQueue queue : queues) {
            offsets.put(queue.getQueueId(), store.readOffset(queue, ReadOffsetType.READ_FROM_STORE));
        }
        return offsets;
    }

    /** Waits until the broker keeps offsets for the group that add up to so many messages. */
    void awaitStored(ClientConfig client, String role, List<MessageQueue> queues, long total) throws Exception {
        try {
            Wait.until("stored offsets of " + group(role) + " to add up to " + total, () ->
                storedOffsets(client, role, queues).values().stream().mapToLong(Long::longValue).sum() == total);
        } catch (TimeoutException e) {
            throw new AssertionError(e.getMessage() + ": " + storedOffsets(client, role, queues));
        }
    }

    /** Waits until the consumers count so many messages as done: a listener is heard before it has returned. */
    void awaitConsumed(long total, DefaultMQPushConsumer... consumers) throws Exception {
        Wait.until(total + " messages to be counted as consumed", () -> {
            long sum = 0;
            for (DefaultMQPushConsumer consumer : consumers) {
                sum += consumer.getDefaultMQPushConsumerImpl().getOffsetStore().cloneOffsetTable(topic).values()
                    .stream().mapToLong(Long::longValue).sum();
            }
            return sum == total;
        });
    }

    @Override
    public void close() {
        while (!closers.isEmpty()) {
            closers.pop().run();
        }
    }
}
