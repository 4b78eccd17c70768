// SPDX-License-Identifier: Apache-2.0
package peers;

/** Something that a client application does, with what it saw put in the report. */
interface Scenario {
    void run(Session session, Report report) throws Exception;
}
