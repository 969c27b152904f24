"""The text of a statement as its author wrote it, and trees written anew in the same style."""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Patch", "Written", "is_atom", "key_of", "rendered"]


class Patch(NamedTuple):
    """A part of the source, from a byte to another, and what is written in its place."""

    start: int
    end: int
    text: str


class Written:
    """The text of one statement in the user's lines.

    Attributes
    ----------
    statement : ast.stmt
    before, text, after : str
        The statement, and what stands on its first line before it and on its last line after it.
    indent : str
        The white space at the beginning of its first line.
    """

    def __init__(self, statement: ast.stmt, block: Sequence[str], shift: int) -> None:
        self.statement = statement
        self._rows = [line.encode() for line in block]
        self._shift = shift
        start, end = self._place(statement.lineno, statement.col_offset), self._place(statement.end_lineno, statement.end_col_offset)
        self._bytes = b"\n".join(self._rows)
        self._start, self._end = start, end
        self.before, self.text, self.after = (x.decode() for x in (self._bytes[:start], self._bytes[start:end], self._bytes[end:]))
        self.indent = re.match(r"\s*", self.before).group()  # type: ignore[union-attr]
        self.segments: dict[str, str] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.JoinedStr):
                break  # what stands in one has no reliable place
        else:
            nodes = [n for part in _header(statement) for n in ast.walk(part) if isinstance(n, ast.expr)]
            self.segments = {key_of(n): self.segment(n) for n in nodes if hasattr(n, "lineno")}

    @classmethod
    def of(cls, lines: Mapping[int, str], statement: ast.stmt) -> Written | None:
        """Find a statement in the user's lines, whatever indentation they had lost when it was parsed."""
        last = statement.end_lineno or statement.lineno
        if any(n not in lines for n in range(statement.lineno, last + 1)):
            return None
        block = [lines[n].rstrip("\r\n") for n in range(statement.lineno, last + 1)]
        indent = len(block[0]) - len(block[0].lstrip())
        for shift in range(indent + 1):
            try:
                source = cls(statement, block, shift)
            except (UnicodeDecodeError, IndexError):
                continue
            if source.means(source.text, statement):
                return source
        return None

    def _place(self, line: int | None, column: int | None) -> int:
        row = (line or 0) - self.statement.lineno
        return sum(len(r) + 1 for r in self._rows[:row]) + (column or 0) + self._shift

    def span(self, node: Any) -> tuple[int, int]:
        """Return where a node begins and ends, in bytes from the beginning of the statement."""
        start = self._place(node.lineno, node.col_offset) - self._start
        return start, self._place(node.end_lineno, node.end_col_offset) - self._start

    def segment(self, node: Any) -> str:
        """Return the text of a node."""
        return self.between(*self.span(node))

    def between(self, start: int, end: int) -> str:
        """Return the text between two places."""
        return self._bytes[self._start + start : self._start + end].decode()

    def patched(self, patches: Sequence[Patch]) -> str:
        """Return the text of the statement with patches applied."""
        raw = self._bytes[self._start : self._end]
        for patch in sorted(patches, reverse=True):
            raw = raw[: patch.start] + patch.text.encode() + raw[patch.end :]
        return raw.decode()

    def means(self, text: str, statement: ast.stmt) -> bool:
        """Whether a text in the place of the statement is another statement."""
        margin = " " * len(self.before) if not self.before.strip() else ""
        try:
            found = ast.parse(textwrap.dedent(margin + text)).body
        except (SyntaxError, ValueError):
            return False
        return len(found) == 1 and key_of(found[0]) == key_of(statement)


def key_of(node: ast.AST) -> str:
    """Return what a tree is, wherever it stands."""
    return re.sub(r",? ?ctx=(Load|Store|Del)\(\)|, type_comment=None|, kind=None", "", ast.dump(node))


def _header(statement: ast.stmt) -> list[ast.AST]:
    """Return the parts of a statement without the statements in it."""
    return [n for n in ast.iter_child_nodes(statement) if not isinstance(n, (ast.stmt, ast.excepthandler))]


def is_atom(text: str) -> bool:
    """Whether an expression needs no brackets wherever it stands."""
    try:
        node = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError:
        return True
    return not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda))


def rendered(node: ast.AST, source: Written) -> str:
    """Write a tree in the user's style; parts that stand in the statement are written as they are there."""
    parts: dict[str, str] = {}
    outline = _Outline(source, parts).visit(copy.deepcopy(node))
    text = _spaced(ast.unparse(ast.fix_missing_locations(outline)), source.text)

    def filled(bracketed: set[str]) -> str:
        return re.sub(r"_part\d+_", lambda m: f"({parts[m.group()]})" if m.group() in bracketed else parts[m.group()], text)

    wanted, doubtful = key_of(node), {name for name, part in parts.items() if not is_atom(part)}
    needed = set(doubtful)
    for name in sorted(doubtful):
        needed.discard(name)
        if not _is_tree(filled(needed), wanted, node):
            needed.add(name)
    return filled(needed)


def _is_tree(text: str, key: str, node: ast.AST) -> bool:
    try:
        if isinstance(node, ast.stmt):
            found: ast.AST = ast.parse(text).body[0]
        elif isinstance(node, ast.Slice) or (isinstance(node, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.elts)):
            found = ast.parse(f"_[{text}]", mode="eval").body.slice  # type: ignore[attr-defined]
        else:
            found = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError:
        return False
    return key_of(found) == key


class _Outline(ast.NodeTransformer):
    """Puts names in the place of the parts of a tree whose text is known."""

    def __init__(self, source: Written, parts: dict[str, str]) -> None:
        self._source, self._parts = source, parts

    def visit(self, node: ast.AST) -> Any:
        """Return a name for a part that stands in the statement, else the part with such names in it."""
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Slice, ast.Tuple, ast.Starred)):
            text = self._source.segments.get(key_of(node))
            if text is None and isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = _quoted(node.value, self._source.text)
            if text is not None:
                name = f"_part{len(self._parts)}_"
                self._parts[name] = text
                return ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)
        return node if isinstance(node, ast.JoinedStr) else self.generic_visit(node)  # what is in an f-string is no part of its own


def _quoted(value: str, source: str) -> str:
    text = repr(value)
    return f'"{text[1:-1]}"' if '"' in source and "'" not in source and '"' not in value and text[0] == "'" else text


def _spaced(text: str, source: str) -> str:
    """Write operators with or without spaces around them, as the user does on this line."""

    def space(found: re.Match[str]) -> str:
        op = found.group(1)
        return f" {op} " if _is_spaced(op, source) else op

    return re.sub(r" (\*\*|[-+*/@]) (?![=])", space, text)


def _is_spaced(op: str, source: str) -> bool:
    """Whether the user puts spaces around an operator: around this one, one like it, any."""
    group = "*/@" if op in "*/@" else "+-" if op in "+-" else ""
    for ops in (re.escape(op), f"[{re.escape(group)}]" if group else "", r"[-+*/@]" if op != "**" else ""):
        if ops:
            tight = len(re.findall(rf"[\w)\]](?<!\*){ops}(?![*=])[\w(]", source))
            loose = len(re.findall(rf"[\w)\]] {ops} [-\w(]", source))
            if tight or loose:
                return loose >= tight
    return op != "**"
