// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** The first send to a topic creates it: with the producer's queue count, at most the broker's default. */
final class AutoCreateScenario implements Scenario {
    private static final int TIMEOUT_MS = 5_000;

    @Override
    public void run(Session session, Report report) throws Exception {
        report.fact("template", route(session.startedProducer(), "TBW102"));
        for (int queues : new int[] {1, 4, 16}) {
            DefaultMQProducer producer = session.newProducer();
            producer.setProducerGroup(session.group("asks-" + queues));
            producer.setDefaultTopicQueueNums(queues);
            producer.start();
            String topic = session.topic + "-" + queues;
            report.fact("status_" + queues, producer.send(Sender.message(topic, 0)).getSendStatus().name());
            Session.queues(producer, topic);
            report.fact("route_" + queues, route(producer, topic));
        }
    }

    private static Map<String, Object> route(ClientConfig client, String topic) throws Exception {
        var data = Session.instance(client).getMQClientAPIImpl().getTopicRouteInfoFromNameServer(topic, TIMEOUT_MS);
        List<Object> queues = new ArrayList<>();
        for (var queue : data.getQueueDatas()) {
            queues.add(new TreeMap<>(Map.of("broker", queue.getBrokerName(), "perm", queue.getPerm(), "read",
                queue.getReadQueueNums(), "write", queue.getWriteQueueNums(), "sys_flag", queue.getTopicSysFlag())));
        }
        List<Object> brokers = new ArrayList<>();
        for (var broker : data.getBrokerDatas()) {
            brokers.add(new TreeMap<>(Map.of("broker", broker.getBrokerName(), "cluster", broker.getCluster(), "ids",
                broker.getBrokerAddrs().keySet())));
        }
        Map<String, Object> route = new TreeMap<>();
        route.put("queues", queues);
        route.put("brokers", brokers);
        route.put("order_conf", data.getOrderTopicConf());
        return route;
    }
}
