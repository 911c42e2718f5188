# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a disk says of its own health (SMART), by smartctl 7 and newer."""

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Document
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: A disk that takes longer to answer is not well either.
ANSWER_SECONDS = 20.0

#: What a disk can be: the statuses of a record, and that it has nothing to say.
SILENT = "not_applicable"

#: The attributes of ATA disks by number whose raw value should stay 0, and what it counts.
ATTRIBUTES = {
    5: "reallocated sectors",
    187: "uncorrectable errors",
    197: "sectors that wait to be reallocated",
    198: "sectors that cannot be read",
}

#: The bits of an NVMe disk's critical warning: the status of each, and what it says.
NVME_WARNINGS = (
    ("critical", "its spare space is used up"),
    ("warning", "its temperature is out of bounds"),
    ("critical", "its reliability is degraded"),
    ("critical", "it can only be read"),
    ("warning", "what guards its cache against loss of power has failed"),
    ("critical", "its persistent memory can only be read"),
)

#: Bits of smartctl's exit status: the disk cannot be opened, it says that it fails, an attribute is past its threshold.
CLOSED, FAILING, PAST_THRESHOLD = 2, 8, 16

#: What smartctl says of what a RAID controller shows: the disks behind it are asked by names that nobody can guess.
BEHIND = "-d "

INSTALL = (
    "Install smartmontools on the host (Debian, Ubuntu: apt-get install smartmontools; Fedora, EL: dnf install "
    "smartmontools; SUSE: zypper install smartmontools)."
)
EXCHANGE = "Copy what it holds to another disk, and exchange it: smartctl -a /dev/%s."
LOOK = "Watch whether it grows, and plan to exchange the disk: smartctl -a /dev/%s."


def ask(name, host, root="/"):
    # type: (str, Host, str) -> tuple[str, str, str]
    """Return the health of a disk: a status or SILENT, a few words, and what to do next."""
    if not os.path.exists(os.path.join(root, "dev", name)):
        return SILENT, "disk %s cannot be reached from here" % name, ""
    if not host.tool("smartctl"):
        return "unknown", "disk %s cannot be asked without smartctl" % name, INSTALL
    if os.geteuid() != 0:
        return "unknown", "disk %s answers root alone" % name, "Run it as root, or watch the disk by smartd."
    done = host.run(["smartctl", "--json", "-i", "-H", "-A", "/dev/%s" % name], timeout=ANSWER_SECONDS)
    if done.timed_out and not host.remaining():
        return "unknown", "there was no time left to ask disk %s" % name, "Give the task more time."
    if done.timed_out:
        return "critical", "disk %s did not answer within %.0f s" % (name, ANSWER_SECONDS), LOOK % name
    try:
        document = json.loads(done.out)
        status, words = judge(document)
    except (ValueError, TypeError, AttributeError, KeyError):
        words = "disk %s cannot be asked: %s" % (name, done.error.rstrip("."))
        return "unknown", words, "Use smartctl 7 or newer, which tells it as JSON."
    act = EXCHANGE if status == "critical" else LOOK if status in ("warning", "unknown") else ""
    return status, "disk %s: %s" % (name, words), act and act % name


def judge(document):
    # type: (Document) -> tuple[str, str]
    """Return the status of a disk, or SILENT, and a few words, from what smartctl says; pure.

    Raises TypeError, AttributeError or KeyError for what is none of its documents.
    """
    told = document["smartctl"]
    passed = document.get("smart_status", {}).get("passed")
    if passed is None:
        said = "; ".join(entry["string"] for entry in told.get("messages") or ()).rstrip(".")
        if told.get("exit_status", 0) & CLOSED and BEHIND not in said:
            return "unknown", "it cannot be asked (%s)" % said
        return SILENT, "it says nothing of its health%s" % (" (%s)" % said if said else "")
    found = []
    if not passed or told.get("exit_status", 0) & FAILING:
        found.append(("critical", "it says itself that it fails"))
    elif told.get("exit_status", 0) & PAST_THRESHOLD:
        found.append(("critical", "an attribute of it is past its threshold"))
    found += _ata(document.get("ata_smart_attributes", {}).get("table") or [])
    found += _nvme(document.get("nvme_smart_health_information_log") or {})
    if document.get("scsi_grown_defect_list"):
        found.append(("warning", "%s defects grown" % document["scsi_grown_defect_list"]))
    if not found:
        return "ok", "it passes"
    status = "critical" if any(one == "critical" for one, _words in found) else "warning"
    return status, ", ".join(words for _status, words in found)


def _ata(table):
    # type: (list[Document]) -> list[tuple[str, str]]
    return [
        ("warning", "%s %s" % (entry["raw"]["value"], ATTRIBUTES[entry["id"]]))
        for entry in table
        if entry["id"] in ATTRIBUTES and entry["raw"]["value"]
    ]


def _nvme(log):
    # type: (Document) -> list[tuple[str, str]]
    warnings = log.get("critical_warning") or 0
    found = [said for bit, said in enumerate(NVME_WARNINGS) if warnings >> bit & 1]
    if log.get("media_errors"):
        found.append(("warning", "%s errors of its media" % log["media_errors"]))
    if (log.get("percentage_used") or 0) >= 100:
        found.append(("warning", "it is worn out by %s %%" % log["percentage_used"]))
    return found
