# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts without the values of secrets: the host scrubs before it answers, the controller before it shows or records.

Pure, and the same on both sides.
"""

from ansible_collections.egov.ops.plugins.module_utils.host.public import MASK, public_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.host.types import AnyResult

    Shape = TypeVar("Shape")

#: A secret with fewer characters, or fewer digits alone, is too common a text to be looked for.
SHORTEST, SHORTEST_DIGITS = 4, 6
#: Texts that are never taken for a secret: a record without them would say nothing.
_COMMON = frozenset(["true", "false", "none", "null", "root", "admin", "localhost", "default"])
#: Fields whose values come from closed lists.
_FIXED = frozenset(["kind", "status", "reason", "clauses"])
#: Lines of a secret up to which each, however short, is a part of it and no line of a file.
_FEW_LINES = 3
#: The result that stays as it is: a later command needs its paths (see host/half.py).
_EXACT = "operation"
#: Characters that a text has at least if it was cut off, perhaps inside a secret.
_CUT_FROM = 100


class Scrubber:
    """Takes the values of secrets out of texts, in each form in which a tool or a format may write them."""

    def __init__(self, secrets=()):
        # type: (Iterable[str]) -> None
        """Take the values; those that are too short or too common to be told from other text are left out."""
        self.values = sorted({part for value in secrets for part in _parts(str(value)) if is_distinct(part)})
        forms = {form for value in self.values for form in _forms(value)}
        #: Longest first: one secret may be the beginning of another.
        self._forms = sorted((form for form in forms if is_distinct(form)), key=lambda form: (-len(form), form))
        self._encoded = sorted({core for value in self.values for core in _base64_cores(value)}, key=len)[::-1]
        self._starts = {}  # type: dict[str, list[str]]
        self._ends = {}  # type: dict[str, list[str]]
        for form in self._forms:
            self._starts.setdefault(form[:SHORTEST], []).append(form)
            self._ends.setdefault(form[-SHORTEST:], []).append(form)

    def text(self, text):
        # type: (str) -> str
        """Return a text without secrets, and with its addresses as they may be shown."""
        return str(self.value(text))

    def value(self, value):
        # type: (Shape) -> Shape
        """Return a JSON value whose texts are scrubbed; fields with values of closed lists are left."""
        joined = "\n".join(_leaves(value)) if self._forms else ""
        forms = [form for form in self._forms if form in joined]
        encoded = [core for core in self._encoded if core in joined]
        return self._scrubbed(value, forms, encoded)  # type: ignore[no-any-return]

    def result(self, result):
        # type: (AnyResult) -> AnyResult
        """Return a half's result scrubbed, but for its `operation`; what was two subjects of one kind stays two."""
        exact = dict(result)  # type: dict[str, object]
        scrubbed = self.value(exact)  # type: Any  # Any: the keys of each half's result are its own
        if _EXACT in exact:
            scrubbed = dict(scrubbed, **{_EXACT: exact[_EXACT]})
        originals = result.get("evidence") if self._forms else []
        count = {}  # type: dict[tuple[object, object], int]
        for place, before in enumerate(originals if isinstance(originals, list) else []):
            found = scrubbed["evidence"][place]
            if isinstance(found, dict) and before.get("subject") != found.get("subject"):
                key = (found.get("kind"), found["subject"])
                count[key] = count.get(key, 0) + 1
                if count[key] > 1:
                    found["subject"] = "%s (%s)" % (found["subject"], count[key])
        return scrubbed  # type: ignore[no-any-return]

    def is_in(self, text):
        # type: (str) -> bool
        """Tell whether a value stands in a text, in any form."""
        return any(form in text for form in self._forms) or any(core in text for core in self._encoded)

    def starts_in(self, text):
        # type: (str) -> list[int]
        """Return where in a text the values begin, in any form."""
        import re

        return sorted(
            {found.start() for form in self._forms + self._encoded for found in re.finditer(re.escape(form), text)}
        )

    def contained_in(self, value):
        # type: (object) -> list[str]
        """Return the values that stand inside some text of a JSON value, in any form."""
        joined = "\n".join(_leaves(value)) if self._forms else ""
        return [secret for secret in self.values if joined and _stands_in(secret, joined)]

    def _scrubbed(self, value, forms, encoded):
        # type: (Any, list[str], list[str]) -> Any  # Any: of what shape goes in, the same comes out
        if isinstance(value, str):
            return self._text(value, forms, encoded)
        if isinstance(value, dict):
            is_left = _is_field if forms or encoded else str.isidentifier
            return {
                (self._text(key, forms, encoded) if isinstance(key, str) and not is_left(key) else key): (
                    inner if key in _FIXED and _is_word(inner) else self._scrubbed(inner, forms, encoded)
                )
                for key, inner in value.items()
            }
        if isinstance(value, (list, tuple)):
            return type(value)(self._scrubbed(inner, forms, encoded) for inner in value)
        return value

    def _text(self, text, forms, encoded):
        # type: (str, list[str], list[str]) -> str
        for form in forms:
            text = text.replace(form, MASK)
        for core in encoded:
            if core in text:
                import re

                text = re.sub("[A-Za-z0-9+/_-]*%s[A-Za-z0-9+/_=-]*" % re.escape(core), MASK, text)
        if self._forms and len(text) >= _CUT_FROM:
            text = self._uncut(text)
        return public_text(text)

    def _uncut(self, text):
        # type: (str) -> str
        """Return a text without the piece of a secret at either end, where whoever made the text has cut it."""
        longest, size = len(self._forms[0]), len(text)
        for place in range(max(0, size - longest), size - SHORTEST + 1):
            forms = self._starts.get(text[place : place + SHORTEST])
            if forms and any(_is_piece(size - place, form) and form.startswith(text[place:]) for form in forms):
                text = text[:place] + MASK
                break
        for place in range(min(longest, size), SHORTEST - 1, -1):
            forms = self._ends.get(text[place - SHORTEST : place])
            if forms and any(_is_piece(place, form) and form.endswith(text[:place]) for form in forms):
                return MASK + text[place:]
        return text


def _is_piece(size, form):
    # type: (int, str) -> bool
    """Tell whether so many characters are so much of a form that they are no other word."""
    return size >= max(SHORTEST, min(2 * SHORTEST, len(form) // 2))


def is_distinct(value):
    # type: (str) -> bool
    """Tell whether a value is told from other text well enough to be looked for."""
    if len(value) < SHORTEST or value.lower() in _COMMON or not value.strip("* \t\r\n"):
        return False
    return len(value) >= SHORTEST_DIGITS or not value.isdigit()


def _stands_in(secret, text):
    # type: (str, str) -> bool
    return any(form in text for form in _forms(secret)) or any(core in text for core in _base64_cores(secret))


def _is_field(key):
    # type: (str) -> bool
    """Tell whether a key is one of ours: a word of small letters, whatever secret has the same text."""
    return key.islower() and key.replace("_", "").isalpha()


def _is_word(value):
    # type: (object) -> bool
    """Tell whether a field holds a word, or words, as closed lists have them."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(item, str) and len(item) <= 64 for item in items)


def _leaves(value):
    # type: (object) -> list[str]
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in [str(key)] + _leaves(inner)]
    if isinstance(value, (list, tuple)):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value] if isinstance(value, str) else []


def _parts(value):
    # type: (str) -> list[str]
    """Return a value and what tools print of it alone: its bare text and, of several lines, each line and its value."""
    bare = value.strip()
    lines = [line.strip() for line in bare.splitlines()] if "\n" in bare else []
    values = [line.partition(sign)[2].strip(" \"'") for line in lines for sign in (": ", "=")]
    shortest = SHORTEST if len(lines) <= _FEW_LINES else 2 * SHORTEST
    found = [value, bare] + [line for line in lines + values if len(line) >= shortest]
    if "%" in bare:
        from urllib.parse import unquote

        found.append(unquote(bare))
    return found


def _forms(value):
    # type: (str) -> list[str]
    """Return a value as it is, and as JSON, Python, shells, HTML, addresses and dumps in hexadecimal write it."""
    import json

    data = value.encode("utf-8", "surrogateescape")
    dumped = data.hex()
    if value.isalnum() and all(sign < "\x7f" for sign in value):  # as most are, and all other forms are the same
        return [value, dumped, dumped.upper()]
    from urllib.parse import quote, quote_plus

    quoted = {quote(data, ""), quote(data), quote_plus(data), quote(data, "!$&'()*+,;=:~")}
    twice = {quote(form, "") for form in quoted | {json.dumps(value)[1:-1], repr(value)[1:-1]}}
    lower = {_lower_escapes(form) for form in quoted | twice}
    shell = value.replace("'", "'\"'\"'"), value.replace("'", "'\\''"), _backslashed(value)
    written = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    escaped = (
        *written,
        *(form.replace("/", "\\/") for form in written),  # as PHP writes it
        *(_without_markup(form) for form in written),
        dumped,
        dumped.upper(),
        json.dumps(json.dumps(value)[1:-1])[1:-1],
        repr(value)[1:-1],
        repr(data)[2:-1],
        data.decode("ascii", "backslashreplace"),
    )
    html = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quotes = (('"', "'"), ("&quot;", "'"), ("&quot;", "&#x27;"), ("&quot;", "&#39;"), ("&#34;", "&#39;"))
    marked = [html.replace('"', double).replace("'", single) for double, single in quotes]
    joined = " ".join(value.split()), "; ".join(value.splitlines())
    return list({value}.union(quoted, twice, lower, shell, escaped, marked, joined))


def _without_markup(text):
    # type: (str) -> str
    """Return a text of JSON as Go writes it: restic, rclone and many exporters."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _lower_escapes(text):
    # type: (str) -> str
    import re

    return re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), text)


def _backslashed(value):
    # type: (str) -> str
    import re

    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", value)


def _base64_cores(value):
    # type: (str) -> list[str]
    """Return the characters that stand in the base64 of any text with the value in it, by where it begins."""
    import json
    from base64 import b64encode
    from urllib.parse import quote

    found = []  # type: list[str]
    for form in (value, quote(value.encode("utf-8", "surrogateescape"), ""), json.dumps(value)[1:-1]):
        data = form.encode("utf-8", "surrogateescape")
        for offset in range(3):
            whole = b64encode(b"\0" * offset + data).decode("ascii").rstrip("=")
            last = (offset + len(data)) * 8 // 6
            core = whole[(offset * 8 + 5) // 6 : last]
            if len(core) > SHORTEST:
                found += [core, core.replace("+", "-").replace("/", "_")]
    return list(set(found))
