// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a scenario saw. Facts must be the same whenever and against whatever server it runs; notes (times, addresses)
 * are for a reader only; a problem is wrong by itself.
 */
final class Report {
    private final Map<String, Object> facts = new TreeMap<>();
    private final Map<String, Object> notes = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();

    void fact(String name, Object value) {
        facts.put(name, value);
    }

    void note(String name, Object value) {
        notes.put(name, value);
    }

    void problem(String text) {
        problems.add(text);
    }

    /** Records the fact, and a problem when it is not what any server must give. */
    void must(String name, Object wanted, Object value) {
        fact(name, value);
        if (!wanted.equals(value)) {
            problem(name + ": wanted " + wanted + ", got " + value);
        }
    }

    boolean isGood() {
        return problems.isEmpty();
    }

    String toJson() {
        Map<String, Object> all = new TreeMap<>();
        all.put("facts", facts);
        all.put("notes", notes);
        all.put("problems", problems);
        StringBuilder out = new StringBuilder();
        write(out, all);
        return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            out.append(value);
        } else if (value instanceof Map<?, ?>) {
            String comma = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                out.append(comma);
                writeText(out, String.valueOf(entry.getKey()));
                out.append(':');
                write(out, entry.getValue());
                comma = ",";
            }
            out.append(comma.equals("{") ? "{}" : "}");
        } else if (value instanceof Collection<?>) {
            String comma = "[";
            for (Object item : (Collection<?>) value) {
                out.append(comma);
                write(out, item);
                comma = ",";
            }
            out.append(comma.equals("[") ? "[]" : "]");
        } else {
            writeText(out, value.toString());
        }
    }

    private static void writeText(StringBuilder out, String text) {
        out.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
