# SPDX-License-Identifier: Apache-2.0
"""What the Java broker made clients see: recorded once, compared with ever after."""

import json

from .cache import HERE, SERVER_VERSION

FOLDER = HERE / "expect"


class Expectations:
    """One JSON file a scenario, with the facts that each client reported."""

    def facts(self, scenario, client):
        """The recorded facts, or None."""
        return self._load(scenario).get("facts", {}).get(client)

    def record(self, scenario, client, facts, command):
        """Replaces the facts of one client."""
        whole = self._load(scenario)
        whole["server"] = f"Java name server and broker {SERVER_VERSION}"
        whole["command"] = command
        whole.setdefault("facts", {})[client] = facts
        text = json.dumps(whole, indent=1, sort_keys=True)
        self._path(scenario).write_text(text + "\n")

    def _load(self, scenario):
        path = self._path(scenario)
        return json.loads(path.read_text()) if path.exists() else {}

    @staticmethod
    def _path(scenario):
        return FOLDER / f"{scenario}.json"


def differences(expected, seen, where="facts"):
    """One line for each fact that differs."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        lines = []
        for key in sorted(expected.keys() | seen.keys()):
            lines += differences(expected.get(key), seen.get(key), f"{where}.{key}")
        return lines
    return [] if expected == seen else [f"{where}: Java {expected!r}, here {seen!r}"]
