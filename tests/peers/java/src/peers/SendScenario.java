// SPDX-License-Identifier: Apache-2.0
package peers;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageQueue;

/** Sends n messages to a new topic in one of the client's ways (mode), and reads the offsets back. */
final class SendScenario implements Scenario {
    private static final int IN_FLIGHT = 64;
    private static final int BATCH = 10;

    private final List<SendResult> results = Collections.synchronizedList(new ArrayList<>());
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void run(Session session, Report report) throws Exception {
        int n = session.args.number("n", 100);
        String mode = session.args.text("mode");
        DefaultMQProducer producer = session.newProducer();
        producer.setVipChannelEnabled(mode.equals("vip"));
        producer.start();
        send(producer, session.topic, mode, n);
        reportResults(report);
        reportQueues(session, producer, report, mode, n);
    }

    private void send(DefaultMQProducer producer, String topic, String mode, int n) throws Exception {
        switch (mode) {
            case "sync":
            case "vip":
                for (int i = 0; i < n; i++) {
                    results.add(producer.send(Sender.message(topic, i)));
                }
                break;
            case "async":
                sendAsync(producer, topic, n);
                break;
            case "oneway":
                for (int i = 0; i < n; i++) {
                    producer.sendOneway(Sender.message(topic, i));
                }
                break;
            case "batch":
                for (int i = 0; i < n; i += BATCH) {
                    List<Message> batch = new ArrayList<>();
                    for (int j = i; j < i + BATCH; j++) {
                        batch.add(Sender.message(topic, j));
                    }
                    results.add(producer.send(batch));
                }
                break;
            case "selected":
                for (int i = 0; i < n; i++) {
                    results.add(Sender.sendSelected(producer, topic, i));
                }
                break;
            default:
                throw new IllegalArgumentException("mode=" + mode);
        }
    }

    private void sendAsync(DefaultMQProducer producer, String topic, int n) throws Exception {
        Semaphore room = new Semaphore(IN_FLIGHT);
        for (int i = 0; i < n; i++) {
            room.acquire();
            producer.send(Sender.message(topic, i), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    results.add(result);
                    room.release();
                }

                @Override
                public void onException(Throwable e) {
                    failures.add(e.toString());
                    room.release();
                }
            });
        }
        room.acquire(IN_FLIGHT);
    }

    private void reportResults(Report report) throws Exception {
        Map<String, Integer> statuses = new TreeMap<>();
        Map<String, Integer> hosts = new TreeMap<>();
        Map<Integer, Integer> idsPerResult = new TreeMap<>();
        for (SendResult result : results) {
            statuses.merge(result.getSendStatus().name(), 1, Integer::sum);
            String[] ids = result.getOffsetMsgId().split(",");
            idsPerResult.merge(ids.length, 1, Integer::sum);
            for (String id : ids) {
                InetSocketAddress at = (InetSocketAddress) MessageDecoder.decodeMessageId(id).getAddress();
                hosts.merge(at.getAddress().getHostAddress(), 1, Integer::sum);
            }
        }
        report.fact("statuses", statuses);
        report.fact("store_hosts", hosts);
        report.fact("ids_per_result", idsPerResult);
        report.must("failures", List.of(), new ArrayList<>(failures));
    }

    private void reportQueues(Session session, DefaultMQProducer producer, Report report, String mode, int n)
        throws Exception {
        List<MessageQueue> queues = Session.queues(producer, session.topic);
        TreeMap<Integer, Long> max = new TreeMap<>();
        Wait.until("all messages to be visible", () -> {
            for (MessageQueue queue : queues) {
                max.put(queue.getQueueId(), producer.maxOffset(queue));
            }
            return max.values().stream().mapToLong(Long::longValue).sum() >= n;
        });
        TreeMap<Integer, Long> min = new TreeMap<>();
        for (MessageQueue queue : queues) {
            min.put(queue.getQueueId(), producer.minOffset(queue));
        }
        report.fact("min_offsets", min);
        report.must("stored", (long) n, max.values().stream().mapToLong(Long::longValue).sum());
        report.must("result_offsets_follow", true, offsetsFollow());
        if (mode.equals("selected")) {
            report.fact("max_offsets", max);
        } else {
            report.note("max_offsets", max); // where a producer begins is random
        }
    }

    /** Whether each queue's results name its offsets from 0 without gaps. A batch's result names its first. */
    private boolean offsetsFollow() {
        Map<Integer, TreeMap<Long, Integer>> perQueue = new TreeMap<>();
        for (SendResult result : results) {
            perQueue.computeIfAbsent(result.getMessageQueue().getQueueId(), q -> new TreeMap<>())
                .put(result.getQueueOffset(), result.getOffsetMsgId().split(",").length);
        }
        for (TreeMap<Long, Integer> counts : perQueue.values()) {
            long next = 0;
            for (Map.Entry<Long, Integer> entry : counts.entrySet()) {
                if (entry.getKey() != next) {
                    return false;
                }
                next += entry.getValue();
            }
        }
        return true;
    }
}
