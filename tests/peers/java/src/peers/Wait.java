// SPDX-License-Identifier: Apache-2.0
package peers;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waiting for a condition; the time is only the limit after which something is wrong. */
final class Wait {
    private static final int LIMIT_S = 30;

    private Wait() {
    }

    static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, LIMIT_S, condition);
    }

    static void until(String what, int seconds, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new TimeoutException("waited " + seconds + " s for " + what);
            }
            Thread.sleep(5);
        }
    }
}
