# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a secret value out of records, documents and texts, and whatever a weak value could be guessed from with it.

A hash over a text tells a weak secret to whoever guesses it and computes the hash again. So each hash and digest that
was made over the value is replaced as well, by the one of what stands there now, and signatures over it by the marker.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.host.public import MASK
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import DEFAULT_ALGORITHM, canonical, digest, link
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Artefact, Stored

#: What stands in the place of the value.
MARKER = MASK

#: The fields of a record in which the value may stand; the others are names of the plan, times and numbers.
FIELDS = ("subject", "clauses", "detail")

#: Digits of a digest that stand in the name of a file in `rejected`, and that name a request among people.
SHORT, SHORTEST = 16, 8

_DIGEST = re.compile(
    rf"(?<![0-9a-f])(?:[0-9a-f]{{128}}|[0-9a-f]{{64}}|[0-9a-f]{{{SHORT}}}|[0-9a-f]{{{SHORTEST}}})(?![0-9a-f])"
)


class Eraser:
    """A value, and the hashes and digests over it with what replaces them, by what was there."""

    def __init__(self, value: str, names: Mapping[str, str] | None = None) -> None:
        """Take the value; raises LedgerError for one that cannot be told from other text."""
        self._scrubber = Scrubber([value])
        if not self._scrubber.values:
            raise LedgerError(
                "The value is too short or too common to be told from other text, so that nothing is replaced; a value "
                "has at least 4 characters, or 6 digits. Change the secret instead."
            )
        self.names: dict[str, str] = dict(names or {})
        #: The old digests of documents: signatures over these are oracles too.
        self.documents: set[str] = set()

    def holds(self, text: str) -> bool:
        """Tell whether the value stands in a text, in any form in which a tool or a format writes it."""
        return self._scrubber.is_in(text)

    def starts(self, text: str) -> tuple[int, ...]:
        """Return where in a text the value begins: this tells it from other values and not how it goes on."""
        return tuple(self._scrubber.starts_in(text))

    def mapped(self, text: str) -> str:
        """Return a text with the hashes and digests over the value replaced."""
        if not self.names:
            return text
        return _DIGEST.sub(lambda found: self.names.get(found[0], found[0]), text)

    def text(self, text: str) -> str:
        """Return a text without the value and without what was made over it."""
        return self.mapped(self.scrubbed(text))

    def scrubbed(self, text: str) -> str:
        """Return a text without the value, and with what was made over it."""
        return self._scrubber.text(text) if self.holds(text) else text

    def places(self, record: Mapping[str, Any]) -> list[str]:
        """Return where in a record the value stands: names of its fields, of its details with their keys."""
        found = [name for name in FIELDS if name != "detail" and self.holds(canonical(record[name]))]
        for key, value in record["detail"].items():
            if self.holds(canonical({key: value})):
                found.append("detail" if self.holds(key) else f"detail.{key}")
        return found

    def body(self, stored: Stored) -> str:
        """Return the body of a record as it may stay.

        Raises LedgerError where the value stands in a name of the plan, by which records are told apart.
        """
        text = stored.body
        if self.holds(text):
            item = dict(stored.record)
            item.update((name, self._walked(item[name])) for name in FIELDS)
            item["id"] = os.urandom(16).hex()  # it may be a digest over the subject
            text = canonical(item)
            if self.holds(text):
                raise LedgerError(
                    f"The value stands in record #{stored.seq} in a name that the plan gives (host, procedure, kind), "
                    "and cannot be replaced there; it is no secret, or change the plan's name first."
                )
        elif not any(found[0] in self.names for found in _DIGEST.finditer(text)):
            return text
        is_signed = any(found[0] in self.documents for found in _DIGEST.finditer(text))
        item = json.loads(self.mapped(text))
        if is_signed and "signature" in item["detail"]:
            item["detail"]["signature"] = MARKER
        return canonical(item)

    def row(self, stored: Stored, previous: str, old_previous: str) -> Stored:
        """Return a record chained to the one before it as both are now, and note what became of its hash."""
        body = self.body(stored)
        if body == stored.body and previous == old_previous:
            return stored
        made = replace(stored, body=body, hash=link(previous, body, stored.algorithm))
        self.names[stored.hash] = made.hash
        return made

    def document(self, artefact: Artefact) -> Artefact:
        """Return a document as it may stay, under its new digest, and note what became of the old one."""
        text = artefact.content.decode("utf-8", "surrogateescape")
        changed = self._structured(text) if self.holds(text) else text
        content = self.mapped(changed).encode("utf-8", "surrogateescape")
        if content == artefact.content:
            return artefact
        new, old = digest(content), artefact.digest.partition(":")[2]
        self.names |= {old: new, old[:SHORTEST]: new[:SHORTEST]}
        self.documents.add(old)
        name = self.text(artefact.name)
        return replace(artefact, digest=f"{DEFAULT_ALGORITHM}:{new}", name=name, content=content)

    def _structured(self, text: str) -> str:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return self._scrubber.text(text)
        return canonical(self._walked(found))

    def _walked(self, value: Any) -> Any:
        """Return a JSON value with each text and key in it scrubbed, whatever its field is called."""
        if isinstance(value, str):
            return self.scrubbed(value)
        if isinstance(value, list):
            return [self._walked(item) for item in value]
        if isinstance(value, dict):
            return {self.scrubbed(key): self._walked(item) for key, item in value.items()}
        return value


def settled(eraser: Eraser, documents: list[Artefact]) -> Iterator[tuple[str, Artefact]]:
    """Yield the documents that change, by their old digests: those with the value, then those that name one of these.

    An approval names the digest of its request, so that its own digest changes with it.
    """
    before: dict[str, str] | None = None
    while before != eraser.names:
        before = dict(eraser.names)
        made = [(document.digest, eraser.document(document)) for document in documents]
    yield from ((old, document) for old, document in made if old != document.digest)
