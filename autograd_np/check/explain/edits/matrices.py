"""Edits of products of matrices: transposes, order, factors, the kind of product, the letters of an einsum."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array, is_float_array

__all__ = ["matrix_edits"]


class Product(NamedTuple):
    """A product of two arrays in whatever form: ``a @ b``, ``np.dot(a, b)``, ``a.dot(b)``, ``np.outer(a, b)``."""

    a: ast.expr
    b: ast.expr
    form: Callable[[str, str], str]
    outer: bool = False


def product_of(at: Place) -> Product | None:
    """Return the product that an expression is, or ``None``."""
    match at.node:
        case ast.BinOp(left=a, op=ast.MatMult(), right=b):
            return Product(a, b, "({}) @ ({})".format)
        case ast.Call(func=ast.Attribute(value=module, attr="dot" | "matmul" | "outer" | "inner" as name), args=[a, b]):
            return Product(a, b, f"{at.line.text(module)}.{name}({{}}, {{}})".format, name == "outer")
        case ast.Call(func=ast.Attribute(value=a, attr="dot"), args=[b]):
            return Product(a, b, "({}).dot({})".format)
        case ast.Call(func=ast.Name(id="dot" | "matmul" | "outer" as name), args=[a, b]):
            return Product(a, b, f"{name}({{}}, {{}})".format, name == "outer")
    return None


def matrix_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of products of matrices, and of what could be one."""
    if at.index or at.setting or at.header:
        return
    product = product_of(at)
    if product is not None:
        yield from _of_product(at, product)
    elif isinstance(at.node, ast.BinOp) and isinstance(at.node.op, ast.Mult):
        yield from _of_elementwise(at, at.node)
    yield from _transposes(at)
    yield from _inserted(at)
    if isinstance(at.node, ast.Constant) and isinstance(at.node.value, str) and "->" in at.node.value:
        yield from _of_einsum(at, at.node.value)


def _t(text: str) -> str:
    return text[:-2] if text.endswith(".T") and _closed(text[:-2]) else f"({text}).T"


def _closed(text: str) -> bool:
    """Whether ``.T`` after a text belongs to all of it."""
    node = ast.parse(text, mode="eval").body
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))


def _of_product(at: Place, p: Product) -> Iterator[Edit]:
    a, b = at.line.text(p.a), at.line.text(p.b)
    for rank, x, y, words in (
        (3.3, _t(a), b, f"`{a}` should be {_transposed(a)}"),
        (3.3, a, _t(b), f"`{b}` should be {_transposed(b)}"),
        (3.6, b, a, "the operands are in the wrong order"),
        (3.8, _t(b), _t(a), f"`{at.text}` should be transposed"),
        (4.4, _t(a), _t(b), f"the transposes of `{a}` and `{b}` are wrong"),
        (4.4, _t(b), a, f"the operands are in the wrong order, and `{b}` should be {_transposed(b)}"),
        (4.4, b, _t(a), f"the operands are in the wrong order, and `{a}` should be {_transposed(a)}"),
    ):
        if (x, y) != (a, b):
            yield at.edit(rank, "transpose", f"in `{at.target}`, {words}", p.form(x, y))
    for kept, dropped in ((p.a, p.b), (p.b, p.a)):
        words = f"the matrix factor `{at.line.text(dropped)}` does not belong in `{at.target}`"
        yield at.edit(5.6, "extra-factor", words, at.line.text(kept))
    words = f"`{at.target}` multiplies matrices where the product is elementwise"
    for x, y in ((a, b), (_t(a), b), (a, _t(b))):
        yield at.edit(6 if (x, y) == (a, b) else 7.4, "wrong-reduction", words, f"({x}) * ({y})")
    if p.outer:
        for x, y in ((a, b), (b, a)):
            yield at.edit(6, "wrong-reduction", f"`{at.target}` takes all products where it needs their sum", at.line.product(x, y))
    else:
        for x, y in ((a, b), (b, a)):
            words = f"`{at.target}` needs the outer product of `{x}` and `{y}`"
            yield at.edit(6, "wrong-reduction", words, f"{at.line.np}.outer({x}, {y})")


def _transposed(text: str) -> str:
    return f"`{_t(text)}`, not transposed" if text.endswith(".T") else "transposed"


def _of_elementwise(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    """Yield the products of matrices that an elementwise product may be meant as."""
    a, b = at.line.text(node.left), at.line.text(node.right)
    left, right = at.line.value(node.left), at.line.value(node.right)
    if not (is_float_array(left) and is_float_array(right)):
        return
    for x, y, m, n in ((a, b, left, right), (_t(a), b, left.T, right), (a, _t(b), left, right.T), (b, a, right, left)):
        if np.shape(m)[-1:] == np.shape(n)[-2:][:1]:
            words = f"`{at.target}` multiplies elementwise where it needs the product of matrices"
            yield at.edit(6 if (x, y) == (a, b) else 6.4, "wrong-reduction", words, at.line.product(x, y))
    if np.ndim(left) == np.ndim(right) == 1:
        for x, y in ((a, b), (b, a)):
            words = f"`{at.target}` needs the outer product of `{x}` and `{y}`"
            yield at.edit(5.4, "wrong-reduction", words, f"{at.line.np}.outer({x}, {y})")


# --- transposes of single operands


def _transposes(at: Place) -> Iterator[Edit]:
    node, text = at.node, at.text
    match node:
        case ast.Attribute(attr="T", value=inner):
            yield at.edit(3.5, "transpose", f"`{text}` in `{at.target}` should not be transposed", at.line.text(inner))
            return
        case ast.Call(func=ast.Attribute(value=inner, attr="transpose"), args=args):
            axes = args[0].elts if len(args) == 1 and isinstance(args[0], ast.Tuple) else args
            yield from _permuted(at, at.line.text(inner), [at.line.text(a) for a in axes])
            return
        case ast.Call(func=ast.Attribute(attr="transpose" | "permute" | "moveaxis" | "swapaxes" as name), args=[array, *axes]):
            for axes_of in itertools.permutations(range(np.ndim(at.line.value(array)) if is_array(at.line.value(array)) else 0)):
                if len(axes_of) <= 4 and name != "moveaxis":
                    new = f"({at.line.text(array)}).transpose{axes_of}"
                    yield at.edit(4.8, "transpose", f"the axes of `{text}` in `{at.target}` are in the wrong order: `{axes_of}`", new)
            return
    value = at.value
    if not is_float_array(value) or value.ndim < 2 or isinstance(at.parent, ast.Attribute):
        return
    if not isinstance(node, (ast.Name, ast.Subscript, ast.Attribute, ast.Call)) and not at.whole:
        return
    if value.ndim == 2:
        yield at.edit(4.1, "transpose", f"`{text}` in `{at.target}` should be transposed", f"({text}).T")
    elif value.ndim <= 4:
        yield from _permuted(at, text, [str(i) for i in range(value.ndim)])


def _permuted(at: Place, inner: str, axes: list[str]) -> Iterator[Edit]:
    array = inner if _closed(inner) else f"({inner})"
    for order in itertools.permutations(axes) if len(axes) <= 4 else ():
        if list(order) != axes:
            new = f"{array}.transpose({', '.join(order)})" if list(order) != sorted(axes) else inner
            yield at.edit(4.8, "transpose", f"the axes of `{at.text}` in `{at.target}` are in the wrong order: `{new}`", new)


# --- factors


def _inserted(at: Place) -> Iterator[Edit]:
    """Yield products with a matrix that the expression may lack on either side."""
    value = at.value
    if (
        not is_float_array(value)
        or value.ndim > 2
        or not isinstance(at.node, (ast.Name, ast.BinOp, ast.Subscript, ast.Call, ast.Attribute))
    ):
        return
    if isinstance(at.parent, ast.Attribute) or (
        product_of(at) is None and not isinstance(at.node, ast.Name) and not at.whole and not _is_term(at)
    ):
        return
    text, rank = at.text, 6 if at.whole else 7
    for name, other in at.line.arrays.items():
        if np.ndim(other) != 2 or np.asarray(other).dtype.kind != "f":
            continue
        for factor, shape in ((name, np.shape(other)), (f"{name}.T", np.shape(other)[::-1])):
            if shape[1] == value.shape[0]:
                words = f"the matrix factor `{factor}` is missing in front of `{text}` in `{at.target}`"
                yield at.edit(rank, "missing-factor", words, at.line.product(factor, text))
            if value.shape[-1] == shape[0]:
                words = f"the matrix factor `{factor}` is missing behind `{text}` in `{at.target}`"
                yield at.edit(rank, "missing-factor", words, at.line.product(text, factor))


def _is_term(at: Place) -> bool:
    return isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, (ast.Add, ast.Sub, ast.Mult))


# --- einsum


def _of_einsum(at: Place, written: str) -> Iterator[Edit]:
    """Yield other subscripts: letters exchanged in an operand or the result, one letter for another, a result with other letters."""
    operands, _, result = written.replace(" ", "").partition("->")
    parts = [*operands.split(","), result]
    letters = sorted(set("".join(parts)) - {"."})

    def put(i: int, new: str, rank: float, kind: str) -> Iterator[Edit]:
        if new != parts[i]:
            changed = [*parts[:i], new, *parts[i + 1 :]]
            text = f"{','.join(changed[:-1])}->{changed[-1]}"
            yield at.edit(rank, kind, f"`{written}` in `{at.target}` should be `{text}`", repr(text))

    for i, part in enumerate(parts):
        for j, k in itertools.combinations(range(len(part)), 2):
            yield from put(i, f"{part[:j]}{part[k]}{part[j + 1 : k]}{part[j]}{part[k + 1 :]}", 4 if k == j + 1 else 4.2, "transpose")
        if len(part) == 3:
            for turned in (part[1:] + part[:1], part[2:] + part[:2]):
                yield from put(i, turned, 4.4, "transpose")
        for j, letter in itertools.product(range(len(part)), letters):
            if letter not in part and part[j] != ".":
                yield from put(i, part[:j] + letter + part[j + 1 :], 4.6, "wrong-reduction")
    for j in range(len(result)):
        yield from put(len(parts) - 1, result[:j] + result[j + 1 :], 5.4, "wrong-reduction")
    for letter in letters:
        if letter not in result:
            for j in range(len(result) + 1):
                yield from put(len(parts) - 1, result[:j] + letter + result[j:], 5.4, "wrong-reduction")
    call = at.parent
    if isinstance(call, ast.Call) and len(call.args) == 3 and at.path[-1] == 0:
        changes = [((*at.path[:-1], i), at.line.text(call.args[3 - i])) for i in (1, 2)]
        words = f"the operands of `{written}` in `{at.target}` are exchanged"
        yield at.line.edit(4.7, "wrong-point", words, *changes)
