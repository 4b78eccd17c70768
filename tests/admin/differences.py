# SPDX-License-Identifier: Apache-2.0
"""Answers that differ from Java's, and why: (suite, name of the request) to the reason."""

REFUSED = "a change that cannot be made is refused with a sentence; Java answers 0 and ignores it"
NO_QUEUE = "Java makes the queue by asking for it; here there is none"
QUEUE_COUNT = "a topic cannot have less than no queues"
DELETED = "Java makes a group anew when it is deleted a second time"
TIMER = "the timer store is not built yet"

COLD = "there is no control of cold reads"

KNOWN = {
    ("mqadmin", "63 getColdDataFlowCtrInfo -b {b}"): COLD,
    ("raw", "wrong value"): REFUSED,
    ("raw", "unknown key"): REFUSED,
    ("raw", "QUERY_CONSUME_QUEUE: queueId negative"): NO_QUEUE,
    ("raw", "QUERY_CONSUME_QUEUE: topic empty"): NO_QUEUE,
    ("raw", "UPDATE_AND_CREATE_TOPIC: readQueueNums negative"): QUEUE_COUNT,
    ("raw", "UPDATE_AND_CREATE_TOPIC: writeQueueNums negative"): QUEUE_COUNT,
    ("raw", "broker consume stats"): DELETED,
    ("raw", "broker consume stats of ordered topics"): DELETED,
    ("raw", "timer check point"): TIMER,
    ("raw", "timer metrics"): TIMER,
}
