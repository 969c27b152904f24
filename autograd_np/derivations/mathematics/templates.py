r"""The `tex` of a row of the table, read into a tree with holes: ``\log #1``, ``I_{#3}(#1, #2)``, ``I_{#order}(#1)``.

What is understood is what formulas of one function need. A command that is not known is set as its name, so that the notation of
somebody's own operation is never refused.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.latex import KNOWN
from autograd_np.derivations.mathematics.notation import Node

__all__ = ["ATOM", "FUNCTION", "POWER", "PRODUCT", "SUM", "Template", "is_function", "template"]

SUM, PRODUCT, FUNCTION, POWER, ATOM = range(5)
"""How tightly a formula binds: a sum, a product, a function beside its argument, a power or a fraction, what is one thing."""

_PIECE = re.compile(r"\\[A-Za-z]+|\\.|#[A-Za-z_]\w*|#\d+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_PAIRS = {
    "(": ")",
    "[": "]",
    r"\lvert": r"\rvert",
    r"\lVert": r"\rVert",
    r"\lfloor": r"\rfloor",
    r"\lceil": r"\rceil",
    r"\langle": r"\rangle",
    "|": "|",
}
_FENCE = {r"\lvert": "|", r"\rvert": "|", r"\lVert": "‖", r"\rVert": "‖", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉",
          r"\langle": "⟨", r"\rangle": "⟩"}  # fmt: skip
_BINARY = {"+": "+", "-": "−", "*": "∗", r"\odot": "⊙", r"\cdot": "⋅", r"\times": "×", r"\bmod": "mod", r"\wedge": "∧", r"\vee": "∨",
           r"\oplus": "⊕", r"\otimes": "⊗", r"\ll": "≪", r"\gg": "≫"}  # fmt: skip
_RELATIONS = {"=": "=", "<": "<", ">": ">", r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\approx": "≈", r"\in": "∈", r"\to": "→"}
_FUNCTIONS = ("log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det", "gcd", "arg")
_BIG = {r"\sum": n.Sign("∑"), r"\prod": n.Sign("∏"), r"\max": n.Sign("max", "function"), r"\min": n.Sign("min", "function")}
_ACCENTS = {r"\hat": "hat", r"\bar": "bar", r"\tilde": "tilde", r"\dot": "dot", r"\overline": "line"}


class Template(NamedTuple):
    """The notation of an operation.

    Attributes
    ----------
    tree : Node
    needs : dict
        For each place of an argument, how tightly what is put there has to bind.
    binds : int
        How tightly the whole binds.
    """

    tree: Node
    needs: dict[int | str, int]
    binds: int

    def filled(self, put: dict[int | str, Node]) -> Node:
        """Return the tree with things in its places."""
        return _filled(self.tree, put)


@functools.cache
def template(tex: str) -> Template:
    r"""Read the notation of a row.

    Examples
    --------
    >>> from autograd_np.derivations.mathematics.latex import latex
    >>> latex(template(r"\frac{#1}{1 + #2}").filled({1: n.Symbol("a"), 2: n.Symbol("b")}))
    '\\frac{a}{1 + b}'
    """
    tree = _Reader(tex).read()
    needs: dict[int | str, int] = {}
    _needed(tree, needs, top=not isinstance(tree, n.Hole))
    return Template(tree, needs, _binds(tree))


def _binds(tree: Node) -> int:
    if isinstance(tree, (n.Symbol, n.Number, n.Hole, n.Fence, n.Accent)):
        return ATOM
    if not isinstance(tree, n.Row) or not tree.items:
        return POWER
    signs = [x for x in tree.items if isinstance(x, n.Sign)]
    if any(s.text in "+−" and s.role == "binary" for s in signs) or any(s.role == "relation" for s in signs):
        return SUM
    if any(s.role in ("binary", "prefix") for s in signs):
        return PRODUCT
    if len(tree.items) == 2 and isinstance(tree.items[1], n.Fence):
        return POWER if is_function(tree.items[0]) else ATOM
    return FUNCTION if is_function(tree.items[0]) else PRODUCT


def is_function(node: Node) -> bool:
    """Whether a thing is the name of a function."""
    base = node.base if isinstance(node, n.Script) else node
    return isinstance(base, n.Sign) and base.role == "function"


def _needed(node: Node, needs: dict[int | str, int], *, top: bool) -> None:
    """Note how tightly each argument has to bind: between brackets not at all, beside a sign more tightly than the sign."""
    if isinstance(node, n.Hole):
        needs[node.what] = max(needs.get(node.what, SUM), ATOM if top else SUM)
        return
    if isinstance(node, n.Row):
        for i, item in enumerate(node.items):
            if not isinstance(item, n.Hole):
                _needed(item, needs, top=True)
                continue
            before = node.items[i - 1] if i else None
            after = node.items[i + 1] if i + 1 < len(node.items) else None
            needs[item.what] = max(needs.get(item.what, SUM), _beside(before, after))
        return
    if isinstance(node, n.Script):
        _needed(node.base, needs, top=True)
        for part in (node.sub, node.sup):
            if part is not None:
                _needed(part, needs, top=False)
        return
    for part in n.parts(node):
        _needed(part, needs, top=False)


def _beside(before: Node | None, after: Node | None) -> int:
    def of(sign: Node | None, *, left: bool) -> int:
        if sign is None or (isinstance(sign, n.Sign) and sign.role in ("mark", "relation")):
            return SUM
        if isinstance(sign, n.Sign) and sign.text in ("+", "−"):
            return SUM if sign.text == "+" or not left else PRODUCT
        return POWER

    return max(of(before, left=True), of(after, left=False))


def _filled(node: Node, put: dict[int | str, Node]) -> Node:
    if isinstance(node, n.Hole):
        return put.get(node.what, n.Symbol("?"))
    if isinstance(node, n.Row):
        return n.row(*(_filled(x, put) for x in node.items))
    new = n.rebuilt(node, lambda part: _filled(part, put))
    if isinstance(new, n.Script) and isinstance(new.base, n.Under):
        new = new._replace(base=new.base.body)
    if isinstance(new, n.Script) and isinstance(new.base, n.Script):
        base, sub, sup = new.base, new.sub, new.sup
        if (sub is None or base.sub is None) and (sup is None or base.sup is None):
            return n.Script(base.base, base.sub if sub is None else sub, base.sup if sup is None else sup)
    return new


class _Reader:
    def __init__(self, tex: str) -> None:
        self.pieces = [
            t for t in _PIECE.findall(tex) if not t.isspace() and t not in (r"\,", r"\;", r"\:", r"\ ", r"\!", r"\left", r"\right", "~")
        ]
        self.at = 0

    def read(self) -> Node:
        """Return all of it."""
        found: list[Node] = []
        while self.at < len(self.pieces):
            found.append(self._until(()))
            self.at += 1  # a bracket that nothing opened
        return n.row(*found) if found else n.Row(())

    def _peek(self) -> str:
        return self.pieces[self.at] if self.at < len(self.pieces) else ""

    def _until(self, ends: tuple[str, ...]) -> Node:
        items: list[Node] = []
        while self._peek() and self._peek() not in ends:
            piece = self._peek()
            if piece == "}":
                break
            self.at += 1
            items.append(self._scripted(self._thing(piece, items)))
        return n.row(*items)

    def _scripted(self, base: Node) -> Node:
        sub = sup = None
        while self._peek() in ("^", "_"):
            below = self._peek() == "_"
            self.at += 1
            part = self._argument()
            sub, sup = (part, sup) if below else (sub, part)
        return base if sub is None and sup is None else n.Script(base, sub, sup)

    def _argument(self) -> Node:
        piece = self._peek()
        self.at += 1
        if piece != "{":
            return self._thing(piece, []) if piece else n.Row(())
        found = self._until(("}",))
        self.at += 1
        return found

    def _words(self) -> str:
        if self._peek() != "{":
            self.at += 1
            return self.pieces[self.at - 1] if self.at <= len(self.pieces) else ""
        start = self.at = self.at + 1
        while self._peek() not in ("}", ""):
            self.at += 1
        words = "".join(self.pieces[start : self.at])
        self.at += 1
        return words.replace("\\", "")

    def _thing(self, piece: str, before: list[Node]) -> Node:
        if piece == "{":
            found = self._until(("}",))
            self.at += 1
            return found
        if piece.startswith("#") and len(piece) > 1:
            return n.Hole(int(piece[1:]) if piece[1:].isdigit() else piece[1:])
        if piece in _PAIRS and not (piece == "|" and "|" not in self.pieces[self.at :]):
            body = self._until((_PAIRS[piece],))
            self.at += 1
            return n.Fence(_FENCE.get(piece, piece), body, _FENCE.get(_PAIRS[piece], _PAIRS[piece]))
        if piece[0].isdigit():
            return n.Number(piece)
        if piece in _BINARY:
            alone = not before or (isinstance(before[-1], n.Sign) and before[-1].role != "function")
            return n.Sign(_BINARY[piece], "prefix" if alone and piece in "+-" else "mark" if alone else "binary")
        if piece in _RELATIONS:
            return n.Sign(_RELATIONS[piece], "relation")
        if piece in (",", ";", "/"):
            return n.Sign(piece, "mark")
        if piece.startswith("\\"):
            return self._command(piece)
        return n.Symbol(piece)

    def _command(self, piece: str) -> Node:
        if piece in (r"\frac", r"\binom"):
            top = self._argument()
            return n.Fraction(top, self._argument(), piece == r"\frac")
        if piece == r"\sqrt":
            degree = None
            if self._peek() == "[":
                self.at += 1
                degree = self._until(("]",))
                self.at += 1
            return n.Root(self._argument(), degree)
        if piece == r"\operatorname":
            if self._peek() == "*":
                self.at += 1
            return n.Sign(self._words().strip("_"), "function")
        if piece in (r"\mathrm", r"\text", r"\mathbf", r"\boldsymbol", r"\mathcal"):
            return n.Symbol(self._words(), "bold" if piece in (r"\mathbf", r"\boldsymbol") else "upright")
        if piece in _ACCENTS:
            return n.Accent(_ACCENTS[piece], self._argument())
        if piece in _BIG:
            return _BIG[piece]
        if piece[1:] in _FUNCTIONS:
            return n.Sign(piece[1:], "function")
        if piece in KNOWN:
            letter = KNOWN[piece]
            return n.Symbol(letter) if letter.isalpha() or letter in "∂∞" else n.Sign(letter, "mark")
        return n.Symbol(piece[1:], "upright")
