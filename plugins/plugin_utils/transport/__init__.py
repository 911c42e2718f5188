# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the host half travels: the modules it needs, the stream that carries them, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream
    from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer import (
        EXACT,
        Answer,
        AnswerError,
        Expected,
        parse_answer,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.transport.answer_shape import (
        Check,
        Fault,
        digest,
        fields,
        flag,
        integer,
        line,
        list_of,
        map_of,
        number,
        one_of,
        optional,
        pair,
        path,
        same,
        text,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.transport.boundary import RAW, Boundary
    from ansible_collections.egov.ops.plugins.plugin_utils.transport.module_bundle import sources
else:
    __getattr__ = offering(
        __name__,
        {
            "answer": ("Answer", "AnswerError", "EXACT", "Expected", "parse_answer"),
            "answer_shape": (
                "Check",
                "Fault",
                "digest",
                "fields",
                "flag",
                "integer",
                "line",
                "list_of",
                "map_of",
                "number",
                "one_of",
                "optional",
                "pair",
                "path",
                "same",
                "text",
            ),
            "boundary": ("Boundary", "RAW"),
            "module_bundle": ("sources",),
        },
    )
