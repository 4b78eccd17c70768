// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;

/** Error codes as an application sees them. */
final class Failures {
    private Failures() {
    }

    /** The chain of exceptions that the call ends in, with their codes; {@code [none]} when it succeeds. */
    static List<String> of(Report report, String name, Callable<?> call) {
        List<String> chain = new ArrayList<>();
        try {
            call.call();
            chain.add("none");
        } catch (Exception e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                chain.add(describe(t));
            }
            report.note(name + "_text", e.toString());
        }
        report.fact(name, chain);
        return chain;
    }

    private static String describe(Throwable t) {
        String name = t.getClass().getSimpleName();
        if (t instanceof MQBrokerException) {
            return name + " " + ((MQBrokerException) t).getResponseCode();
        }
        if (t instanceof MQClientException) {
            return name + " " + ((MQClientException) t).getResponseCode();
        }
        return name;
    }
}
