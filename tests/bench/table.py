# SPDX-License-Identifier: Apache-2.0
"""What was measured, as one table with ratios."""

import statistics

LESS, MORE = "less", "more"  # which way is better

COST = (("CPU a message, us", LESS, lambda r: r["process"]["cpuMicrosPerMessage"]),
        ("... in user mode, us", LESS, lambda r: r["process"]["userMicrosPerMessage"]),
        ("... in the kernel, us", LESS, lambda r: r["process"]["systemMicrosPerMessage"]))
RATE = (("messages a second", MORE, lambda r: r["messagesPerSecond"]),)
TIMES = tuple((f"{text}, us", LESS, lambda r, key=key: r["latencyMicros"][key])
              for text, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"),
                                ("max", "max")))

# (row, its title, what is shown of it)
ROWS = (
    ("start", "start", (("to the first accepted connection, ms", LESS, lambda r: r["ms"]),)),
    ("idle", "private memory", (("after start, MiB", LESS, lambda r: r["mib"]),)),
    ("full", "private memory", (("after the warm-up, MiB", LESS, lambda r: r["mib"]),
                                ("mapped files then, MiB", None, lambda r: r["mapped_mib"]))),
    ("send_128", "send 128 bytes, 8 x 64 in flight", COST + RATE + TIMES),
    ("send_1k", "send 1 KiB, 8 x 64 in flight", COST + RATE + TIMES),
    ("one", "send 128 bytes, one at a time", COST + RATE + TIMES),
    ("pull", "pull, 32 messages each, 4 x 4 in flight", COST + RATE + TIMES),
    ("latency", "producer to waiting consumer, 2,000 a second", COST + TIMES),
)

# What --check holds Gantry to: (row, what) -> the most that it may be.
LIMITS = {("start", "to the first accepted connection, ms"): 50,
          ("idle", "after start, MiB"): 15,
          ("send_128", "CPU a message, us"): 2.5}


def median_of(runs, value):
    """The median of a value over the runs; None where a contender has none."""
    return statistics.median(value(run) for run in runs) if runs else None


def lines_of(results):
    """(title, what, better, {contender: value}) for every line of the table."""
    for row, title, shown in ROWS:
        for what, better, value in shown:
            values = {name: median_of(rows.get(row), value) for name, rows in results.items()}
            if any(v is not None for v in values.values()):
                yield title, what, better, values


def broken_limits(results):
    """A sentence for each limit that Gantry does not keep."""
    for row, _, shown in ROWS:
        for what, _, value in shown:
            limit = LIMITS.get((row, what))
            found = median_of(results.get("gantry", {}).get(row), value)
            if limit is not None and (found is None or found > limit):
                yield f"{row}: {what}: {number(found)}, the limit is {limit}"


def ratio(better, worse_when_larger, other):
    """How many times better the first is."""
    if not worse_when_larger or not other or better is None:
        return None
    return other / worse_when_larger if better == LESS else worse_when_larger / other


def number(value):
    """Three digits that count; thousands apart."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def markdown(results):
    """The table."""
    head = ["", "", "floor", "Java", "Gantry", "Gantry better than Java", "Gantry / floor"]
    lines = ["| " + " | ".join(head) + " |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    last = None
    for title, what, better, values in lines_of(results):
        floor, java, gantry = (values.get(name) for name in ("floor", "java", "gantry"))
        times = ratio(better, gantry, java)
        over = gantry / floor if gantry is not None and floor else None
        cells = [title if title != last else "", what, number(floor), number(java),
                 number(gantry), f"{number(times)} x" if times else "-", number(over)]
        lines.append("| " + " | ".join(cells) + " |")
        last = title
    return "\n".join(lines)


def as_json(results):
    """The same numbers for a program."""
    return [{"row": title, "what": what, "better": better, **values,
             "gantryBetterThanJava": ratio(better, values.get("gantry"), values.get("java"))}
            for title, what, better, values in lines_of(results)]
