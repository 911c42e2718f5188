# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Chinese word for one thing, in the words of those who operate such platforms."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SPOKEN = [
    ROOT / "README.zh-CN.md",
    ROOT / "plugins/plugin_utils/report/messages.yml",
    *sorted((ROOT / "plugins/plugin_utils/plan").glob("*.yml")),
    *sorted((ROOT / "docs").glob("*.md")),
]

#: Words that we do not use, and what stands for them.
RETIRED = {
    "紧急越权": "紧急放行",
    "关卡": "审批控制",
    "链头": "最新哈希",
    "期末需要处置": "截至期末待处置",
    "问题键": "问题标识",
    "口令栈": "PAM 口令策略",
    "不通过": "不符合",
    "自述": "自行填报",
    "运行健康": "运行状态",
    "第一个站点": "首次部署",
    "账本": "台账",
    "计划": "方案",
    "补丁": "更新",
}


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.name)
def test_no_retired_word_is_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = {word: better for word, better in RETIRED.items() if word in text}
    assert not used, f"{path.name} uses {used}"
