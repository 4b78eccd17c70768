# SPDX-License-Identifier: Apache-2.0
"""What was sent to a store, and whether that is what its readers get."""

from collections import Counter, namedtuple

# Lines of SwapWriteScenario and SwapBackScenario; "-" where the sender cannot know.
Sent = namedtuple("Sent", "kind topic queue offset offset_id unique number body keys tags user")
# Lines of SwapReadScenario.
Got = namedtuple("Got", "topic queue offset offset_id stored_ms unique number body keys tags user")

DUE = "due"  # was delayed by a second
LATER = {DUE, "committed", "dead"}  # readers get them, at a place that the sender was not told
HIDDEN = {"pending", "rolled-back", "undecided"}
FAULTS_SHOWN = 8


def lines_of(path, kind):
    """The rows of one file; a last line that a kill cut short is left out."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [kind(*line.split("\t")) for line in text.split("\n")[:-1]]


class Ledger:
    """All that was sent to one store."""

    def __init__(self):
        self.sent = {}  # (topic, unique id) to its line

    def add(self, path, cut_short=False):
        """Takes over what one scenario wrote down. cut_short: the broker was killed meanwhile, and
        nobody answers a commit of a transaction: it may not have come."""
        for line in lines_of(path, Sent):
            if cut_short and line.kind == "committed":
                line = line._replace(kind="maybe")
            self.sent[line.topic, line.unique] = line

    def topics(self):
        """Every topic that may have messages to read."""
        return sorted({line.topic for line in self.sent.values()})

    def readable_topics(self):
        """Those that must exist by now: where something was stored without a delay."""
        return sorted({line.topic for line in self.sent.values() if line.kind not in {"maybe"} | HIDDEN})

    def missing(self, rows, late_too):
        """The messages that must be among the rows and are not. late_too: the kinds of LATER that
        must have come by now."""
        seen = {(row.topic, row.unique) for row in rows}
        return [key for key, line in self.sent.items()
                if key not in seen and self._must_be_there(line, late_too)]

    def faults(self, rows, late_too, twice):
        """What is wrong with the rows that a reader got. late_too: as missing(); twice: whether late
        ones may be there twice."""
        seen = Counter((row.topic, row.unique) for row in rows)
        return _shown("read, but not sent", (key for key in seen if key not in self.sent)) \
            + _shown("read twice", (key for key, count in seen.items() if count > 1
                                    and not (twice and self._kind(key) in LATER))) \
            + _shown("to be hidden, but read", (key for key in seen if self._kind(key) in HIDDEN)) \
            + _shown("sent, but not read", self.missing(rows, late_too)) \
            + _shown("not as sent", self._different(rows))

    def _kind(self, key):
        return self.sent[key].kind if key in self.sent else None

    @staticmethod
    def _must_be_there(line, late_too):
        return line.kind not in HIDDEN and line.kind != "maybe" \
            and (line.kind in late_too or line.kind not in LATER)

    def _different(self, rows):
        for row in rows:
            sent = self.sent.get((row.topic, row.unique))
            if sent is None:
                continue
            place = () if sent.queue == "-" else (sent.queue, sent.offset, sent.offset_id)
            got = (row.queue, row.offset, row.offset_id) if place else ()
            if place + sent[6:] != got + row[6:]:
                yield sent, row


def _shown(what, things):
    things = list(things)
    more = f" and {len(things) - FAULTS_SHOWN} more" if len(things) > FAULTS_SHOWN else ""
    return [f"{what}: {', '.join(map(str, things[:FAULTS_SHOWN]))}{more}"] if things else []
