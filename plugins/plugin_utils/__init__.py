# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of the controller, loaded as Python loads any package.

Ansible's own loader compiles each module of a collection anew at each start, a tenth of a second for ours. Python's
keeps what it has compiled in `__pycache__`, where that folder can be written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any

from ansible.utils.collection_loader import AnsibleCollectionConfig

_PLUGINS = __name__.rpartition(".")[0]
_ROOMS = (f"{_PLUGINS}.plugin_utils.", f"{_PLUGINS}.module_utils.")


class _Finder:
    """Finds the modules of our rooms, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module is, None for what is not ours or not there."""
        if not path or not name.startswith(_ROOMS):
            return None
        return FileFinder(path[0], (SourceFileLoader, [".py"])).find_spec(name, target)


def offering(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package that offers names of its modules, {module: names}.

    A module is loaded when the first of its names is asked for, so that a task loads no more than it uses.
    """
    homes = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"{package} offers no {name}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


# Where Ansible has not taken over the loading of collections, Python's own loader is at work already.
if AnsibleCollectionConfig.collection_finder in sys.meta_path:
    sys.meta_path.insert(sys.meta_path.index(AnsibleCollectionConfig.collection_finder), _Finder)
