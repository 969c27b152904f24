"""Mathematics as a tree: what stands beside, above and below what. One tree, printed as LaTeX and as MathML.

Texts are Unicode (``γ``, ``⊙``); the printers say it in their language. What binds how tightly is known where a tree is made, so
brackets are part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

__all__ = [
    "Accent",
    "Big",
    "Cases",
    "Fence",
    "Fraction",
    "Hole",
    "Matrix",
    "Node",
    "Number",
    "Root",
    "Row",
    "Script",
    "Sign",
    "Symbol",
    "Under",
    "Word",
    "holes",
    "is_tall",
    "joined",
    "number",
    "parts",
    "rebuilt",
    "row",
    "width",
]


class Symbol(NamedTuple):
    """A letter, or a word that stands for something."""

    text: str
    style: str = "italic"  # or "bold", "upright"


class Number(NamedTuple):
    """Digits."""

    text: str


class Word(NamedTuple):
    """Text between formulas."""

    text: str


class Sign(NamedTuple):
    """An operator, a relation or punctuation; `role` is ``"binary"``, ``"relation"``, ``"prefix"``, ``"mark"`` or ``"function"``."""

    text: str
    role: str = "binary"


class Row(NamedTuple):
    """Things side by side."""

    items: tuple[Node, ...]


class Fraction(NamedTuple):
    """One thing over another; without a line a binomial coefficient."""

    top: Node
    bottom: Node
    line: bool = True


class Root(NamedTuple):
    """A root."""

    body: Node
    degree: Node | None = None


class Script(NamedTuple):
    """A base with an index, an exponent or both."""

    base: Node
    sub: Node | None = None
    sup: Node | None = None


class Under(NamedTuple):
    """A thing with a remark under it."""

    body: Node
    below: Node


class Big(NamedTuple):
    """A sign with limits: a sum, a maximum over an index."""

    sign: Node
    below: Node | None = None
    above: Node | None = None


class Accent(NamedTuple):
    """A hat, a bar, a tilde, a dot or a line over a thing."""

    mark: str
    body: Node


class Fence(NamedTuple):
    """A thing between brackets."""

    left: str
    body: Node
    right: str


class Matrix(NamedTuple):
    """Blocks in rows and columns."""

    rows: tuple[tuple[Node, ...], ...]


class Cases(NamedTuple):
    """What holds in which case."""

    rows: tuple[tuple[Node, Node], ...]


class Hole(NamedTuple):
    """In the notation of a row of the table, the place of an argument, or of an attribute by its name."""

    what: int | str


Node: TypeAlias = Symbol | Number | Word | Sign | Row | Fraction | Root | Script | Under | Big | Accent | Fence | Matrix | Cases | Hole


def row(*items: Node) -> Node:
    """Return things side by side, without rows in rows."""
    flat: list[Node] = []
    for item in items:
        flat += item.items if isinstance(item, Row) else (item,)
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


def joined(items: Iterable[Node], between: Node | None) -> Node:
    """Return things side by side with a sign between them."""
    flat: list[Node] = []
    for item in items:
        if flat and between is not None:
            flat.append(between)
        flat.append(item)
    return row(*flat)


def number(n: int) -> Node:
    """Return a whole number."""
    return row(Sign("−", "prefix"), Number(str(-n))) if n < 0 else Number(str(n))


def parts(node: Node) -> Iterator[Node]:
    """Yield the things that a thing is made of."""
    for part in node:
        if part is None or isinstance(part, (str, bool, int)):
            continue
        if type(part) is tuple:
            for x in part:
                yield from x if type(x) is tuple else (x,)
        else:
            yield part


def rebuilt(node: Node, f: Callable[[Node], Node]) -> Node:
    """Return a thing with each of its parts replaced by what `f` makes of it."""
    changed: list[object] = []
    for part in node:
        if type(part) is tuple:
            changed.append(tuple(tuple(map(f, x)) if type(x) is tuple else f(x) for x in part))
        else:
            changed.append(part if part is None or isinstance(part, (str, bool, int)) else f(part))
    return type(node)(*changed)  # type: ignore[arg-type]


def holes(node: Node) -> list[Hole]:
    """Return the places of arguments, from left to right."""
    return [node] if isinstance(node, Hole) else [h for part in parts(node) for h in holes(part)]


def is_tall(node: Node) -> bool:
    """Whether brackets around a thing must grow with it."""
    return isinstance(node, (Fraction, Root, Big, Under, Matrix, Cases)) or any(
        is_tall(p) for p in parts(node if not isinstance(node, Script) else Row((node.base,)))
    )


_SIGNS = {"binary": 2.2, "relation": 2.4}


def width(node: Node) -> float:
    """Return about how wide a formula is, in letters."""
    match node:
        case Symbol(text) | Number(text) | Word(text):
            return len(text) * (0.8 if isinstance(node, Symbol) and len(text) > 1 else 1.0)
        case Sign(text, role):
            return 0.9 * len(text) if role == "function" else _SIGNS.get(role, 0.6)
        case Row(items):
            return sum(map(width, items))
        case Fraction(top, bottom):
            return max(width(top), width(bottom)) + 0.4
        case Script(base, sub, sup):
            return width(base) + 0.7 * max(width(sub) if sub else 0, width(sup) if sup else 0)
        case Under(body, below):
            return max(width(body), 0.7 * width(below))
        case Big(sign, below, above):
            return max(width(sign) + 0.6, 0.7 * (width(below) if below else 0), 0.7 * (width(above) if above else 0))
        case Matrix(rows) | Cases(rows):
            return max(sum(width(c) + 1.5 for c in cells) for cells in rows) + 1
        case _:
            return sum(map(width, parts(node))) + 1.2
