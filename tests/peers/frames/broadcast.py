# SPDX-License-Identifier: Apache-2.0
"""Offsets of broadcasting consumers that the broker keeps for their way through a proxy and back."""

from harness.broker import GET_ALL_OFFSETS
from harness.process import wait_until

PROXY_FOR_BROADCAST = 1
SCAN_SECONDS = 30
PULL_HEADER = ("nextBeginOffset", "minOffset", "maxOffset")


def _joined(broker, client, group, topic, model="BROADCASTING"):
    peer = broker.peer()
    assert peer.join(client, group, [topic], model=model)["code"] == 0
    return peer


def _pull(broker, peer, group, topic, offset, queue=0, **more):
    """A pull on the group's own subscription."""
    answer = broker.pull(peer, group, topic, queue, offset, 0, **more)
    return broker.plain(answer, *PULL_HEADER)


def _by_proxy(broker, peer, group, topic, offset, client, queue=0):
    return _pull(broker, peer, group, topic, offset, queue, requestSource=PROXY_FOR_BROADCAST,
                 proxyFrowardClientId=client)


def _kept(broker, peer, group, topic, queue=0):
    return broker.offset(peer, f"{group}@broadcast", topic, queue)


def _wait_kept(broker, peer, group, topic, offset):
    wait_until(lambda: _kept(broker, peer, group, topic) == offset,
               f"{offset} as the offset of {group}", SCAN_SECONDS)


def _filled(broker, count=10):
    topic, group = broker.topic(queues=2), broker.group()
    with_topic = broker.peer()
    for queue in range(2):
        broker.fill(with_topic, topic, queue, count)
    return topic, group


def members(broker):
    """What the slowest member of a group has asked for is committed now and then."""
    topic, group = _filled(broker)
    first = _joined(broker, "first", group, topic)
    second = _joined(broker, "second", group, topic)
    facts = {"first": _pull(broker, first, group, topic, 7),
             "second": _pull(broker, second, group, topic, 4),
             "other_queue": _pull(broker, second, group, topic, 9, 1),
             "backwards": _pull(broker, second, group, topic, 2)}
    _wait_kept(broker, first, group, topic, 4)
    facts["other_queue_kept"] = _kept(broker, first, group, topic, 1)
    _pull(broker, second, group, topic, 8)
    _wait_kept(broker, first, group, topic, 7)
    facts["groups"] = f'"{topic}@{group}@broadcast":' in first.ask(GET_ALL_OFFSETS)["body"].decode()
    facts["of_the_group_itself"] = broker.offset(first, group, topic, 0)
    return facts


def clustering(broker):
    """Pulls of other groups, and of those who are no members, are not noted."""
    topic, group = _filled(broker)
    other, marker = broker.group("other"), broker.group("marker")
    clustered = _joined(broker, "one", group, topic, "CLUSTERING")
    _pull(broker, clustered, group, topic, 5)
    member = _joined(broker, "one", other, topic)
    stranger = broker.peer()
    _pull(broker, stranger, other, topic, 5)
    marked = _joined(broker, "one", marker, topic)
    _pull(broker, marked, marker, topic, 5)
    _wait_kept(broker, marked, marker, topic, 5)  # a round has gone over all of them
    return {"clustering": _kept(broker, member, group, topic),
            "stranger": _kept(broker, member, other, topic)}


def proxies(broker):
    """A client that goes from the broker to a proxy and back goes on where it was."""
    topic, group = _filled(broker)
    peer = _joined(broker, "client", group, topic)
    facts = {"first_by_proxy": _by_proxy(broker, peer, group, topic, -1, "client"),
             "another": _by_proxy(broker, peer, group, topic, -1, "another"),
             "client": _pull(broker, peer, group, topic, 6),
             "by_proxy": _by_proxy(broker, peer, group, topic, 1, "client"),
             "and_on": _by_proxy(broker, peer, group, topic, 8, "client"),
             "asks_again": _by_proxy(broker, peer, group, topic, -1, "client"),
             "back": _pull(broker, peer, group, topic, 1),
             "back_and_on": _pull(broker, peer, group, topic, 8),
             "another_queue": _by_proxy(broker, peer, group, topic, -1, "client", 1),
             "nobody": _by_proxy(broker, peer, group, topic, 3, None)}
    return facts
