"""Notation as MathML, of the core that browsers know: bold letters are letters of their own there."""

from __future__ import annotations

from html import escape

from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.text import visible

__all__ = ["mathml"]

_BOLD_GREEK = dict(zip("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡϴΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω", range(0x1D6A8, 0x1D6A8 + 51), strict=True))
_ACCENTS = {"hat": "^", "bar": "‾", "tilde": "~", "dot": "˙", "line": "‾"}


def mathml(node: Node) -> str:
    """Return a tree as the inside of a ``math`` element.

    Examples
    --------
    >>> from autograd_np.derivations.mathematics.symbols import symbol
    >>> mathml(symbol("x_1"))
    '<msub><mi>x</mi><mn>1</mn></msub>'
    """
    match node:
        case n.Symbol():
            return _symbol(node)
        case n.Number(digits):
            return f"<mn>{_escaped(digits)}</mn>"
        case n.Word(words):
            return f"<mtext>{_escaped(words)}</mtext>"
        case n.Sign():
            return _sign(node)
        case n.Row(items):
            return f"<mrow>{''.join(_with_space(items))}</mrow>"
        case n.Fraction(top, bottom, line):
            inner = f"{mathml(top)}{mathml(bottom)}"
            return f"<mfrac>{inner}</mfrac>" if line else f'<mrow><mo>(</mo><mfrac linethickness="0">{inner}</mfrac><mo>)</mo></mrow>'
        case n.Root(body, degree):
            return f"<msqrt>{mathml(body)}</msqrt>" if degree is None else f"<mroot>{mathml(body)}{mathml(degree)}</mroot>"
        case n.Script(base, sub, sup):
            tag = "msubsup" if sub is not None and sup is not None else "msub" if sub is not None else "msup"
            return f"<{tag}>{mathml(base)}{'' if sub is None else mathml(sub)}{'' if sup is None else mathml(sup)}</{tag}>"
        case n.Under(body, below):
            return f'<munder>{mathml(body)}<mstyle class="shape">{mathml(below)}</mstyle></munder>'
        case n.Big(sign, below, above):
            tag = "munderover" if below is not None and above is not None else "munder" if below is not None else "mover"
            head = mathml(sign)
            limits = f"{'' if below is None else mathml(below)}{'' if above is None else mathml(above)}"
            return f"<{tag}>{head}{limits}</{tag}>" if limits else head
        case n.Accent(mark, body):
            stretchy = "true" if mark == "line" else "false"
            return f'<mover accent="true">{mathml(body)}<mo stretchy="{stretchy}">{_ACCENTS[mark]}</mo></mover>'
        case n.Fence(left, body, right):
            grows = "true" if n.is_tall(body) or not left or not right else "false"
            first = f'<mo fence="true" form="prefix" stretchy="{grows}">{_escaped(left)}</mo>' if left else ""
            last = f'<mo fence="true" form="postfix" stretchy="{grows}">{_escaped(right)}</mo>' if right else ""
            return f"<mrow>{first}{mathml(body)}{last}</mrow>"
        case n.Matrix(rows):
            return f"<mrow><mo>[</mo>{_table(rows)}<mo>]</mo></mrow>"
        case n.Cases(rows):
            return f'<mrow><mo fence="true" form="prefix">{{</mo>{_table(rows)}</mrow>'
        case n.Hole(what):
            return f"<mi>#{_escaped(str(what))}</mi>"
    raise TypeError(node)


def _escaped(words: str) -> str:
    return escape(visible(words))


def _table(rows: tuple[tuple[Node, ...], ...]) -> str:
    cells = ("".join(f"<mtd>{mathml(c)}</mtd>" for c in row) for row in rows)
    return f"<mtable>{''.join(f'<mtr>{c}</mtr>' for c in cells)}</mtable>"


def _with_space(items: tuple[Node, ...]) -> list[str]:
    found = []
    for i, item in enumerate(items):
        before = items[i - 1] if i else None
        after_function = isinstance(before, n.Sign) and before.role == "function" and not isinstance(item, (n.Fence, n.Sign))
        before_function = isinstance(item, n.Sign) and item.role == "function" and before is not None and not isinstance(before, n.Sign)
        if after_function or before_function:
            found.append('<mspace width="0.17em"/>')
        elif isinstance(before, n.Under) and isinstance(item, n.Under):
            found.append('<mspace width="0.4em"/>')
        found.append(mathml(item))
    return found


def _sign(node: n.Sign) -> str:
    if node.role == "function":
        return f"<mi>{_escaped(node.text)}</mi>"
    form = ' form="prefix"' if node.role == "prefix" else ' separator="true"' if node.text in ",;" else ""
    if node.text in "∑∏":
        return f'<mo largeop="true" movablelimits="false">{node.text}</mo>'
    if node.role == "mark":
        return f'<mo{form} lspace="0" rspace="0">{_escaped(node.text)}</mo>' if node.text not in ",;" else f"<mo{form}>{node.text}</mo>"
    return f"<mo{form}>{_escaped(node.text)}</mo>"


def _symbol(node: n.Symbol) -> str:
    bold = node.style.startswith("bold")
    letters = "".join(_bold(c) for c in node.text) if bold else node.text
    if len(node.text) == 1 and not bold and node.style == "upright":
        return f'<mi mathvariant="normal">{_escaped(letters)}</mi>'
    return f"<mi>{_escaped(letters)}</mi>"


def _bold(c: str) -> str:
    if "A" <= c <= "Z":
        return chr(0x1D400 + ord(c) - ord("A"))
    if "a" <= c <= "z":
        return chr(0x1D41A + ord(c) - ord("a"))
    if c.isascii() and c.isdigit():
        return chr(0x1D7CE + int(c))
    return chr(_BOLD_GREEK[c]) if c in _BOLD_GREEK else c
