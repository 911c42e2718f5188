# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions that change a host, in one table: nothing outside it names one of them, or knows what one is.

The schema's choices, its default gates and those that no plan may leave out are made of it (tools/generate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.operations import redaction, restore
from ansible_collections.egov.ops.plugins.plugin_utils.operations.fields import (
    HOST,
    HOSTS,
    Field,
    Lines,
    Operation,
    Snapshot,
    Texts,
    fault_of,
    no_fault,
    plain_lines,
)

GIVEN_BY_HAND: Texts = {"en": "give it in egov_ops_operation", "zh": "在 egov_ops_operation 中给出"}


class ChangingAction(NamedTuple):
    """An action that changes a host: what carries it out, which gates it has, and how it is asked for.

    `fields` are those of the operation in a request, beside `host`; None for an action that follows from plan and
    options and cannot be asked for. `many` is set where one request covers several hosts: the operation then has
    `hosts`, and each host's gates are asked about the same request.
    """

    module: str
    title: Texts
    #: The gates of a plan that does not say otherwise, and those that no plan may leave out.
    gates: tuple[str, ...]
    floor: tuple[str, ...]
    fields: Mapping[str, Field] | None = None
    #: Where an operation is to be had from, as the end of a sentence.
    source: Texts = GIVEN_BY_HAND
    #: How the fields of an operation contradict each other, as the end of a sentence; "" where they do not.
    faults: Callable[[Operation], str] = no_fault
    #: What an approver reads of an operation, in a language.
    lines: Callable[[Operation, str], Lines] = plain_lines
    #: The snapshot that the gate proved_backup asks about, None where nothing is replaced; no function, no snapshot.
    proof: Callable[[Operation], Snapshot | None] | None = None
    many: bool = False
    #: The approvals of a plan that does not say otherwise, and the fewest that count.
    approvals: int = 1

    @property
    def all_fields(self) -> Mapping[str, Field]:
        """Return the fields of an operation with its hosts."""
        return {**({"hosts": HOSTS} if self.many else {"host": HOST}), **(self.fields or {})}


#: The action that is meant where none is named.
DEFAULT = "restore"

#: The action that changes no host but the evidence, and is carried out on the controller alone.
REDACTION = "ledger_redact"

ACTIONS: Mapping[str, ChangingAction] = {
    "restore": ChangingAction(
        module="restore_run",
        title={"en": "Restore", "zh": "数据恢复"},
        gates=("approval", "proved_backup", "freeze", "lock"),
        floor=("approval", "lock"),
        fields=restore.FIELDS,
        source={
            "en": "take the operation as egov.ops.backup_list gives it",
            "zh": "请采用 egov.ops.backup_list 给出的操作",
        },
        faults=restore.faults,
        lines=restore.lines,
        proof=restore.proof,
    ),
    "restore_accept": ChangingAction(
        module="restore_accept",
        title={"en": "Acceptance of a restore", "zh": "恢复验收"},
        gates=("lock",),
        floor=("lock",),
    ),
    "restore_undo": ChangingAction(
        module="restore_undo",
        title={"en": "Undoing of a restore", "zh": "恢复撤销"},
        gates=("lock",),
        floor=("lock",),
    ),
    "backup_prune": ChangingAction(
        module="backup_prune",
        title={"en": "Purge of expired backups", "zh": "清理过期备份"},
        gates=("lock",),
        floor=("lock",),
    ),
    REDACTION: ChangingAction(
        module="ledger_redact",
        title={"en": "Redaction of the ledger", "zh": "台账脱敏"},
        gates=("approval",),
        floor=("approval",),
        fields=redaction.FIELDS,
        source={
            "en": "take the operation as egov.ops.ledger_redact gives it without a request",
            "zh": "请采用不带申请执行 egov.ops.ledger_redact 时给出的操作",
        },
        faults=redaction.faults,
        lines=redaction.lines,
        approvals=2,
    ),
    "key_rotate": ChangingAction(
        module="key_rotate",
        title={"en": "Rotation of the repositories' keys", "zh": "备份库密钥轮换"},
        gates=("lock",),
        floor=("lock",),
    ),
}


def find(name: str) -> ChangingAction:
    """Return an action by its name; raises OpsError for one that there is not."""
    if name not in ACTIONS:
        raise OpsError(f"There is no action {name[:80]!r}; known are {', '.join(ACTIONS)}.")
    return ACTIONS[name]


def is_known(name: str) -> bool:
    """Tell whether there is an action of a name."""
    return name in ACTIONS


def carried_out_by(module: str) -> str:
    """Return the action that a module carries out; raises OpsError for a module that carries out none."""
    for name, action in ACTIONS.items():
        if action.module == module:
            return name
    raise OpsError(f"The module {module} carries out no action of plugin_utils/operations/registry.py; add it there.")


def requestable() -> list[str]:
    """Return the actions that can be asked for."""
    return [name for name, action in ACTIONS.items() if action.fields is not None]


def operation_fault(name: str, operation: object) -> str:
    """Return what is wrong with the operation of a request as one sentence, "" for nothing."""
    if name not in requestable():
        return f"{name[:80]!r} is no action that can be asked for; known are {', '.join(requestable())}."
    action, what = ACTIONS[name], f"The operation of {name}"
    fault = fault_of(what, action.all_fields, action.source["en"], operation)
    if fault or not isinstance(operation, Mapping):
        return fault
    fault = action.faults(operation)
    return f"{what} {fault}." if fault else ""
