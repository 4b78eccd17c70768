// SPDX-License-Identifier: Apache-2.0
package peers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Requests that a consumer answers through the broker: waited for, by callback, too late, large. */
final class RequestScenario implements Scenario {
    private static final int N = 20;
    private static final int TIMEOUT_MS = 20_000;
    private static final int LARGE = 2 << 20;

    private final List<String> replyStates = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void run(Session session, Report report) throws Exception {
        DefaultMQProducer asker = session.startedProducer();
        Sender.send(asker, session.topic, 0, 4); // makes the topic
        Session.queues(asker, session.topic);
        DefaultMQProducer replier = session.newProducer();
        replier.setProducerGroup(session.group("replier"));
        replier.setInstanceName(session.topic + "-replier");
        replier.start();
        startResponder(session, replier);
        // 4.9.8 leaves it to its next heartbeat otherwise: until then the broker does not know the asker.
        Session.instance(asker).sendHeartbeatToAllBrokerWithLock();

        List<String> answers = new ArrayList<>();
        for (int i = 0; i < N; i++) {
            answers.add(text(asker.request(request(session, "q" + i), TIMEOUT_MS)));
        }
        report.fact("answers", answers);
        awaitReplies(N); // a replier hears of it after the asker
        report.fact("reply_states", new ArrayList<>(replyStates));
        describe(report, asker.request(request(session, "described"), TIMEOUT_MS));
        report.fact("large", asker.request(request(session, "large"), TIMEOUT_MS).getBody().length);
        byCallback(session, report, asker);
        awaitReplies(2 * N + 2);
        Failures.of(report, "unanswered", () -> asker.request(request(session, "silence"), 1_000));
        lateReply(session, report, asker);
    }

    private void startResponder(Session session, DefaultMQProducer replier) throws Exception {
        DefaultMQPushConsumer responder = session.newPushConsumer("responder");
        responder.subscribe(session.topic, "Request");
        responder.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                reply(replier, message);
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        responder.start();
    }

    private void reply(DefaultMQProducer replier, MessageExt message) {
        String question = new String(message.getBody(), StandardCharsets.UTF_8);
        if (question.equals("silence")) {
            return;
        }
        byte[] body = ("re: " + question).getBytes(StandardCharsets.UTF_8);
        try {
            Message reply = MessageUtil.createReplyMessage(message, question.equals("large") ? new byte[LARGE] : body);
            if (question.equals("nobody")) {
                reply.putUserProperty("REPLY_TO_CLIENT", "nobody");
            }
            SendResult result = replier.send(reply, TIMEOUT_MS);
            replyStates.add(result.getSendStatus().name());
        } catch (Exception e) {
            replyStates.add(e.getClass().getSimpleName());
        }
    }

    private static void describe(Report report, Message answer) {
        report.fact("answer_topic", answer.getTopic());
        report.fact("answer_type", answer.getProperty("MSG_TYPE"));
        report.fact("answer_has", List.of(answer.getProperty("CORRELATION_ID") != null,
            answer.getProperty("PUSH_REPLY_TIME") != null, answer.getProperty("ARRIVE_TIME") != null));
    }

    private static void byCallback(Session session, Report report, DefaultMQProducer asker) throws Exception {
        List<String> answers = Collections.synchronizedList(new ArrayList<>());
        RequestCallback callback = new RequestCallback() {
            @Override
            public void onSuccess(Message message) {
                answers.add(text(message));
            }

            @Override
            public void onException(Throwable e) {
                answers.add(e.getClass().getSimpleName());
            }
        };
        for (int i = 0; i < N; i++) {
            asker.request(request(session, "async" + i), callback, TIMEOUT_MS);
        }
        Wait.until("all callbacks", () -> answers.size() == N);
        Collections.sort(answers);
        report.fact("callbacks", answers);
    }

    /** The reply names a client that is not there: the replier is told. */
    private void lateReply(Session session, Report report, DefaultMQProducer asker) throws Exception {
        try {
            asker.request(request(session, "nobody"), 2_000);
        } catch (Exception e) {
            report.fact("reply_to_nobody_asker", e.getClass().getSimpleName());
        }
        awaitReplies(2 * N + 3);
        report.fact("reply_to_nobody", replyStates.get(2 * N + 2));
    }

    private void awaitReplies(int count) throws Exception {
        Wait.until(count + " replies", () -> replyStates.size() >= count);
    }

    private static Message request(Session session, String question) {
        return new Message(session.topic, "Request", question.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }
}
