"""Names as symbols: ``W1`` is a matrix W with the index 1, ``gamma`` a Greek letter, ``x_hat`` an x with a hat."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics.notation import Accent, Fraction, Node, Number, Script, Sign, Symbol, row

__all__ = ["Symbols", "symbol"]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "lam": "λ", "lamb": "λ", "lambd": "λ", "lmbda": "λ", "lamda": "λ", "eps": "ε", "sig": "σ",
}  # fmt: skip
"""Greek letters by the names that code gives them."""

ACCENTS = {"hat": "hat", "bar": "bar", "tilde": "tilde", "dot": "dot"}


@functools.lru_cache(4096)
def symbol(name: str, ndim: int = 0) -> Node:
    """Return the symbol of a variable.

    Parameters
    ----------
    name : str
        As it stands in the code.
    ndim : int
        A scalar is italic, a vector or a matrix bold.

    Returns
    -------
    Node
    """
    name = unicodedata.normalize("NFC", name)
    style = "bold" if ndim else "italic"
    if name.startswith("log_") and len(name) > 4:
        return row(Sign("log", "function"), symbol(name[4:], ndim))
    stem, *rest = name.strip("_").split("_") if name.strip("_") else [name]
    accents = []
    for mark in ACCENTS:
        if (len(stem) == len(mark) + 1 and stem.endswith(mark)) or (stem.endswith(mark) and stem[: -len(mark)] in GREEK):
            stem, accents = stem[: -len(mark)], [mark]
    while rest and rest[0] in ACCENTS:
        accents.append(rest.pop(0))
    head, below = _split(stem)
    base: Node
    if head in GREEK:
        base = Symbol(GREEK[head], style)
    elif len(head) == 1 and head.isalpha():
        base = Symbol(head, style)
    else:
        base = Symbol(head, "bold-upright" if ndim else "upright")
    for mark in accents:
        base = Accent(mark, base)
    subs = [_index(part) for part in (*below, *(p for p in rest if p))]
    if not subs:
        return base
    parts: list[Node] = []
    for i, part in enumerate(subs):
        parts += [Sign(",", "mark"), part] if i else [part]
    return Script(base, row(*parts))


def _split(stem: str) -> tuple[str, list[str]]:
    """Take ``W1`` apart, and ``Wxh``: a letter and what is its index."""
    if stem in GREEK or len(stem) < 2:
        return stem, []
    if found := re.fullmatch(r"(.*?[^\W\d_])(\d+)", stem):
        head, below = _split(found[1])
        return head, [*below, found[2]]
    if found := re.fullmatch(r"([A-Z])([a-z]{1,2})", stem):
        return found[1], [found[2]]
    return stem, []


def _index(part: str) -> Node:
    if part.isdecimal():
        return Number(part)
    if part in GREEK:
        return Symbol(GREEK[part])
    if len(part) <= 2 and part.isalpha():
        return row(*(Symbol(c) for c in part))
    return Symbol(part, "upright")


class Symbols:
    """The symbols of the variables of one derivation: no two have the same.

    Parameters
    ----------
    names : iterable of str
        The variables.
    result : str or None
        The variable that is differentiated; ``None`` if it has no name.
    places : mapping, optional
        For variables of modules their own name and where they are, ``("weight", "layers[0].a")``, which becomes an index.
    """

    def __init__(self, names: Iterable[str], result: str | None, places: Mapping[str, tuple[str, str]] | None = None) -> None:
        self._symbols: dict[str, str] = {}
        self._places = places or {}
        self._constants: dict[Expression, str] = {}
        taken: dict[Node, str] = {}
        names = list(names)
        for name in names:
            if name != result:
                taken.setdefault(self._symbol(name), name)
        self._literal = {name for name in names if taken.get(self._symbol(name), name) != name}
        self.letters = frozenset(node.text for node in taken if isinstance(node, Symbol) and len(node.text) == 1)
        self.result = result
        short = result is not None and isinstance(symbol(result), Symbol) and len(symbol(result).text) == 1  # type: ignore[union-attr]
        self._as_loss = not short
        self._loss = Symbol("L" if not short and symbol("L") not in taken else "ℒ")

    def __call__(self, name: str, ndim: int) -> Node:
        """Return the symbol of a variable: bold where it is an array."""
        if name == self.result and self._as_loss and not ndim:
            return self._loss
        return Symbol(name, "bold-upright" if ndim else "upright") if name in self._literal else self._symbol(name, ndim)

    def _symbol(self, name: str, ndim: int = 0) -> Node:
        own, place = self._places.get(name, (name, ""))
        node = symbol(own, ndim)
        if not place:
            return node
        where = Symbol(place, "upright")
        if isinstance(node, Script) and node.sup is None and node.sub is not None:
            return Script(node.base, row(node.sub, Sign(",", "mark"), where))
        return Script(node, where)

    def gradient(self, by: Node) -> Node:
        """Return the gradient of the result by a variable."""
        return Fraction(row(Sign("∂", "mark"), self.loss), row(Sign("∂", "mark"), by))

    @property
    def loss(self) -> Node:
        """What is differentiated: the user's letter for it, or L."""
        return self._loss if self._as_loss or self.result is None else symbol(self.result)

    def constant(self, e: Expression) -> str:
        """Return a name for an array that nobody named."""
        return self._constants.setdefault(e, e.name or f"C_{len(self._constants) + 1}")

    @property
    def constants(self) -> Sequence[tuple[Expression, str]]:
        """The arrays that got a name here."""
        return [(e, name) for e, name in self._constants.items() if e.name is None]
