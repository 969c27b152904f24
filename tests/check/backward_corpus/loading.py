"""Passes and their mutants as modules imported from files, so that sources and line numbers are real."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["KINDS", "PASSES", "Mistake", "Mutant", "load", "mutants", "write"]

FOLDER = Path(__file__).parent / "passes"
PASSES = sorted(path.stem for path in FOLDER.glob("*.py"))
# fmt: off
KINDS = frozenset({
    "sign", "scale", "transpose", "missing-factor", "extra-factor", "wrong-point", "missing-term", "extra-term", "double-count",
    "wrong-reduction", "shape", "stale-value", "not-finite",
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
    """

    lines: frozenset[int]
    kinds: frozenset[str]
    what: str


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
    return load(FOLDER / f"{house}.py")


def write(mutant: Mutant, folder: Path) -> ModuleType:
    """Write a mutant to a file in `folder`, which must outlive the module, and import it."""
    path = folder / f"{mutant.house}_{next(_number)}.py"
    path.write_text(mutant.text, encoding="utf-8")
    return load(path)


def mutants(house: str) -> Iterator[Mutant]:
    """Yield the single and the double mutants of a pass."""
    module = right(house)
    for name in module.MUTANTS:
        yield _mutate(house, module, (name,))
    for pair in module.DOUBLES:
        yield _mutate(house, module, pair)


def _mutate(house: str, module: ModuleType, names: tuple[str, ...]) -> Mutant:
    text = (FOLDER / f"{house}.py").read_text(encoding="utf-8")
    edits = sorted((_place(text, module, name), *module.MUTANTS[name]) for name in names)
    pieces, places, end, size = [], [], 0, 0
    for at, old, new, *_ in edits:
        assert at >= end, f"{house}: {names} overlap"
        pieces += [text[end:at], new]
        size += at - end
        places.append(size)
        size, end = size + len(new), at + len(old)
    mutated = "".join([*pieces, text[end:]])
    mistakes = tuple(
        Mistake(frozenset(_blamed(mutated, module, place, old, new, others)), frozenset(kinds.split()), what)
        for place, (_, old, new, kinds, what, *others) in zip(places, edits, strict=True)
    )
    return Mutant(house, "+".join(names), mutated, mistakes)


def _place(text: str, module: ModuleType, name: str) -> int:
    """Return where the old text of a mutant begins in the file; it must be in its function exactly once."""
    old = module.MUTANTS[name][0]
    function: Any = getattr(module, getattr(module, "INSIDE", {}).get(name, "backward"))
    lines, first = inspect.getsourcelines(function)
    body = "".join(lines)
    assert body.count(old) == 1, f"{module.__name__}: {name}: {old!r} stands {body.count(old)} times in {function.__name__}"
    start = sum(len(line) for line in text.splitlines(keepends=True)[: first - 1])
    return start + body.index(old)


def _blamed(text: str, module: ModuleType, place: int, old: str, new: str, others: list[str]) -> Iterator[int]:
    """Yield the lines of the mutated text that hold what is new, and those of backward that hold one of `others`."""
    lines = text.splitlines()
    first = text.count("\n", 0, place) + 1
    kept = {line.strip() for line in old.splitlines()} if "\n" in new else set()
    if not (old.endswith("\n") and not new):  # a whole line that is gone cannot be blamed
        for number in range(first, first + new.count("\n") + 1):
            if lines[number - 1].strip() not in kept:
                yield number
    if others:
        start = inspect.getsourcelines(module.backward)[1]
        stop = next((n for n in range(start, len(lines)) if lines[n].startswith(("def ", "layer =", "GRADIENTS"))), len(lines))
        for other in others:
            found = [n + 1 for n in range(start, stop) if other in lines[n]]
            assert found, f"{module.__name__}: no line with {other!r}"
            yield from found
