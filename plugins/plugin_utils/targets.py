# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a play works on, and what is refused because Ansible would pass over it and end with 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.inventory.host import Host
from ansible.inventory.manager import IGNORED, InventoryManager, split_host_pattern
from ansible.utils.path import unfrackpath
from ansible_collections.egov.ops.plugins.plugin_utils.command import typed_path
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError

#: What Ansible takes where it is given no inventory.
DEFAULT = "/etc/ansible/hosts"
#: How many names a sentence lists before it only counts the rest.
LISTED = 8


def refuse_no_match(
    pattern: Any, groups: Mapping[str, Iterable[str]], sources: Iterable[str], limit: str | None, loader: Any
) -> None:
    """Refuse a pattern of hosts that matches nothing, or of which a part matches nothing; raises OpsError.

    groups are the names of the hosts of each group, `all` among them; sources the inventories as Ansible took them;
    limit is the value of --limit.
    """
    if not isinstance(pattern, str):
        raise OpsError(f"egov_ops_hosts is {pattern!r}, but must be a text: a pattern such as web1,db1.")
    if pattern != "localhost" and not groups.get("all"):
        raise OpsError(_without_hosts(list(sources)))
    if pattern == "all" and not limit:
        return
    inventory = _inventory(groups, loader)
    _refuse_unknown_terms(f"egov_ops_hosts is {pattern!r}", split_host_pattern(pattern), inventory)
    try:
        chosen = inventory.get_hosts(pattern)
        inventory.subset(limit)
        _refuse_unknown_terms(f"--limit is {limit!r}", inventory._subset or (), inventory)
        left = inventory.get_hosts(pattern)
    except AnsibleError as error:
        raise OpsError(f"The hosts {pattern!r} with --limit {limit!r} cannot be chosen: {error}.") from None
    if not chosen:
        raise OpsError(f"egov_ops_hosts is {pattern!r}, which leaves no host; allowed are {_names(groups)}.")
    if not left:
        names = _listed([host.name for host in chosen])
        raise OpsError(
            f"--limit is {limit!r}, which leaves out every host that this play works on ({names}); "
            "name one of them, or leave out --limit."
        )


def refuse_unparsed(inventory: Any) -> None:
    """Refuse an inventory of which Ansible could not read a part, and only warns: its hosts would be missing."""
    read = set(inventory._inventory.processed_sources)
    for source in inventory._sources:
        files = [source] if "," in source else map(str, source_files(Path(unfrackpath(source, follow=False))))
        for file in files:
            # Ansible does not miss the default where nobody has made it.
            if file not in read and (file != DEFAULT or Path(file).exists()):
                raise OpsError(
                    f"The inventory {typed_path(file)} cannot be read, so its hosts would be missing; mend what "
                    "Ansible's warning says of it, or take it out of the inventory."
                )


def source_files(path: Path) -> Iterator[Path]:
    """Yield the files that Ansible takes for inventories, in its order."""
    if not path.is_dir():
        yield path
        return
    for inner in sorted(path.iterdir()):
        if not IGNORED.search(inner.name.encode()):
            yield from source_files(inner)


def refuse_only_foreign(hosts: Iterable[str], foreign: Iterable[str]) -> None:
    """Refuse a run of which no host is ours; raises OpsError."""
    names = list(hosts)
    if set(names) <= set(foreign):
        raise OpsError(
            f"No host of this run is ours ({_listed(names)}), so nothing was done: each has egov_ops_managed: false, "
            "or is a network device or Windows; take hosts that are ours into the run."
        )


def _inventory(groups: Mapping[str, Iterable[str]], loader: Any) -> InventoryManager:
    """Return an inventory of these names alone, which knows patterns as Ansible does."""
    inventory = InventoryManager(loader=loader, sources=[], parse=False)
    data: InventoryData = inventory._inventory
    data.hosts.update((host, Host(host)) for hosts in groups.values() for host in hosts)
    for group, hosts in groups.items():
        # Not by add_host, which goes through all ancestors of a group for each host: 0.8 s for 2,000 hosts.
        data.groups[data.add_group(group)].hosts = [data.hosts[host] for host in hosts]
    return inventory


def _refuse_unknown_terms(given: str, terms: Iterable[str], inventory: InventoryManager) -> None:
    """Refuse a term that is no group and matches no host: Ansible warns of it, and goes on without."""
    for term in terms:
        name = term.lstrip("!&")
        if name in inventory.groups or inventory.get_hosts(name, ignore_limits=True):
            continue
        raise OpsError(f"{given}, but {name} is no host and no group; allowed are {_names(inventory.groups)}.")


def _without_hosts(sources: list[str]) -> str:
    """Return the sentence for an inventory without any host."""
    missing = [source for source in sources if "," not in source and not Path(source).exists()]
    if not sources or missing == [DEFAULT]:
        return "No inventory is given, so there is no host to work on; name one with -i, such as -i inventories/site."
    if missing:
        return f"-i is {', '.join(map(typed_path, missing))}, which does not exist; name an inventory that has hosts."
    given = ", ".join(map(typed_path, sources))
    return f"-i is {given}, in which Ansible finds no host; name an inventory that has hosts."


def _names(groups: Mapping[str, Any]) -> str:
    """Return what a pattern may name: the groups that a site has made."""
    own = _listed(sorted(set(groups) - {"all", "ungrouped"}))
    return f"the groups {own}, the hosts in them, and all" if own else "the inventory's hosts, and all"


def _listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
