// SPDX-License-Identifier: Apache-2.0
// The Java peer's entry: runs scenarios against one name server and prints one JSON line for each.
package peers;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * {@code Main SCENARIO key=value...} runs one scenario; {@code Main -} reads such lines from standard input until it
 * ends, so that one JVM serves many. The exit code is 0 when every scenario ran to its end without a problem.
 */
public final class Main {
    private static final Map<String, Supplier<Scenario>> SCENARIOS = new TreeMap<>(Map.ofEntries(
        Map.entry("send", SendScenario::new),
        Map.entry("push", PushScenario::new),
        Map.entry("fields", FieldsScenario::new),
        Map.entry("auto-create", AutoCreateScenario::new),
        Map.entry("errors", ErrorScenario::new),
        Map.entry("bodies", BodyScenario::new),
        Map.entry("queue-offsets", QueueOffsetScenario::new),
        Map.entry("resume", ResumeScenario::new),
        Map.entry("from-last", FromLastScenario::new),
        Map.entry("pull", PullScenario::new),
        Map.entry("query", QueryScenario::new),
        Map.entry("lite-subscribe", LiteSubscribeScenario::new),
        Map.entry("lite-assign", LiteAssignScenario::new),
        Map.entry("broadcast", BroadcastScenario::new),
        Map.entry("rebalance", RebalanceScenario::new),
        Map.entry("sql", SqlScenario::new),
        Map.entry("long-poll", LongPollScenario::new),
        Map.entry("delay", DelayScenario::new),
        Map.entry("retry", RetryScenario::new),
        Map.entry("transactions", TransactionScenario::new),
        Map.entry("transaction-errors", TransactionErrorScenario::new),
        Map.entry("transaction-swap", TransactionSwapScenario::new),
        Map.entry("request", RequestScenario::new),
        Map.entry("relay", RelayScenario::new),
        Map.entry("take", TakeScenario::new),
        Map.entry("member", MemberScenario::new),
        Map.entry("stream", StreamScenario::new),
        Map.entry("swap-write", SwapWriteScenario::new),
        Map.entry("swap-read", SwapReadScenario::new),
        Map.entry("swap-query", SwapQueryScenario::new),
        Map.entry("swap-back", SwapBackScenario::new)));

    private Main() {
    }

    public static void main(String[] argv) throws Exception {
        PrintStream results = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err); // client libraries print notices of their own
        boolean good = true;
        if (argv.length == 1 && argv[0].equals("-")) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                good &= runOne(line.trim().split("\\s+"), results);
            }
        } else {
            good = runOne(argv.length == 0 ? new String[] {""} : argv, results);
        }
        System.exit(good ? 0 : 1); // client libraries may leave threads behind
    }

    private static boolean runOne(String[] words, PrintStream results) {
        Report report = new Report();
        Supplier<Scenario> scenario = SCENARIOS.get(words[0]);
        if (scenario == null) {
            report.problem("usage: SCENARIO key=value..., with a scenario of " + SCENARIOS.keySet());
        } else {
            Args args = new Args(Arrays.asList(words).subList(1, words.length));
            try (Session session = new Session(args)) {
                scenario.get().run(session, report);
            } catch (Exception | AssertionError e) {
                e.printStackTrace();
                report.problem(e.toString());
            }
        }
        results.println(report.toJson());
        return report.isGood();
    }
}
