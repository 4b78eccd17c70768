# SPDX-License-Identifier: Apache-2.0
"""A synchronous master without a slave, and keys that only a controller or an acting master obeys:
they neither lower what is waited for nor refuse a send."""

from harness.broker import SEND

PROPERTIES = {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2, "slaveTimeout": 300,
              "minInSyncReplicas": 2, "enableAutoInSyncReplicas": "true",
              "syncMasterFlushOffsetWhenStartup": "true"}
# Java waits until the slave is late, ours says at once that there is none.
SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT = 11, 12


def waits_for_a_slave(broker):
    """One copy is no acknowledgement, though only this one is in sync; it is stored all the same."""
    peer, topic = broker.peer(), broker.topic()
    codes = {broker.send(peer, topic)["code"] for _ in range(2)}
    broker.readable(peer, topic, 0, 2)
    return {"no slave": codes <= {SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT}}


def waits_for_none(broker):
    """A message that does not wait to be stored waits for no slave."""
    peer, topic = broker.peer(), broker.topic()
    fields = broker.send_fields(topic, properties="WAIT\1false\2")
    return {"code": peer.ask(SEND, fields, b"x")["code"]}
