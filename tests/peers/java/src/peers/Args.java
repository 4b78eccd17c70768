// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The {@code key=value} words of one scenario. */
final class Args {
    private final Map<String, String> values = new HashMap<>();

    Args(List<String> words) {
        for (String word : words) {
            String[] pair = word.split("=", 2);
            values.put(pair[0], pair.length == 2 ? pair[1] : "");
        }
    }

    String text(String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("missing argument: " + key);
        }
        return value;
    }

    String text(String key, String otherwise) {
        return values.getOrDefault(key, otherwise);
    }

    int number(String key, int otherwise) {
        String value = values.get(key);
        return value == null ? otherwise : Integer.parseInt(value);
    }
}
