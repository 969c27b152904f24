"""The examples of docs/derivations.md print what stands there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "derivations.md").read_text("utf-8").partition("## Gallery")[0]


def test_the_program_and_the_formulas_are_those_of_the_page() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    told = io.StringIO()
    namespace: dict[str, Any] = {}
    with contextlib.redirect_stdout(told):
        exec(compile(code, "page", "exec"), namespace)
    assert shown in told.getvalue()
    formulas = namespace["derivation"].to_markdown().replace("### ", "#### ")
    assert formulas.strip() in PAGE
