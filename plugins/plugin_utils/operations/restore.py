# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore as it is asked for: its fields, what an approver reads of it, and the snapshot that must be proved."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.module_utils.host.identity import short
from ansible_collections.egov.ops.plugins.plugin_utils.operations.fields import (
    AMOUNT,
    DIGEST,
    MACHINE_MARKS,
    PATHS,
    SECONDS,
    TEXT,
    TIME,
    UNITS,
    Field,
    Lines,
    Operation,
    Snapshot,
    is_path,
    one_of,
)

#: Paths of a request: an approver is shown each of them.
PATHS_LIMIT = 500

#: Digits of a snapshot's id that name it among people.
_SHORT = 8

FIELDS = {
    "set": TEXT,
    "repository": TEXT,
    "snapshot": DIGEST,
    "snapshot_time": TIME,
    "paths": PATHS,
    "mode": one_of("beside", "in_place"),
    "destination": Field(lambda value: value == "" or is_path(value), "an absolute path, or empty"),
    "files": AMOUNT,
    "bytes": AMOUNT,
    "stop": UNITS,
    "seconds": SECONDS,
    "of": TEXT._replace(optional=True),
    "original": DIGEST._replace(optional=True),
    "machine": MACHINE_MARKS,
}

_WORDS = {
    "en": {
        "machine": "machine",
        "of": "of",
        "of_host": "host {of}, whose data goes to another host",
        "from": "from",
        "source": "snapshot {snapshot} of {time}, set {set}, repository {repository}",
        "what": "what",
        "whole": "the whole set",
        "size": "size",
        "amount": "{files} files, {bytes}, about {seconds:g} s",
        "where": "where",
        "beside": "beside, into {destination}, which must not exist; nothing is replaced",
        "in_place": (
            "back into its place; what is there now is replaced, and kept aside until restore_accept or restore_undo"
        ),
        "stops": "stops",
        "stopped": "{units}; started again afterwards",
        "nothing": "nothing",
        "between": ", ",
    },
    "zh": {
        "machine": "主机身份",
        "of": "数据归属",
        "of_host": "主机 {of}，其数据将恢复到另一台主机",
        "from": "来源",
        "source": "{time} 的快照 {snapshot}，备份集 {set}，备份库 {repository}",
        "what": "内容",
        "whole": "整个备份集",
        "size": "规模",
        "amount": "{files} 个文件，{bytes}，约 {seconds:g} 秒",
        "where": "位置",
        "beside": "恢复到旁路目录 {destination}（须尚不存在），不替换任何数据",
        "in_place": "恢复到原位；现有数据被替换，并保留到执行 restore_accept 或 restore_undo 为止",
        "stops": "停用",
        "stopped": "{units}，恢复后重新启动",
        "nothing": "无",
        "between": "、",
    },
}


def faults(operation: Operation) -> str:
    """Return how the fields of a restore contradict each other, as the end of a sentence; "" where they do not."""
    if len(operation["paths"]) > PATHS_LIMIT:
        return f"names {len(operation['paths'])} paths, more than {PATHS_LIMIT}; name the folders that they are in"
    if operation["mode"] == "beside" and not is_path(operation["destination"]):
        return "needs a destination, an absolute path, because it restores beside what is there"
    if operation["mode"] == "in_place" and operation["destination"]:
        return "has a destination, though it restores in place"
    return ""


def lines(operation: Operation, language: str) -> Lines:
    """Return a restore as an approver reads it."""
    words = _WORDS[language]
    source = words["source"].format(
        snapshot=operation["snapshot"][:_SHORT],
        time=operation["snapshot_time"],
        set=operation["set"],
        repository=operation["repository"],
    )
    found = [(words["of"], words["of_host"].format(of=operation["of"]))] if operation.get("of") else []
    if operation.get("machine"):
        found.insert(0, (words["machine"], short(operation["machine"])))
    found.append((words["from"], source))
    found += [(words["what"], path) for path in operation["paths"]] or [(words["what"], words["whole"])]
    size = {"files": operation["files"], "bytes": _amount(operation["bytes"]), "seconds": operation["seconds"]}
    found.append((words["size"], words["amount"].format(**size)))
    found.append((words["where"], words[operation["mode"]].format(destination=operation["destination"])))
    units = words["between"].join(operation["stop"])
    found.append((words["stops"], words["stopped"].format(units=units) if units else words["nothing"]))
    return found


def proof(operation: Operation) -> Snapshot | None:
    """Return the snapshot that must be proved before data on a host is replaced; None where nothing is replaced."""
    if operation["mode"] != "in_place":
        return None
    ids = (operation["snapshot"], *([operation["original"]] if "original" in operation else []))
    return Snapshot(operation.get("of", ""), operation["set"], ids)


def _amount(size: int) -> str:
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.4g} {unit}"
