# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a control expects, in a small grammar, and the judgement of what was found against it.

An expectation is one or more alternatives joined by ` or `, each of them terms that must all hold, in words:

    set, unset          there is a value, there is none
    none, some          a list without entries, with at least one
    =no, =a|b, !=a|b    one of these, none of these; case does not matter
    <=4, >=12, 1..90    a number
    has:a|b             a list with each of these
    lacks:*cbc*|a       a list with none that looks like one of these
    only:a|b*           a list with nothing that does not look like one of these
    mode<=0640          a mode without other bits than these
    umask>=027          a umask with at least these bits
    owner=root, group=root|shadow

What is found is None, a text, a number, a list of texts, or for files a dictionary of mode, owner and group.
"""

import re

from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Found

_NUMBER = r"-?\d+(?:\.\d+)?"
TERM = re.compile(
    r"(?P<word>set|unset|none|some)"
    r"|(?P<low>%s)\.\.(?P<high>%s)"
    r"|(?P<list>has|lacks|only):(?P<items>[^|]+(?:\|[^|]+)*)"
    r"|(?P<bits>mode<=|umask>=)(?P<octal>[0-7]{1,4})"
    r"|(?P<compare><=|>=)(?P<number>%s)"
    r"|(?P<name>owner|group)?(?P<equal>!?=)(?P<values>[^=|][^|]*(?:\|[^|]+)*)" % (_NUMBER, _NUMBER, _NUMBER)
)


class Expectation:
    """A parsed expectation: alternatives, each a list of terms."""

    def __init__(self, text):
        # type: (object) -> None
        """Take what the plan says; raises ValueError with the half of a sentence where it is not of the grammar."""
        self.text = text if isinstance(text, str) else ""
        self._alternatives = [[_term(word, text) for word in part.split()] for part in self.text.split(" or ")]
        if not all(self._alternatives):
            raise ValueError(_complaint(text))

    def accepts(self, found):
        # type: (Found) -> bool
        """Tell whether what was found is what is wanted."""
        return any(all(_holds(term, found) for term in terms) for terms in self._alternatives)

    def words(self):
        # type: () -> str
        """Return what is wanted as a person reads it: `at most 4`, `root or shadow`."""
        return " or ".join(" and ".join(_words(term) for term in terms) for terms in self._alternatives)


def _complaint(text):
    # type: (object) -> str
    return "%r is not of the grammar of expected values; write one like =no, <=4, 1..90, set, none or has:a|b" % (text,)


def _term(word, text):
    # type: (str, object) -> dict[str, str]
    match = TERM.match(word)
    if not match or match.end() != len(word):
        raise ValueError(_complaint(text))
    term = {name: value for name, value in match.groupdict().items() if value is not None}
    if "low" in term and float(term["low"]) > float(term["high"]):
        raise ValueError("%r is not of the grammar of expected values: its lower end is above its upper end" % (text,))
    return term


def _number(found):
    # type: (Found) -> float | None
    try:
        return float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _octal(found, name):
    # type: (Found, str) -> int | None
    given = found.get(name) if isinstance(found, dict) else found
    try:
        return int(str(given), 8)
    except (TypeError, ValueError):
        return None


def _holds(term, found):
    # type: (dict[str, str], Found) -> bool
    """Tell whether one term holds of what was found."""
    if "word" in term:
        if term["word"] in ("none", "some"):
            return isinstance(found, list) and bool(found) == (term["word"] == "some")
        return bool(found) == (term["word"] == "set")
    if "low" in term:
        number = _number(found)
        return number is not None and float(term["low"]) <= number <= float(term["high"])
    if "compare" in term:
        number = _number(found)
        limit = float(term["number"])
        return number is not None and (number <= limit if term["compare"] == "<=" else number >= limit)
    if "list" in term:
        return isinstance(found, list) and _holds_of_list(term["list"], term["items"].split("|"), found)
    if "bits" in term:
        bits, wanted = _octal(found, term["bits"][:-2]), int(term["octal"], 8)
        return bits is not None and (not bits & ~wanted if term["bits"] == "mode<=" else bits & wanted == wanted)
    given = found.get(term["name"]) if "name" in term and isinstance(found, dict) else found
    if not isinstance(given, (str, int, float)):
        return False
    return (str(given).lower() in term["values"].lower().split("|")) == (term["equal"] == "=")


def _holds_of_list(word, patterns, found):
    # type: (str, list[str], list[str]) -> bool
    if word == "has":
        return all(pattern in found for pattern in patterns)
    like = [any(matches(item, pattern) for pattern in patterns) for item in found]
    return all(like) if word == "only" else not any(like)


def _words(term):
    # type: (dict[str, str]) -> str
    """Return a term as a person reads it."""
    if "word" in term:
        return {"set": "any value", "unset": "not set", "none": "none", "some": "at least one"}[term["word"]]
    if "low" in term:
        return "%s to %s" % (term["low"], term["high"])
    if "compare" in term:
        return "%s %s" % ("at most" if term["compare"] == "<=" else "at least", term["number"])
    if "list" in term:
        word = {"has": "with", "lacks": "without", "only": "only"}[term["list"]]
        return "%s %s" % (word, _either(term["items"], ", "))
    if "bits" in term:
        return ("mode %s or stricter" if term["bits"] == "mode<=" else "umask %s or stricter") % term["octal"]
    said = _either(term["values"], " or ")
    said = said if term["equal"] == "=" else "anything but " + said
    return "%s %s" % (term["name"], said) if "name" in term else said


def _either(items, joint):
    # type: (str, str) -> str
    return joint.join(items.split("|"))


def shown(found):
    # type: (Found) -> str
    """Return what was found as a person reads it."""
    if found is None or found == "":
        return "not set"
    if isinstance(found, dict):
        return "mode %(mode)s of %(owner)s:%(group)s" % found
    if isinstance(found, list):
        return ", ".join(found[:5]) + (" and %d more" % (len(found) - 5) if len(found) > 5 else "") if found else "none"
    return str(found)
