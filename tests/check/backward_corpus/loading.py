"""Passes and their mutants as modules imported from files, so that sources and line numbers are real."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["FILES", "KINDS", "PASSES", "Mistake", "Mutant", "functions", "load", "mutants", "right", "write"]

FILES = {path.stem: path for path in sorted((Path(__file__).parent / "passes").glob("*.py"))}
PASSES = sorted(FILES)
# fmt: off
KINDS = frozenset({
    "sign", "scale", "transpose", "missing-factor", "extra-factor", "wrong-point", "missing-term", "extra-term", "double-count",
    "wrong-reduction", "shape", "stale-value", "not-finite", "not-returned", "raises",
})
# fmt: on
_number = count()


@dataclass(frozen=True)
class Mistake:
    """One thing done wrong.

    Attributes
    ----------
    lines : frozenset of int
        Lines of the mutated file that may rightly be blamed, 1-based.
    kinds : frozenset of str
        Explanations that a knowledgeable person would accept.
    what : str
        What was done wrong.
    inside : frozenset of int
        Those of the lines that are in the helper where it was done; none if it was done in backward itself.
    without : str
        The text of the file with this mistake put right.
    """

    lines: frozenset[int]
    kinds: frozenset[str]
    what: str
    inside: frozenset[int] = frozenset()
    without: str = ""


@dataclass(frozen=True)
class Mutant:
    """A pass with one or two mistakes: the text of its file, not yet written."""

    house: str
    name: str
    text: str
    mistakes: tuple[Mistake, ...]

    @property
    def double(self) -> bool:
        """Whether there are two mistakes."""
        return len(self.mistakes) == 2

    def __str__(self) -> str:
        return f"{self.house}:{self.name}"


def load(path: Path) -> ModuleType:
    """Import a file under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"pass_{path.stem}_{next(_number)}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def right(house: str) -> ModuleType:
    """Import a pass as it is."""
    return load(FILES[house])


def write(house: str, text: str, folder: Path) -> ModuleType:
    """Write a changed text of a pass to a file in `folder`, which must outlive the module, and import it."""
    path = folder / f"{house}_{next(_number)}.py"
    path.write_text(text, encoding="utf-8")
    return load(path)


def functions(module: ModuleType, seed: int = 0) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return forward and backward of a pass, those of a new object if they are methods."""
    return module.build(seed) if hasattr(module, "build") else (module.forward, module.backward)


def mutants(house: str) -> Iterator[Mutant]:
    """Yield the single and the double mutants of a pass."""
    module = right(house)
    text = FILES[house].read_text(encoding="utf-8")
    for names in [*((name,) for name in module.MUTANTS), *module.DOUBLES]:
        mutated, places = _edited(text, module, names)
        mistakes = (_mistake(text, mutated, module, names, name, places[name]) for name in names)
        yield Mutant(house, "+".join(names), mutated, tuple(mistakes))


def _edited(text: str, module: ModuleType, names: tuple[str, ...]) -> tuple[str, dict[str, int]]:
    """Return the text with mutants made, and where each begins in it."""
    edits = sorted((_place(text, module, name), *module.MUTANTS[name][:2], name) for name in names)
    pieces, places, end, size = [], {}, 0, 0
    for at, old, new, name in edits:
        assert at >= end, f"{module.__name__}: {names} overlap"
        pieces += [text[end:at], new]
        places[name] = size + at - end
        size, end = places[name] + len(new), at + len(old)
    return "".join([*pieces, text[end:]]), places


def _mistake(text: str, mutated: str, module: ModuleType, names: tuple[str, ...], name: str, place: int) -> Mistake:
    old, new, kinds, what, *others = module.MUTANTS[name]
    helper = _function(module, name)
    lines = frozenset(_blamed(mutated, {helper, _function(module)}, place, old, new, others))
    inside = lines & {*_span(mutated, helper)} if helper != _function(module) else frozenset()
    without, _ = _edited(text, module, tuple(other for other in names if other != name))
    return Mistake(lines, frozenset(kinds.split()), what, inside, without)


def _function(module: ModuleType, mutant: str = "") -> str:
    """Return the dotted name of the function that a mutant is made in, by default that of backward."""
    return getattr(module, "INSIDE", {}).get(mutant) or functions(module)[1].__qualname__.replace("<locals>.", "")


@cache
def _span(text: str, function: str) -> range:
    """Return the line numbers of a function."""
    node: Any = ast.parse(text)
    for name in function.split("."):
        node = next(n for n in ast.walk(node) if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name)
    return range(node.lineno, node.end_lineno + 1)


def _place(text: str, module: ModuleType, name: str) -> int:
    """Return where the old text of a mutant begins in the file; it must be in its function exactly once."""
    old, function = module.MUTANTS[name][0], _function(module, name)
    lines, span = text.splitlines(keepends=True), _span(text, function)
    body = "".join(lines[span.start - 1 : span.stop - 1])
    assert body.count(old) == 1, f"{module.__name__}: {name}: {old!r} stands {body.count(old)} times in {function}"
    return sum(map(len, lines[: span.start - 1])) + body.index(old)


def _blamed(text: str, where: set[str], place: int, old: str, new: str, others: list[str]) -> Iterator[int]:
    """Yield the lines of the mutated text that hold what is new, and those of the functions `where` that hold one of `others`."""
    lines = text.splitlines()
    first = text.count("\n", 0, place) + 1
    kept = {line.strip() for line in old.splitlines()} if "\n" in new else set()
    if not (old.endswith("\n") and not new):  # a whole line that is gone cannot be blamed
        for number in range(first, first + new.rstrip("\n").count("\n") + 1):
            if lines[number - 1].strip() not in kept:
                yield number
    for other in others:
        yield from (n for function in where for n in _span(text, function) if other in lines[n - 1])
