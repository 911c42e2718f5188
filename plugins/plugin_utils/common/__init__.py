# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every package stands on: errors of one sentence, durable files, the state folder, signatures, safe text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.common import persistence, printed_commands, terminal
    from ansible_collections.egov.ops.plugins.plugin_utils.common.domains import (
        DOMAINS,
        GATE,
        MACHINES,
        OWNERS,
        REPORTED,
        place_of,
        sentence_of,
        with_others,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.common.durable import (
        append_lines,
        file_digest,
        folder_held,
        hold,
        is_ours,
        make_private,
        open_private,
        sync_folder,
        write_whole,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
    from ansible_collections.egov.ops.plugins.plugin_utils.common.persistence import transient_here
    from ansible_collections.egov.ops.plugins.plugin_utils.common.printed_commands import typed_path
    from ansible_collections.egov.ops.plugins.plugin_utils.common.safe_text import inert, inert_value
    from ansible_collections.egov.ops.plugins.plugin_utils.common.ssh_signature import (
        key_of,
        public_key,
        sign,
        ssh_keygen,
        verify,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
    from ansible_collections.egov.ops.plugins.plugin_utils.common.state_trust import make_folder, user_name
else:
    __getattr__ = offering(
        __name__,
        {
            "domains": ("DOMAINS", "GATE", "MACHINES", "OWNERS", "REPORTED", "place_of", "sentence_of", "with_others"),
            "durable": (
                "append_lines",
                "file_digest",
                "folder_held",
                "hold",
                "is_ours",
                "make_private",
                "open_private",
                "sync_folder",
                "write_whole",
            ),
            "errors": ("OpsError",),
            "persistence": ("transient_here",),
            "printed_commands": ("typed_path",),
            "safe_text": ("inert", "inert_value"),
            "ssh_signature": ("key_of", "public_key", "sign", "ssh_keygen", "verify"),
            "state_dir": ("StateDir",),
            "state_trust": ("make_folder", "user_name"),
        },
    )
