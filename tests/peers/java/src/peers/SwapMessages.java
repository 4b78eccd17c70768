// SPDX-License-Identifier: Apache-2.0
package peers;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;

/** Messages of many kinds; each is the same whenever its number is asked for. */
final class SwapMessages {
    /** The user property that holds a message's number. */
    static final String NUMBER = "n";
    /** What only a broker that delays and serves transactions takes. */
    static final List<String> SERVED = List.of("due", "pending", "committed", "rolled-back", "undecided");
    static final List<String> PLAIN = List.of("keys", "tag", "none", "properties", "tiny", "zipped", "ordered", "batch",
        "no-wait", "key", "ordered", "big", "tag", "keys");
    static final int BATCH = 8;
    private static final int HUGE_EVERY = 20; // of the big ones
    private static final int TOPIC_LENGTH = 120;

    private SwapMessages() {
    }

    /** {@code served}: how many of SERVED may be sent, the delayed ones first. */
    static String kind(int number, int served) {
        int turn = number % (2 * PLAIN.size());
        if (turn < PLAIN.size()) {
            return PLAIN.get(turn);
        }
        turn -= PLAIN.size();
        return turn < served ? SERVED.get(turn) : PLAIN.get(turn);
    }

    /** Three topics, one with a name as long as brokers take. */
    static String topic(String prefix, int number) {
        switch (number % 3) {
            case 0:
                return prefix + "-a";
            case 1:
                return prefix + "-b";
            default:
                return prefix + "-" + "x".repeat(TOPIC_LENGTH - prefix.length() - 1);
        }
    }

    /** The messages that one send of this number carries. */
    static List<Message> of(String prefix, int number, String kind) {
        List<Message> messages = new ArrayList<>();
        int count = kind.equals("batch") ? BATCH : 1;
        for (int i = 0; i < count; i++) {
            messages.add(one(topic(prefix, number), number, i, kind));
        }
        return messages;
    }

    private static Message one(String topic, int number, int item, String kind) {
        Message message = new Message(topic, body(number, item, kind));
        message.putUserProperty(NUMBER, number + "." + item);
        switch (kind) {
            case "keys":
            case "zipped":
                message.setKeys(Arrays.asList("k" + number, "second" + number, "common"));
                break;
            case "tag":
                message.setTags("Tag" + number % 5);
                break;
            case "none":
                break;
            case "properties":
                message.putUserProperty("colour", "grün-" + number);
                message.putUserProperty("text", "{\"a\": [1, 2]} = ; , # " + "v".repeat(number % 3000));
                break;
            case "no-wait":
                message.setWaitStoreMsgOK(false);
                break;
            default:
                message.setTags("T");
                message.setKeys("k" + number + "." + item);
        }
        if (kind.equals("due")) {
            message.setDelayTimeLevel(1);
        } else if (kind.equals("pending")) {
            message.setDelayTimeLevel(2 + number % 2);
        }
        return message;
    }

    private static byte[] body(int number, int item, String kind) {
        switch (kind) {
            case "tiny":
                return new byte[] {(byte) number};
            case "zipped":
                return ("again and again " + number + ' ').repeat(500).getBytes(StandardCharsets.UTF_8);
            case "big":
                return noise(number, number / PLAIN.size() % HUGE_EVERY == 0 ? 300_000 : 3_000);
            default:
                return noise(number * 31L + item, 10 + number % 200);
        }
    }

    private static byte[] noise(long seed, int size) {
        byte[] body = new byte[size];
        new Random(seed).nextBytes(body);
        return body;
    }

    /** What is compared of a message, apart from its place: unique id, number, body, keys, tags, other properties. */
    static String content(Message message) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        return String.join("\t", uniqueId(message), text(message.getUserProperty(NUMBER)),
            hex(digest.digest(message.getBody())), text(message.getKeys()), text(message.getTags()),
            hex(digest.digest((message.getUserProperty("colour") + message.getUserProperty("text"))
                .getBytes(StandardCharsets.UTF_8))));
    }

    static String uniqueId(Message message) {
        return text(message.getProperty(MessageConst.PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX));
    }

    private static String hex(byte[] bytes) {
        return new BigInteger(1, bytes).toString(16);
    }

    private static String text(String value) {
        return value == null ? "-" : value;
    }
}
