// SPDX-License-Identifier: Apache-2.0
package filter;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;
import org.apache.rocketmq.filter.expression.MQFilterException;

/**
 * Answers what RocketMQ's own SQL92 filter says. A line in: expression, then name and value of each
 * property, with tabs between them. A line out: true, false, null, throws, or "refused" with a tab
 * and the message. A tab, a line's end and a backslash are written \t, \n, \r, \\.
 */
public final class AskFilter {
    private AskFilter() {
    }

    private record Properties(Map<String, String> map) implements EvaluationContext {
        @Override
        public Object get(String name) {
            return map.get(name);
        }

        @Override
        public Map<String, Object> keyValues() {
            return new HashMap<>(map);
        }
    }

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.print(answer(line.split("\t", -1)) + "\n");
        }
        out.flush();
    }

    private static String answer(String[] fields) {
        Map<String, String> map = new HashMap<>();
        for (int i = 1; i + 1 < fields.length; i += 2) {
            map.put(plain(fields[i]), plain(fields[i + 1]));
        }
        try {
            Expression expression = FilterFactory.INSTANCE.get("SQL92").compile(plain(fields[0]));
            return evaluate(expression, new Properties(map));
        } catch (MQFilterException e) {
            return "refused\t" + escaped(String.valueOf(e.getMessage()));
        }
    }

    private static String evaluate(Expression expression, Properties properties) {
        try {
            return String.valueOf(expression.evaluate(properties));
        } catch (Exception e) {
            return "throws";
        }
    }

    private static String plain(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                c = text.charAt(++i);
                c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
            }
            out.append(c);
        }
        return out.toString();
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }
}
