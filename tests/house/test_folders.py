"""Each folder says at its top what lives there and what may not, and docs/design.md names the files that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "autograd_np" / "check"
DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
PACKAGES = sorted(p for top in ("autograd_np", "nn", "benchmarks") for p in (ROOT / top).rglob("__init__.py"))

# --- what a folder says of itself -----------------------------------------------------------------


FORBIDS = re.compile(r"\b(may not|nor may|nothing\b.*\bmay|no\b.*\bmay)\b", re.IGNORECASE)


def unsaid(doc: str | None) -> list[str]:
    """Return what the docstring of a package leaves out: a title alone tells nobody where a new file belongs."""
    title, *paragraphs = (doc or "").split("\n\n")
    prose = paragraphs[0] if paragraphs and not re.search(r"^ *(---|>>>)", paragraphs[0], re.MULTILINE) else ""
    found = []
    if not title.strip().endswith((".", "?")):
        found.append("a title, which is a sentence")
    if not re.search(r"\bHere lives?\b", prose):
        found.append("what lives here ('Here lives …', in the first paragraph after the title)")
    walls = [sentence for sentence in re.split(r"(?<=[.;:]) ", " ".join(prose.split())) if FORBIDS.search(sentence)]
    if not any(len(sentence.split()) >= 5 for sentence in walls):
        found.append("what may not live here ('… may not …', in the same paragraph)")
    return found


@pytest.mark.parametrize("path", PACKAGES, ids=lambda p: str(p.parent.relative_to(ROOT)))
def test_a_folder_says_what_lives_there_and_what_may_not(path: Path) -> None:
    assert unsaid(ast.get_docstring(ast.parse(path.read_text("utf-8")))) == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {p.parent for top in ("autograd_np", "nn") for p in (ROOT / top).rglob("*.py")}
    assert folders <= {p.parent for p in PACKAGES}


@pytest.mark.parametrize(
    ("doc", "missing"),
    [
        (None, 3),
        ("Watch: the user's functions run as they are.", 2),
        ("Watch: the user's functions.\n\nExamples\n--------\n>>> 1 + 1\n2", 2),
        ("Watch: the user's functions.\n\nHere lives what calls, observes and reads source text.", 1),
        ("Watch: the user's functions.\n\nVerdicts on variables may not live here.", 1),
        ("Watch: the user's functions.\n\nHere lives what calls.\n\nVerdicts on variables may not live here.", 1),
        ("Watch: the user's functions.\n\nHere lives what calls. It may not.", 1),
        ("Watch: the user's functions.\n\nHere lives what calls. Verdicts on variables may not.", 0),
        ("Watch: the user's functions.\n\nHere lives what calls. Nothing here may know verdicts or reasons.", 0),
    ],
)
def test_a_folder_that_says_too_little_is_noticed(doc: str | None, missing: int) -> None:
    assert len(unsaid(doc)) == missing


# --- the table of check/ --------------------------------------------------------------------------


def section(title: str) -> str:
    return DESIGN.split(f"\n## {title}\n")[1].split("\n## ")[0]


def told(text: str) -> dict[str, list[str]]:
    """Return folder -> files, as a table with the columns folder, what, files says it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return {folder.strip("`"): re.findall(r"`([^`]+)`", files) for folder, _, files in rows}


def standing(top: Path) -> dict[str, list[str]]:
    """Return the same from the tree: a file without its suffix, a folder with a slash."""
    return {f"{folder.name}/": names(folder) for folder in top.iterdir() if is_package(folder)}


def names(folder: Path) -> list[str]:
    files = [p.stem for p in folder.glob("*.py") if p.name != "__init__.py"]
    return files + [f"{p.name}/" for p in folder.iterdir() if is_package(p)]


def is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def differences(text: str, top: Path) -> list[str]:
    """Return where the table and the tree differ, in words that say what to do in docs/design.md."""
    table, tree = told(text), standing(top)
    found = []
    for folder in sorted({*table, *tree}):
        listed, there = table.get(folder, []), tree.get(folder, [])
        found += [f"{folder}: add `{name}`" for name in sorted(set(there) - set(listed))]
        found += [f"{folder}: remove `{name}`" for name in sorted(set(listed) - set(there))]
        found += [f"{folder}: `{name}` stands twice" for name in sorted({name for name in listed if listed.count(name) > 1})]
    beside = re.findall(r"`([a-z_]+)\.py`", text)
    doors = [name for name in names(top) if not name.endswith("/")]
    found += [f"beside the folders: add `{name}.py`" for name in sorted(set(doors) - set(beside))]
    found += [f"beside the folders: remove `{name}.py`" for name in sorted(set(beside) - set(doors))]
    return found


def test_the_table_of_check_is_its_tree() -> None:
    assert differences(section("Checking a backward pass"), CHECK) == []


def test_a_table_that_is_not_the_tree_is_noticed(tmp_path: Path) -> None:
    for name in ("watch/__init__.py", "watch/run.py", "watch/deep/__init__.py", "tell/__init__.py", "tell/report.py", "door.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    right = "| `watch/` | runs `backward` | `run`, `deep/` |\n| `tell/` | says | `report` |\n\nThe door, `door.py`, knows all."
    assert differences(right, tmp_path) == []
    for wrong, said in (
        (right.replace(", `deep/`", ""), "watch/: add `deep/`"),
        (right.replace("`run`", "`run`, `gone`"), "watch/: remove `gone`"),
        (right.replace("`run`", "`run`, `run`"), "watch/: `run` stands twice"),
        (right.replace("| `tell/` | says | `report` |", ""), "tell/: add `report`"),
        (right.replace("`door.py`", "a file"), "beside the folders: add `door.py`"),
        (right.replace("`door.py`", "`door.py` or `gate.py`"), "beside the folders: remove `gate.py`"),
    ):
        assert differences(wrong, tmp_path) == [said]
