"""The text of the user's lines with an edit applied, as the user would write it.

Only the smallest expressions that an edit changes are written anew; spaces, quotes, comments and line breaks around them stay.
Whatever is written is parsed again: it is handed over only if it means what the edit means.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograd_np.check.explain.edits.written import Patch, Written, is_atom, key_of, rendered

__all__ = ["rewritten"]


def rewritten(lines: Mapping[int, str], statement: ast.stmt, body: Sequence[ast.stmt]) -> str | None:
    """Return the user's lines from the first to the last of a statement, with other statements in its place.

    Parameters
    ----------
    lines : mapping
        Line number -> text, of the statement and (to see whether it stands alone in its block) of what is around it.
    statement : ast.stmt
        As it was parsed from these lines, or from them without their common indentation.
    body : sequence of ast.stmt
        What takes its place: the body of an `Edit`.

    Returns
    -------
    str or None
        Without a newline at the end; ``None`` if the statement is not in these lines.
    """
    source = Written.of(lines, statement)
    if source is None:
        return None
    if not body:
        return _removed(lines, statement, source)
    first, *rest = body
    more = [rendered(s, source) for s in rest]
    if key_of(first) == key_of(statement):
        text: str | None = source.text
    else:
        text = next((t for t in _attempts(source, first) if source.means(t, first)), None)
    if text is None:
        text = _unparsed(source, first)
    if more and (source.before.strip() or source.after.lstrip().startswith(";")):
        return source.before + "; ".join([text, *more]) + source.after
    return "\n".join([source.before + text + source.after, *(source.indent + line for line in more)])


# --- a statement removed


def _removed(lines: Mapping[int, str], statement: ast.stmt, source: Written) -> str:
    before, after = source.before.rstrip(), source.after.lstrip()
    if after.startswith(";"):
        return source.before + after[1:].lstrip()
    if before.endswith(";"):
        return before[:-1] + (f"  {after}" if after else "")
    kept = f"  {after}" if after.startswith("#") else ""
    if before:
        return f"{before} pass{kept}"
    around = {n: text for n, text in lines.items() if not statement.lineno <= n <= (statement.end_lineno or statement.lineno)}
    alone = not _parses(around)
    return source.indent + "pass" + kept if alone else ""


def _parses(lines: Mapping[int, str]) -> bool:
    try:
        ast.parse(textwrap.dedent("\n".join(lines[n].rstrip("\r\n") for n in sorted(lines))))
    except SyntaxError:
        return False
    return True


# --- a statement changed


def _attempts(source: Written, new: ast.stmt) -> Iterator[str]:
    """Yield texts that may be the new statement, those nearest to the user's first."""
    patches = _patches(source, source.statement, new)
    if patches is not None and len(patches) <= 5:
        for chosen in itertools.product(*(_variants(source, p) for p in patches)):
            yield source.patched(chosen)
    if not hasattr(new, "body"):
        yield rendered(new, source)


def _variants(source: Written, patch: Patch) -> list[Patch]:
    """Return a patch without brackets around it that are no longer needed, as it is, and with brackets of its own."""
    found = [patch]
    whole = source.text.encode()
    left, right = whole[: patch.start].rstrip(), whole[patch.end :].lstrip()
    if (
        left.endswith(b"(")
        and right.startswith(b")")
        and not re.search(rb"[\w)\]]\s*\($", left)
        and (is_atom(patch.text) or f"({source.between(patch.start, patch.end)})" in patch.text)
    ):
        found.insert(0, Patch(len(left) - 1, len(whole) - len(right) + 1, patch.text))
    if not is_atom(patch.text):
        found.append(Patch(patch.start, patch.end, f"({patch.text})"))
    return found


_TOKENS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=", ast.And: "and", ast.Or: "or",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip


def _patches(source: Written, old: Any, new: Any) -> list[Patch] | None:
    """Return what has to be written anew to make one tree of another; ``None`` if the tree above has to be."""
    if key_of(old) == key_of(new):
        return []
    found = _inside(source, old, new) if type(old) is type(new) else _other_assignment(source, old, new)
    if found is None and isinstance(old, ast.expr) and isinstance(new, ast.expr):
        return [Patch(*source.span(old), rendered(new, source))]
    return found


def _inside(source: Written, old: Any, new: Any) -> list[Patch] | None:
    """Return the patches of the parts of a tree."""
    if isinstance(old, ast.JoinedStr) or _is_other_operation(old, new):
        return None
    if isinstance(old, ast.Call) and key_of(old.func) == key_of(new.func) and len(_arguments(old)) != len(_arguments(new)):
        return _of_arguments(source, old, new)
    found: list[Patch] = []
    for name in old._fields:
        a, b = getattr(old, name), getattr(new, name)
        if name in ("ctx", "type_comment", "kind") or (isinstance(a, ast.AST) and isinstance(b, ast.AST) and key_of(a) == key_of(b)):
            continue
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return None
            pairs = list(zip(a, b, strict=True))
        elif a != b:
            pairs = [(a, b)]
        else:
            continue
        for i, (x, y) in enumerate(pairs):
            inner = _of_part(source, old, x, y, i)
            if inner is None:
                return None
            found += inner
    return found


def _is_other_operation(old: Any, new: Any) -> bool:
    """Whether an operation has both another operator and other operands: nothing of it is kept."""
    if not isinstance(old, ast.BinOp) or type(old.op) is type(new.op):
        return False
    return key_of(old.left) != key_of(new.left) or key_of(old.right) != key_of(new.right)


def _of_part(source: Written, old: Any, x: Any, y: Any, i: int) -> list[Patch] | None:
    """Return the patches that make one part of a tree another: an expression, an operator, the name of an attribute."""
    if isinstance(x, ast.AST) and isinstance(y, ast.AST):
        if type(x) in _TOKENS and type(y) in _TOKENS:
            return _of_operator(source, old, x, y, i)
        return _patches(source, x, y)
    if isinstance(old, ast.Attribute) and isinstance(x, str) and source.segment(old).endswith(x):
        end = source.span(old)[1]
        return [Patch(end - len(x.encode()), end, y)]
    return None


def _of_operator(source: Written, old: Any, x: ast.AST, y: ast.AST, i: int) -> list[Patch] | None:
    """Return the patch that writes another operator between two operands."""
    match old:
        case ast.BinOp(left=a, right=b) | ast.AugAssign(target=a, value=b):
            pass
        case ast.Compare():
            operands = [old.left, *old.comparators]
            a, b = operands[i], operands[i + 1]
        case _:
            return None
    start, end = source.span(a)[1], source.span(b)[0]
    return _token_patch(source, start, end, _TOKENS[type(x)], _TOKENS[type(y)])


def _token_patch(source: Written, start: int, end: int, token: str, new: str) -> list[Patch] | None:
    at = source.between(start, end).find(token)
    return None if at < 0 else [Patch(start + at, start + at + len(token), new)]


def _other_assignment(source: Written, old: Any, new: Any) -> list[Patch] | None:
    """Return the patches that make ``+=`` of ``=``, or the reverse."""
    match old, new:
        case ast.Assign(targets=[a], value=v), ast.AugAssign(target=b, op=op, value=w):
            token, other = "=", f"{_TOKENS.get(type(op), '')}="
        case ast.AugAssign(target=a, op=op, value=v), ast.Assign(targets=[b], value=w):
            token, other = f"{_TOKENS.get(type(op), '')}=", "="
        case _:
            return None
    sign = _token_patch(source, source.span(a)[1], source.span(v)[0], token, other)
    target, value = _patches(source, a, b), _patches(source, v, w)
    return None if sign is None or target is None or value is None else [*sign, *target, *value]


def _arguments(call: ast.Call) -> list[Any]:
    return [*call.args, *call.keywords]


def _of_arguments(source: Written, old: ast.Call, new: ast.Call) -> list[Patch] | None:
    """Return the patches that add arguments to a call behind the others, or take some away."""
    had, wanted = _arguments(old), _arguments(new)
    if not had or not wanted:
        return None
    for short, long in ((had, wanted), (wanted, had)):
        if len(short) < len(long) and [key_of(x) for x in long[: len(short)]] == [key_of(x) for x in short]:
            end = source.span(had[len(short) - 1])[1]
            if long is wanted:
                return [Patch(end, end, "".join(f", {_argument(x, source)}" for x in long[len(short) :]))]
            return [Patch(end, source.span(had[-1])[1], "")]
    gone = [i for i in range(len(had)) if [key_of(x) for x in (*had[:i], *had[i + 1 :])] == [key_of(x) for x in wanted]]
    if gone:
        return [Patch(source.span(had[gone[0]])[0], source.span(had[gone[0] + 1])[0], "")]
    return None


def _argument(node: Any, source: Written) -> str:
    if isinstance(node, ast.keyword):
        equals = " = " if re.search(r"[(,]\s*\w+ = ", source.text) else "="
        return f"{node.arg}{equals}{rendered(node.value, source)}" if node.arg else f"**{rendered(node.value, source)}"
    return rendered(node, source)


def _unparsed(source: Written, new: ast.stmt) -> str:
    """Write a statement in Python's own style; of a compound one only the header, the body stays as it is."""
    body = getattr(new, "body", None)
    if not isinstance(body, list) or not body:
        return textwrap.indent(ast.unparse(new), source.indent).lstrip()
    header = copy.copy(new)
    header.body = [ast.Pass()]  # type: ignore[attr-defined]
    if hasattr(header, "orelse"):
        header.orelse = []
    start = source.span(body[0])[0]
    kept = source.between(0, start)
    colon = kept.rstrip().rfind(":")
    return ast.unparse(header).partition("\n")[0] + source.text[len(kept[: colon + 1]) :]
