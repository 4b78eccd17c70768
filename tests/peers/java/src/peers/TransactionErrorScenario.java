// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** END_TRANSACTION and RESUME_CHECK_HALF_MESSAGE with fields that are missing, wrong, or come too late. */
final class TransactionErrorScenario implements Scenario, TransactionListener {
    private static final int END_TRANSACTION = 37;
    private static final int RESUME_CHECK = 323;
    private static final String COMMIT = "8";
    private static final String ROLLBACK = "12";

    private final CountDownLatch wasAsked = new CountDownLatch(1);
    private TransactionMQProducer producer;
    private Session session;
    private Report report;
    private String broker;

    @Override
    public void run(Session with, Report to) throws Exception {
        session = with;
        report = to;
        producer = session.startedTransactionProducer(this);
        SendResult plain = Sender.sendSelected(producer, session.topic, 0);
        SendResult half = half(1, null);
        broker = Session.instance(producer).findBrokerAddressInPublish(plain.getMessageQueue().getBrokerName());

        for (String field : List.of("producerGroup", "tranStateTableOffset", "commitLogOffset", "commitOrRollback",
            "msgId")) {
            Map<String, String> fields = end(half, ROLLBACK);
            fields.remove(field);
            ask("without_" + field, END_TRANSACTION, fields);
        }
        ask("wrong_group", END_TRANSACTION, with(end(half, COMMIT), "producerGroup", "other"));
        ask("wrong_queue_offset", END_TRANSACTION, with(end(half, COMMIT), "tranStateTableOffset", "99999999"));
        ask("wrong_log_offset", END_TRANSACTION, with(end(half, COMMIT), "commitLogOffset", "1099511627776"));
        ask("negative_log_offset", END_TRANSACTION, with(end(half, COMMIT), "commitLogOffset", "-1"));
        ask("log_offset_no_number", END_TRANSACTION, with(end(half, COMMIT), "commitLogOffset", "x"));
        ask("log_offset_huge", END_TRANSACTION, with(end(half, COMMIT), "commitLogOffset", "99999999999999999999"));
        ask("state_7", END_TRANSACTION, with(end(half, COMMIT), "commitOrRollback", "7"));
        ask("state_no_number", END_TRANSACTION, with(end(half, COMMIT), "commitOrRollback", "commit"));
        ask("wrong_message_id", END_TRANSACTION, with(end(half, ROLLBACK), "msgId", "no such message"));
        ask("rolled_back_again", END_TRANSACTION, end(half, ROLLBACK));
        ask("committed", END_TRANSACTION, end(half(2, null), COMMIT));
        ask("committed_from_check", END_TRANSACTION, with(end(half(3, null), COMMIT), "fromTransactionCheck", "true"));
        ask("committed_early", END_TRANSACTION, end(half(4, "60"), COMMIT));
        late();
        ask("resume_no_id", RESUME_CHECK, new HashMap<>());
        ask("resume_bad_id", RESUME_CHECK, new HashMap<>(Map.of("msgId", "x")));
        ask("resume_nothing_there", RESUME_CHECK, new HashMap<>(Map.of("msgId", "7F00000100002A9F0000010000000000")));
        batch();
        report.must("still_serves", "SEND_OK", Sender.sendSelected(producer, session.topic, 9).getSendStatus().name());
    }

    /** A decision that comes when the broker was to ask already. */
    private void late() throws Exception {
        SendResult open = half(5, "3");
        wasAsked.await();
        ask("committed_late", END_TRANSACTION, end(open, COMMIT));
        ask("rolled_back_late", END_TRANSACTION, end(open, ROLLBACK));
        ask("late_from_check", END_TRANSACTION, with(end(open, ROLLBACK), "fromTransactionCheck", "true"));
        ask("resumed", RESUME_CHECK, new HashMap<>(Map.of("msgId", open.getOffsetMsgId())));
    }

    /** Batches cannot be transactions: what says so is not looked at. */
    private void batch() {
        Failures.of(report, "batch", () -> {
            Message first = Sender.message(session.topic, 20);
            first.putUserProperty("later", "x");
            return producer.send(List.of(first, Sender.message(session.topic, 21)));
        });
    }

    /** As the client's own half messages, but its answer tells where the message stands. */
    private SendResult half(int number, String immunity) throws Exception {
        Message message = Sender.message(session.topic, number);
        MessageAccessor.putProperty(message, "TRAN_MSG", "true");
        MessageAccessor.putProperty(message, "PGROUP", session.group("producer"));
        if (immunity != null) {
            message.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", immunity);
        }
        return producer.send(message);
    }

    private Map<String, String> end(SendResult half, String state) throws Exception {
        Map<String, String> fields = new HashMap<>();
        fields.put("producerGroup", session.group("producer"));
        fields.put("tranStateTableOffset", String.valueOf(half.getQueueOffset()));
        fields.put("commitLogOffset", String.valueOf(MessageDecoder.decodeMessageId(half.getOffsetMsgId()).getOffset()));
        fields.put("commitOrRollback", state);
        fields.put("msgId", half.getMsgId());
        return fields;
    }

    private static Map<String, String> with(Map<String, String> fields, String name, String value) {
        fields.put(name, value);
        return fields;
    }

    private void ask(String name, int code, Map<String, String> fields) throws Exception {
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        request.setExtFields(new HashMap<>(fields));
        RemotingCommand answer = Session.instance(producer).getMQClientAPIImpl().getRemotingClient()
            .invokeSync(broker, request, 10_000);
        Map<String, Object> facts = new TreeMap<>();
        String remark = String.valueOf(answer.getRemark());
        facts.put("code", answer.getCode());
        // A Java broker tells which of its lines took the missing field amiss.
        boolean field = remark.startsWith("java.lang.NullPointerException")
            || remark.contains("the custom field <") || remark.startsWith("NumberFormatException");
        facts.put("remark", field ? "a field is missing, or no number" : remark.split("\\R")[0].split(", ")[0]);
        report.fact(name, facts);
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object decision) {
        return LocalTransactionState.UNKNOW;
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
        if (Sender.number(message.getBody()) == 5) {
            wasAsked.countDown();
        }
        return LocalTransactionState.UNKNOW;
    }
}
