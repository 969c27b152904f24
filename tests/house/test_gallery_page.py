"""The gallery of docs/derivations.md is what is printed today."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_is_up_to_date(maker) -> None:
    page = maker.PAGE.read_text("utf-8")
    assert page == maker.renewed(page), "write it anew: python docs/make_gallery.py"


def test_what_stands_around_the_gallery_is_kept(maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "gallery", lambda: maker.HEADING + "new\n" + maker.END)
    page = "# Top\n\ntext\n\n" + maker.HEADING + "old\n" + maker.END + "\n## After\n"
    assert maker.renewed(page) == page.replace("old", "new")
    assert maker.renewed("# Top\n") == "# Top\n\n" + maker.gallery()
