"""Notation as LaTeX that amsmath alone can set."""

from __future__ import annotations

import re
import unicodedata

from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.text import visible

__all__ = ["KNOWN", "latex", "plain", "text"]

_LETTERS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ϵ": r"\epsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta",
    "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta",
    "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "∂": r"\partial", "∞": r"\infty",
    "ℓ": r"\ell",
}  # fmt: skip
_SIGNS = {
    "⊙": r"\odot", "⋅": r"\cdot", "·": r"\cdot", "×": r"\times", "−": "-",
    "∑": r"\sum", "∏": r"\prod", "≤": r"\le", "≥": r"\ge", "≠": r"\ne",
    "∈": r"\in", "…": r"\dots", "⋯": r"\cdots", "⊤": r"\top", "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "∗": "*", "⊗": r"\otimes",
    "⊕": r"\oplus", "→": r"\to", "≈": r"\approx", "†": r"\dagger", "%": r"\%", "&": r"\mathbin{\&}", "#": r"\#", "_": r"\_", "$": r"\$",
    "{": r"\{", "}": r"\}",
    "\\": r"\backslash", "~": r"\sim", "≫": r"\gg", "≪": r"\ll", "⇒": r"\Rightarrow", "^": r"\wedge", "±": r"\pm",
}  # fmt: skip
_FUNCTIONS = frozenset(
    (
        "log",
        "exp",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "arcsin",
        "arccos",
        "arctan",
        "max",
        "min",
        "det",
        "arg",
        "gcd",
        "coth",
        "cot",
    )
)
_FENCES = {
    "(": "(", ")": ")", "[": "[", "]": "]", "|": r"\vert", "‖": r"\Vert", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil",
    "⟨": r"\langle", "⟩": r"\rangle", "{": r"\{", "}": r"\}", "": ".",
}  # fmt: skip
_ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot", "line": r"\overline"}
KNOWN = {command: letter for letter, command in (_SIGNS | _LETTERS).items() if command.startswith("\\") and command[1:].isalpha()}
"""Commands, and the letters that they are."""

_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "—": "---", "–": "--",
    "×": r"\(\times\)", "“": "``", "”": "''",
}  # fmt: skip


def text(words: str) -> str:
    """Return words with what commands LaTeX escaped."""
    return "".join(_TEXT.get(c, c) for c in visible(words))


def plain(source: str) -> str:
    """Return LaTeX with the letters that pdflatex does not know without their accents, or by their numbers."""
    if source.isascii():
        return source
    return "".join(
        c
        if c.isascii()
        else "".join(filter(str.isalnum, unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode())) or f"u{ord(c):04X}"
        for c in source
    )


def latex(node: Node) -> str:
    r"""Return a tree as LaTeX for math mode.

    Examples
    --------
    >>> from autograd_np.derivations.mathematics.symbols import symbol
    >>> latex(symbol("W1", ndim=2)), latex(symbol("gamma")), latex(symbol("y_pred"))
    ('\\mathbf{W}_{1}', '\\gamma', 'y_{\\mathrm{pred}}')
    """
    match node:
        case n.Symbol():
            return _symbol(node)
        case n.Number(digits):
            return text(digits)
        case n.Word(words):
            return rf"\text{{{text(words)}}}"
        case n.Sign():
            return _sign(node)
        case n.Row(items):
            return _row(items)
        case n.Fraction(top, bottom, line):
            return rf"\{'frac' if line else 'binom'}{{{latex(top)}}}{{{latex(bottom)}}}"
        case n.Root(body, degree):
            return rf"\sqrt{'' if degree is None else f'[{latex(degree)}]'}{{{latex(body)}}}"
        case n.Script(base, sub, sup):
            inner = latex(base)
            inner = f"{{{inner}}}" if isinstance(base, (n.Row, n.Script, n.Fraction, n.Under)) and not isinstance(base, n.Fence) else inner
            below = "" if sub is None else f"_{{{latex(sub)}}}"
            above = "" if sup is None else f"^{{{latex(sup)}}}"
            return f"{inner}{below}{above}"
        case n.Under(body, below):
            return rf"\underset{{{latex(below)}}}{{{latex(body)}}}"
        case n.Big(sign, below, above):
            return _big(sign, below, above)
        case n.Accent(mark, body):
            return f"{_ACCENTS[mark]}{{{latex(body)}}}"
        case n.Fence(left, body, right):
            if not n.is_tall(body) and left and right:
                return f"{_open(left)}{latex(body)}{_close(right)}"
            return rf"\left{_FENCES[left]} {latex(body)} \right{_FENCES[right]}"
        case n.Matrix(rows):
            cells = r" \\ ".join(" & ".join(map(latex, cells)) for cells in rows)
            return rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}"
        case n.Cases(rows):
            cells = r" \\ ".join(f"{latex(value)} & {latex(when)}" for value, when in rows)
            return rf"\begin{{cases}} {cells} \end{{cases}}"
        case n.Hole(what):
            return rf"\#{what}"
    raise TypeError(node)


def _open(left: str) -> str:
    return {"|": r"\lvert ", "‖": r"\lVert "}.get(left) or (_FENCES[left] + (" " if _FENCES[left].startswith("\\l") else ""))


def _close(right: str) -> str:
    return {"|": r" \rvert", "‖": r" \rVert"}.get(right) or _FENCES[right]


def _symbol(node: n.Symbol) -> str:
    letters = [_LETTERS.get(c) for c in node.text]
    if len(node.text) == 1:
        inner = letters[0] or text(node.text)
        if node.style.startswith("bold"):
            return rf"\boldsymbol{{{inner}}}" if letters[0] else rf"\mathbf{{{inner}}}"
        return rf"\mathrm{{{inner}}}" if node.style == "upright" and not letters[0] else inner
    font = "mathbf" if node.style == "bold-upright" else "mathrm"
    return rf"\{font}{{{''.join((letter and f'{letter} ') or text(c) for c, letter in zip(node.text, letters, strict=True))}}}"


def _sign(node: n.Sign) -> str:
    if node.role == "function":
        return rf"\{node.text}" if node.text in _FUNCTIONS else rf"\mathrm{{{text(node.text)}}}"
    if node.text == "mod":
        return r"\bmod"
    return _SIGNS.get(node.text) or _LETTERS.get(node.text) or "".join(_SIGNS.get(c, c if c.isascii() else text(c)) for c in node.text)


def _big(sign: Node, below: Node | None, above: Node | None) -> str:
    head = latex(sign)
    if not (isinstance(sign, n.Sign) and (sign.text in "∑∏" or sign.text in ("max", "min"))):
        return rf"\underset{{{latex(below)}}}{{{head}}}" if below is not None else head
    return head + ("" if below is None else f"_{{{latex(below)}}}") + ("" if above is None else f"^{{{latex(above)}}}")


def _row(items: tuple[Node, ...]) -> str:
    found = ""
    for i, item in enumerate(items):
        piece = latex(item)
        before = items[i - 1] if i else None
        spaced = isinstance(item, n.Sign) and item.role in ("binary", "relation")
        if found and (spaced or (isinstance(before, n.Sign) and before.role in ("binary", "relation"))):
            found += " "
        elif isinstance(before, n.Under) and isinstance(item, n.Under):
            found += r"\;"
        elif found and (_needs_space(before, item) or (_is_word(item) and not isinstance(before, n.Sign))):
            found += r"\,"
        elif piece[:1].isalpha() and re.search(r"\\[A-Za-z]+$", found):
            found += " "
        found += piece
    return found


def _is_word(item: Node) -> bool:
    """Whether a thing is a function that LaTeX does not know."""
    return isinstance(item, n.Sign) and item.role == "function" and item.text not in _FUNCTIONS


def _needs_space(before: Node | None, item: Node) -> bool:
    """Whether a thin space belongs between: after a function that LaTeX does not know, and between factors that are words."""
    if isinstance(before, n.Sign) and before.role == "function":
        return before.text not in _FUNCTIONS and not isinstance(item, (n.Fence, n.Sign))
    word = isinstance(before, n.Symbol) and before.style.endswith("upright") and len(before.text) > 1
    return (word or isinstance(before, n.Number)) and not isinstance(item, (n.Sign, n.Fence)) and word
