# SPDX-License-Identifier: Apache-2.0
"""The tables in a store's config folder: what one broker wrote, the next must know and keep."""

import hashlib
import json
import re

# Map keys that are numbers stand without quotes, as fastjson writes them.
BARE_KEY = re.compile(r'([{,]\s*)(-?\d+)(\s*:)')
TABLES = {"topics.json": "topicConfigTable", "subscriptionGroup.json": "subscriptionGroupTable"}
# What only Gantry's later parts write: it leaves them as they are.
UNTOUCHED = ("consumerFilter.json", "consumerOrderInfo.json",
             "topicQueueMapping.json", "messageRequestMode.json", "timercheck", "timermetrics")


def read_json(path):
    """A file as fastjson writes it; an empty table without one."""
    if not path.exists():
        return {}
    return json.loads(BARE_KEY.sub(r'\1"\2"\3', path.read_text(encoding="utf-8")))


class Tables:
    """The folder of one store, followed from broker to broker."""

    def __init__(self, folder):
        self._folder = folder
        self._tables = {}
        self._digests = {}

    def before(self, node):
        """Remembers what the broker that starts now finds."""
        self._tables = {name: read_json(self._folder / name).get(key, {}) for name, key in TABLES.items()}
        self._digests = self._digest() if node == "gantry" else {}

    def after(self, _node):
        """What got lost of it."""
        faults = []
        for name, key in TABLES.items():
            now = read_json(self._folder / name).get(key, {})
            for entry, was in self._tables[name].items():
                if {**now.get(entry, {}), **was} != now.get(entry):
                    faults.append(f"{name}: {entry} was {was}, is {now.get(entry)}")
        now = self._digest()
        return faults + [f"{name} changed" for name, was in self._digests.items() if now.get(name) != was]

    def offsets(self, group):
        """{TOPIC-QUEUE: offset} of a consumer group."""
        table = read_json(self._folder / "consumerOffset.json").get("offsetTable", {})
        return {f"{name.rsplit('@', 1)[0]}-{queue}": offset for name, queues in table.items()
                if name.rsplit("@", 1)[1] == group for queue, offset in queues.items()}

    def _digest(self):
        return {name: hashlib.md5((self._folder / name).read_bytes()).hexdigest()
                for name in UNTOUCHED if (self._folder / name).exists()}
