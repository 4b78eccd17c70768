# SPDX-License-Identifier: Apache-2.0
"""minInSyncReplicas above what there is: without a controller or an acting master nobody looks."""

PROPERTIES = {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 1, "minInSyncReplicas": 2,
              "enableAutoInSyncReplicas": "true"}


def sends_are_taken(broker):
    """As with a minimum of 1."""
    peer, topic = broker.peer(), broker.topic()
    return {"code": broker.send(peer, topic)["code"]}
