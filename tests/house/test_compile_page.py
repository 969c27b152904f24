"""The examples of docs/compile.md give what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compile.md"


def test_the_examples_of_the_page() -> None:
    text = PAGE.read_text("utf-8").replace("```", "")
    parser, report = doctest.DocTestParser(), []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(parser.get_doctest(text, {}, PAGE.name, str(PAGE), 0), out=report.append)
    assert not runner.failures, "".join(report)
    assert runner.tries > 5
