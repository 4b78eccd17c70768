# SPDX-License-Identifier: Apache-2.0
"""The rows of turns that are tried."""

from chain import Plan, steps  # noqa: I001  (it finds tests/peers/harness)
from batches import Batches
from compacted import Compacted
from transactions import OpenTransactions

PLANS = {plan.name: plan for plan in [
    Plan("there-and-back", steps("java.stop gantry.kill java.kill gantry.stop java.stop"), send_back=True),
    Plan("keys", steps("gantry.stop java.stop gantry.kill gantry.stop java.stop"), messages=400),
    Plan("back-and-there", steps("gantry.stop java.load gantry.load java.stop gantry.stop")),
    Plan("folders", steps("java.kill gantry.stop java.load gantry.kill java.stop"), folders=3),
    # Queries by key and id, and index files that lack nothing. No kill of the Java broker: it then
    # drops its newest index file, and does not always make all of it again.
    Plan("index", steps("java.stop gantry.kill gantry.stop java.stop")),
    # Records end with a checksum of themselves, and those without do not count.
    Plan("checksums", steps("java.kill gantry.kill java.stop"), {
        "enabledAppendPropCRC": "true", "forceVerifyPropCRC": "true"}),
    Plan("synchronous", steps("java.load gantry.load java.stop"), {"flushDiskType": "SYNC_FLUSH"}),
    # After a kill of Gantry the Java broker begins with the very record that the checkpoint names.
    Plan("accelerated", steps("java.stop gantry.kill java.stop gantry.stop"), {
        "enableAcceleratedRecovery": "true"}),
    Plan("batches", steps("java.stop gantry.kill gantry.stop java.kill gantry.stop java.stop"), {
        "mapperFileSizeBatchConsumeQueue": 46 * 100}, messages=200, raw=Batches),
    # Java's compaction is off: messages stay in the log.
    Plan("compaction", steps("java.stop gantry.kill gantry.stop java.kill gantry.stop java.stop"), {
        "enableCompaction": "false"}, messages=200, raw=Compacted),
    # Entries that name units in consumequeue_ext.
    Plan("ext", steps("java.stop gantry.kill gantry.stop java.kill gantry.load java.load gantry.stop java.stop"), {
        "enableConsumeQueueExt": "true", "mappedFileSizeConsumeQueueExt": 20 * 300 + 10}, messages=400),
    # Only what was written back is in a killed Java broker's files: no kill under load. And it does
    # not find a half message that is still in its pool: no transactions.
    Plan("pool", steps("java.kill gantry.kill java.stop"), kinds="plain", properties={
         "transientStorePoolEnable": "true", "transientStorePoolSize": 3}),
    Plan("ipv6", steps("java.stop gantry.kill java.stop"),
         {"brokerIP1": "::1", "brokerIP2": "::1", "bindAddress": "::"}),
    # Some 100,000 messages in each turn, a batch being eight.
    Plan("hundred-thousand", steps("java.stop gantry.kill java.stop"), messages=70_000, properties={
        "mappedFileSizeCommitLog": 64 << 20, "mappedFileSizeConsumeQueue": 20 * 10_000,
        "maxHashSlotNum": 200_000, "maxIndexNum": 800_000}),
    OpenTransactions("half-to-gantry", "java", "gantry"),
    OpenTransactions("half-to-java", "gantry", "java"),
    OpenTransactions("half-after-kill", "gantry", "java", end="kill"),
]}

FULL = ["there-and-back", "back-and-there", "index", "half-to-gantry", "half-to-java"]
