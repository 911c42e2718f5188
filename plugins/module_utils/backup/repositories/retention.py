# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots of a catalogue may go: pure, and the same for every engine that keeps the catalogue's shape.

Time is what the controller has seen, never what a client says, and only snapshots that our own runs made take places in
the count of days, weeks, months and years. So neither a jumped clock nor any number of forged snapshots lets a good one
expire. What no run of ours made is only ever removed by age: when it was first seen longer ago than its class is kept.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import CatalogueRow, Hold, Rule

#: What a class's rule counts, and the days that one of each takes.
SPANS = (("days", 1), ("weeks", 7), ("months", 31), ("years", 366))

#: Why a snapshot is kept; what is no longer needed has no reason.
NO_RULE, HELD, PROVED, UNPROVED, STRANGE, CHAIN = "no_rule", "held", "proved", "unproved", "strange", "chain"


def retention(records, rules, holds, proofs, now):
    # type: (list[CatalogueRow], Mapping[str, Rule], Sequence[Hold], Mapping[str, Sequence[str]], str) -> list[str]
    """Return for each record of a catalogue why it is kept, "" for one that may go.

    records are in the catalogue's shape with `seen`, when the controller first saw it (UTC), and `made`, whether a run
    of ours recorded that it made it. rules are by class how many `days`, `weeks`, `months` and `years` are kept; a
    class without one loses nothing. holds are those in force, each with a `set` and the beginning of a `snapshot`, ""
    for all. proofs are by set the snapshots that were proved, newest first. now is in UTC.

    In each repository the newest proved snapshot of a set stays, and the newest one in a chain of ours, whatever proved
    snapshot somebody claims to have put there; where none of ours is proved, all stay. A chain stays whole.
    """
    places = {}  # type: dict[tuple[str, str, str], list[int]]
    for index, record in enumerate(records):
        places.setdefault((record["host"], record["set"], record["copy"]), []).append(index)
    why = [""] * len(records)
    periods = _Periods()
    for (_host, name, _copy), members in places.items():
        own = [records[index] for index in members]
        rule = rules.get(own[0]["class"])
        ours = [hold for hold in holds if hold["set"] == name]
        found = _judge(own, rule, ours, proofs.get(name, []), now, periods)
        for place, index in enumerate(members):
            why[index] = found[place]
    return why


def span_of(rule):
    # type: (Rule) -> int
    """Return the days that a rule reaches back."""
    return max(rule.get(unit, 0) * days for unit, days in SPANS)


def _judge(own, rule, holds, proofs, now, periods):
    # type: (list[CatalogueRow], Rule | None, Sequence[Hold], Sequence[str], str, _Periods) -> list[str]
    """Return why each snapshot of one set in one repository is kept."""
    if rule is None:
        return [NO_RULE] * len(own)
    chains = {record["chain"] for record in own if record["made"]}
    newest = _newest_proof(own, proofs)
    newest_of_ours = _newest_proof([record for record in own if record["chain"] in chains], proofs)
    if not newest or (chains and not newest_of_ours):
        return [UNPROVED] * len(own)
    why = _counted(own, rule, periods)
    oldest = periods.before(now, span_of(rule))
    for index, record in enumerate(own):
        names = (record["snapshot"], record["chain"])
        if any(name.startswith(hold["snapshot"]) for hold in holds for name in names):
            why[index] = HELD
        elif newest in names or newest_of_ours in names:
            why[index] = PROVED
        elif not record["made"] and record["seen"] > oldest:
            why[index] = STRANGE
    kept = {own[index]["chain"] for index, reason in enumerate(why) if reason}
    return [reason or (CHAIN if own[index]["chain"] in kept else "") for index, reason in enumerate(why)]


def _newest_proof(records, proofs):
    # type: (list[CatalogueRow], Sequence[str]) -> str
    """Return the newest proof of which some records still have the snapshot, "" for none."""
    here = {record[name] for record in records for name in ("snapshot", "chain")} if proofs else set()
    return next((name for name in proofs if name in here), "")


def _counted(own, rule, periods):
    # type: (list[CatalogueRow], Rule, _Periods) -> list[str]
    """Return of each snapshot the first unit that counts it: the newest of a period is kept, of so many periods."""
    why = [""] * len(own)
    made = [index for index, record in enumerate(own) if record["made"]]
    made.sort(key=lambda index: (own[index]["seen"], own[index]["time"], own[index]["snapshot"]), reverse=True)
    for place, (unit, _days) in enumerate(SPANS):
        left, last = max(rule.get(unit, 0), 1 if unit == "days" else 0), None
        for index in made:
            if not left:
                break
            period = periods.of(own[index]["seen"][:10])[place]
            if period != last:
                last, left = period, left - 1
                why[index] = why[index] or unit
    return why


class _Periods:
    """The day, week, month and year of a day, each reckoned once."""

    def __init__(self):
        # type: () -> None
        from datetime import datetime, timedelta

        self._read = datetime.strptime  # type: Callable[[str, str], datetime]
        self._days = timedelta
        self._known = {}  # type: dict[str, tuple[str | tuple[int, int], ...]]

    def of(self, day):
        # type: (str) -> tuple[str | tuple[int, int], ...]
        if day not in self._known:
            self._known[day] = (day, self._read(day, "%Y-%m-%d").isocalendar()[:2], day[:7], day[:4])
        return self._known[day]

    def before(self, now, days):
        # type: (str, int) -> str
        """Return the time so many days ago."""
        return (self._read(now[:19], "%Y-%m-%dT%H:%M:%S") - self._days(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
