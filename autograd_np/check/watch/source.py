"""The text of the user's functions: their statements, what each writes and reads, and a function compiled anew with one changed.

A statement is known by its position, not by its line: ``a = x; b = y`` are two. Lines are those of the user's file, also in
what is compiled, so tracebacks and a watching run see the same places.
"""

from __future__ import annotations

import ast
import copy
import functools
import gc
import inspect
import linecache
import sys
import textwrap
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType
from typing import Any, cast

from autograd_np.callers import is_users_file
from autograd_np.check.watch.private import as_said, as_written, give_private_names
from autograd_np.check.watch.reads import COMPOUND, written_in_place
from autograd_np.check.watch.spelling import wanted_names

__all__ = ["Function", "Functions", "Place", "is_users", "parsed", "placed"]

_ast: Any = ast  # type_params came with Python 3.12
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_users(filename: str) -> bool:
    """Whether a file is the user's own: none of Python, of an installed package or of this one, whose layers are in `nn`."""
    return is_users_file(filename) and not filename.startswith("<string>")


class Place:
    """A statement of a function: what a finding points at.

    Attributes
    ----------
    function : Function
    number : int
        Of the statement in its function, in the order of the text.
    """

    __slots__ = ("function", "number")

    def __init__(self, function: Function, number: int) -> None:
        self.function, self.number = function, number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self.function is other.function and self.number == other.number

    def __hash__(self) -> int:
        return hash((id(self.function), self.number))

    def __repr__(self) -> str:
        return f"<{self.function.name}:{self.line}>"

    @property
    def statement(self) -> ast.stmt | None:
        """The syntax tree; ``None`` for a line of a function without source."""
        return self.function.statements[self.number] if self.function.tree is not None else None

    @property
    def line(self) -> int:
        """The line of the file at which the statement begins."""
        statement = self.statement
        return self.number if statement is None else statement.lineno

    @property
    def end_line(self) -> int:
        """The last line of a simple statement, or of the header of a compound one."""
        statement = self.statement
        return self.number if statement is None else _end_of(statement)[0]

    @property
    def text(self) -> str:
        """The text of the line, stripped."""
        return self.function.lines.get(self.line, linecache.getline(self.function.filename, self.line)).strip()


class Function:
    """A function of the user's: its syntax tree, with the lines of the user's file.

    Attributes
    ----------
    code : CodeType
        As it is.
    filename, name : str
    tree : ast.FunctionDef, ast.Lambda or None
        ``None`` if there is no source (built at a prompt, or not a Python function).
    statements : list of ast.stmt
        In the order of the text, without those of functions defined in it; a compound statement stands for its header.
    lines : dict
        Line number -> text.
    """

    def __init__(self, code: CodeType) -> None:
        self.code, self.filename, self.name = code, code.co_filename, code.co_name
        self.statements: list[ast.stmt] = []
        self.lines: dict[int, str] = {}
        self._at_line: dict[int, list[int]] = {}
        self.tree = _tree_of(code)
        if self.tree is not None:
            file = linecache.getlines(self.filename)
            last = self.tree.end_lineno or self.tree.lineno
            self.lines = {n: file[n - 1].rstrip("\n") for n in range(_first_line(self.tree), last + 1) if n <= len(file)}
            body = self.tree.body if isinstance(self.tree, ast.FunctionDef) else [_as_return(self.tree)]
            for statement in _statements(body):
                number = len(self.statements)
                self.statements.append(statement)
                for line in range(statement.lineno, _end_of(statement)[0] + 1):
                    self._at_line.setdefault(line, []).append(number)

    @functools.cached_property
    def crowded(self) -> bool:
        """Whether some line holds more than one statement, so that positions must be asked for."""
        return any(len(found) > 1 for found in self._at_line.values())

    def place_at(self, line: int, column: int | None = None) -> Place:
        """Return the statement at a position; the line itself if there is no source."""
        found = self._at_line.get(line, ())
        if self.tree is None or not found:
            return Place(self, line) if self.tree is None else Place(self, self._nearest(line))
        if len(found) > 1 and column is not None:
            for number in reversed(found):
                s = self.statements[number]
                if (s.lineno, s.col_offset) <= (line, column) < _end_of(s):
                    return Place(self, number)
        return Place(self, found[0])

    def _nearest(self, line: int) -> int:
        before = [i for i, s in enumerate(self.statements) if s.lineno <= line]
        return before[-1] if before else 0

    @functools.cached_property
    def places(self) -> list[Place]:
        """All statements."""
        return [Place(self, i) for i in range(len(self.statements))]

    @functools.cached_property
    def unread(self) -> frozenset[str]:
        """Variables that are set, and gradients that are handed over, and never read: something was meant to be made of them.

        A shape is taken apart for one of its sizes.
        """
        names = [
            n for s in (self.tree.body if isinstance(self.tree, ast.FunctionDef) else ()) for n in ast.walk(s) if isinstance(n, ast.Name)
        ]
        into = {
            id(t.value)
            for s in self.statements
            for t in (s.targets if isinstance(s, ast.Assign) else [s.target] if isinstance(s, ast.AugAssign) else [])
            if isinstance(t, ast.Subscript)
        }
        tests = [s.test for s in self.statements if isinstance(s, (ast.If, ast.Assert)) and isinstance(s.test, ast.Compare)]
        asked = {id(t.left) for t in tests if isinstance(t.ops[0], (ast.Is, ast.IsNot))}  # whether it is None says nothing of it
        read = {n.id for n in names if isinstance(n.ctx, ast.Load) and id(n) not in into | asked}
        sizes = {
            n.id
            for s in self.statements
            if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Tuple) and getattr(s.value, "attr", "") == "shape"
            for n in ast.walk(s.targets[0])
            if isinstance(n, ast.Name)
        }
        handed = {p for p in self.parameters if wanted_names(p)}
        return (frozenset(n.id for n in names if isinstance(n.ctx, ast.Store) and not n.id.startswith("_")) | handed) - read - sizes

    @functools.cached_property
    def same_in_branches(self) -> frozenset[int]:
        """The identities of the statements that are all that a branch does, where another branch beside it does just that."""
        first: dict[tuple[int, str], ast.stmt] = {}
        found: set[int] = set()
        chained = {id(s.orelse[0]): s for s in self.statements if isinstance(s, ast.If) and len(s.orelse) == 1}
        for s in self.statements:
            start = s
            while id(start) in chained:
                start = chained[id(start)]
            for branch in (s.body, s.orelse) if isinstance(s, ast.If) else ():
                if len(branch) == 1 and not isinstance(branch[0], COMPOUND):
                    other = first.setdefault((id(start), ast.unparse(branch[0])), branch[0])
                    found |= {id(other), id(branch[0])} if other is not branch[0] else set()
        return frozenset(found)

    def carried_in_vain(self, statement: ast.stmt) -> frozenset[str]:
        """Return the variables that the loops around a statement carry from turn to turn, as ``dh_next``, and that no turn reads.

        What the statement sets itself is none of them.
        """
        found: set[str] = set()
        for loop in self.around(statement):
            if isinstance(loop, (ast.For, ast.While)):
                inside = [n for s in loop.body for n in ast.walk(s)]
                read = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
                first = {name for s in self.statements if s.lineno < loop.lineno for name in _assigned_to(s)}
                found |= ({name for n in inside if isinstance(n, ast.stmt) for name in _assigned_to(n)} & first) - read
        return frozenset(found.difference(_assigned_to(statement)))

    def reads_alone(self, statement: ast.stmt) -> frozenset[str]:
        """Return the parameters of the function that no other statement reads."""
        here = Counter(n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
        return frozenset(name for name in self.parameters if 0 < self._reads[name] == here[name])

    @functools.cached_property
    def _reads(self) -> Counter[str]:
        nodes = ast.walk(self.tree) if self.tree is not None else ()
        return Counter(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))

    @functools.cached_property
    def made_of(self) -> dict[str, tuple[ast.BinOp, ...]]:
        """By a variable, entry or attribute, as it is written: the sums and products with something else that statements make of it."""
        found: dict[str, dict[str, ast.BinOp]] = {}
        for s in self.statements:
            value = getattr(s, "value", None)
            for n in ast.walk(value) if isinstance(value, ast.expr) else ():
                if isinstance(n, ast.BinOp):
                    for side in (n.left, n.right):
                        if isinstance(side, (ast.Name, ast.Attribute, ast.Subscript)):
                            found.setdefault(ast.unparse(side), {}).setdefault(ast.unparse(n), n)
        return {name: tuple(nodes.values()) for name, nodes in found.items()}

    def as_written(self, statement: ast.stmt) -> ast.stmt:
        """Return a statement with the names that the user wrote for what is private to a class."""
        return as_written(statement, self._private) if self._private else statement

    def as_said(self, text: str) -> str:
        """Return words about the function with the names that the user wrote for what is private to a class."""
        return as_said(text, self._private) if self._private else text

    @property
    def _private(self) -> str:
        """What Python puts before the name of what is private to the class of the function; empty outside classes."""
        return str(getattr(self.tree, "private", ""))

    def left_by_loops(self, statement: ast.stmt) -> frozenset[str]:
        """Return the variables that only loops set which a statement is not in: what the last step of a loop left."""
        around = self.around(statement)
        found: dict[bool, set[str]] = {True: set(), False: set(self.parameters)}
        for s, names in self._stored:
            found[any(isinstance(h, (ast.For, ast.While)) and not any(h is x for x in around) for h in self.around(s))] |= names
        return frozenset(found[True] - found[False])

    @functools.cached_property
    def _stored(self) -> list[tuple[ast.stmt, frozenset[str]]]:
        """The variables that each statement sets."""
        found = []
        for s in self.statements:
            parts = [s.target] if isinstance(s, ast.For) else [] if isinstance(s, COMPOUND) else [s]
            names = (n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name))
            found.append((s, frozenset(n.id for n in names if isinstance(n.ctx, ast.Store))))
        return found

    def around(self, statement: ast.stmt | None) -> list[ast.stmt]:
        """Return the loops and branches that a statement stands in, or is."""
        return self._around.get(id(statement), [])

    @functools.cached_property
    def _around(self) -> dict[int, list[ast.stmt]]:
        found: dict[int, list[ast.stmt]] = {}
        for s in self.statements:
            for n in ast.walk(s) if isinstance(s, (ast.For, ast.While, ast.If)) else ():
                if isinstance(n, ast.stmt):
                    found.setdefault(id(n), []).append(s)
        return found

    @functools.cached_property
    def returns(self) -> list[ast.Return]:
        """The function's own return statements, not those of functions in it."""
        return [s for s in self.statements if isinstance(s, ast.Return)]

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return [*self.code.co_varnames[: self.code.co_argcount + self.code.co_kwonlyargcount]]

    @functools.cached_property
    def changed_in_place(self) -> frozenset[str]:
        """The roots that some statement may change without binding them anew."""
        return frozenset(root for s in self.statements for root in written_in_place(s))

    @functools.cached_property
    def constants(self) -> set[Any]:
        """The numbers in the text."""
        return (
            {n.value for n in ast.walk(self.tree) if isinstance(n, ast.Constant) and isinstance(n.value, (int, float))}
            if self.tree
            else set()
        )

    def edited(self, changes: Mapping[Place, Sequence[ast.stmt]]) -> CodeType | None:
        """Compile the function with other statements in the place of some; ``None`` if that is no Python.

        A compound statement changes in its header alone. The places may be in functions that are defined in this one.
        """
        if self.tree is None:
            return None
        instead = {id(place.statement): [*body] for place, body in changes.items()}
        if isinstance(self.tree, ast.Lambda):
            (body,) = instead.values()
            value = getattr(placed(body[0], self.tree.body), "value", None) if body else None
            new: Any = ast.copy_location(ast.Lambda(args=self.tree.args, body=value), self.tree) if value is not None else None
        else:
            new = _Replacer(instead).visit(_shallow(self.tree))
        return _compiled(new, self.code, self.tree) if new is not None else None


class _Replacer(ast.NodeTransformer):
    """Copies the way down to what changes, and leaves the user's own tree as it is."""

    def __init__(self, instead: dict[int, list[ast.stmt]]) -> None:
        self.instead = instead

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], (ast.stmt, ast.ExceptHandler)):
                block: list[ast.AST] = []
                for item in value:
                    block += self._block_of(item)
                setattr(node, name, block or [ast.copy_location(ast.Pass(), value[0])])
        return node

    def _block_of(self, item: ast.AST) -> list[ast.AST]:
        if id(item) not in self.instead:
            inside = isinstance(item, (*COMPOUND, *_DEFINITIONS, ast.ExceptHandler))
            return [self.generic_visit(_shallow(item))] if inside else [item]
        body = [placed(s, item) for s in self.instead[id(item)]]
        if isinstance(item, COMPOUND) and len(body) == 1:  # the header changes, the block stays the user's
            header = body[0]
            for name in ("body", "orelse", "finalbody", "handlers"):
                if hasattr(item, name):
                    setattr(header, name, getattr(item, name))
            return [self.generic_visit(header)]
        return list(body)


def _shallow(node: Any) -> Any:
    return copy.copy(node)


def placed(new: ast.stmt, old: ast.AST) -> ast.stmt:
    """Return a copy of a statement whose every part stands where the old statement stands; blocks in it are taken over."""
    place = {name: getattr(old, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    blocks = {
        id(getattr(new, name)) for name in ("body", "orelse", "finalbody", "handlers") if isinstance(new, COMPOUND) and hasattr(new, name)
    }

    def copied(node: Any) -> Any:
        if isinstance(node, list):
            return node if id(node) in blocks else [copied(item) for item in node]
        if not isinstance(node, ast.AST) or not node.__dict__:
            return node
        made = type(node)()
        made.__dict__.update({name: copied(value) for name, value in node.__dict__.items()})
        if "lineno" in node._attributes:
            made.__dict__.update(place)
        return made

    return cast(ast.stmt, copied(new))


def _compiled(new: Any, old: CodeType, tree: Any) -> CodeType | None:
    """Compile a function's tree so that the result can stand in the place of `old`: same names from outside, same class."""

    def here(node: Any) -> Any:
        return ast.copy_location(node, tree)

    outer = [name for name in old.co_freevars if name != "__class__"]
    new.args = _bare(new.args)
    inner: ast.stmt
    if isinstance(new, ast.FunctionDef):
        new.decorator_list, new.returns = [], None
        if outer:  # what was captured stays captured, even if an edit no longer reads it
            reads = here(ast.Tuple(elts=[here(ast.Name(id=n, ctx=ast.Load())) for n in outer], ctx=ast.Load()))
            new.body = [*new.body, here(ast.If(test=here(ast.Constant(value=False)), body=[here(ast.Expr(value=reads))], orelse=[]))]
        inner = new
    else:
        inner = here(ast.Expr(value=new))
    parts = [p for p in getattr(old, "co_qualname", old.co_name).split(".")[:-1] if p != "<locals>"]
    if parts:  # names with two underscores and super() belong to a class
        inner = here(_ast.ClassDef(name=parts[-1], bases=[], keywords=[], body=[inner], decorator_list=[], type_params=[]))
    bound = [here(ast.Assign(targets=[here(ast.Name(id=n, ctx=ast.Store()))], value=here(ast.Constant(value=None)))) for n in outer]
    if isinstance(inner, ast.FunctionDef) and inner.name not in old.co_freevars:  # it may call itself, by a name that is not captured
        bound.insert(0, here(ast.Global(names=[inner.name])))
    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    scope = here(_ast.FunctionDef(name="scope", args=empty, body=[*bound, inner], decorator_list=[], type_params=[]))
    try:
        found = _code_named(compile(ast.Module(body=[scope], type_ignores=[]), old.co_filename, "exec"), old.co_name)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return None
    return found if found is not None and found.co_freevars == old.co_freevars else None


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Return parameters without defaults and annotations, which belong to the function object."""
    new = copy.copy(arguments)
    new.defaults, new.kw_defaults = [], [None] * len(arguments.kwonlyargs)
    for name in ("posonlyargs", "args", "kwonlyargs"):
        setattr(new, name, [ast.copy_location(ast.arg(arg=a.arg), a) for a in getattr(arguments, name)])
    return new


def _code_named(code: CodeType, name: str) -> CodeType | None:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found = const if const.co_name == name else _code_named(const, name)
            if found is not None:
                return found
    return None


def _tree_of(code: CodeType) -> Any:
    """Return the syntax tree of a function, with the positions of its file."""
    text = "".join(linecache.getlines(code.co_filename))
    module = parsed(text)
    if module is None:
        try:
            lines, first = inspect.getsourcelines(code)
            module = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError, IndentationError):
            return None
        ast.increment_lineno(module, first - 1)
        kind = [p for p in code.co_qualname.split(".")[:-1] if p != "<locals>"][-1:]
        give_private_names(module, f"_{kind[0].lstrip('_')}" if kind else "")
    if code.co_name == "<lambda>":
        spans = [p for p in code.co_positions() if p[0] is not None and p[2] is not None]
        places = {(p[0], p[2]) for p in spans}
        found = [n for n in ast.walk(module) if isinstance(n, ast.Lambda) and _holds(n.body, places)]
        return min(found, key=lambda n: (n.end_lineno or 0) - n.lineno, default=None)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and code.co_firstlineno in (node.lineno, _first_line(node)):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            if tuple(names) == code.co_varnames[: code.co_argcount]:
                return node
    return None


@functools.lru_cache(64)
def parsed(text: str) -> ast.Module | None:
    """Return the syntax tree of a file; ``None`` if it is no Python.

    What is private to a class has the name by which Python knows it: ``self._Net__W`` for ``self.__W`` in the class `Net`.
    """
    try:
        module = ast.parse(text) if text.strip() else None
    except (SyntaxError, ValueError):
        return None
    for node in module.body if module is not None and "__" in text else ():
        give_private_names(node, "")
    return module


def _holds(body: ast.expr, places: set[tuple[Any, Any]]) -> bool:
    start = (body.lineno, body.col_offset)
    end = (body.end_lineno or body.lineno, body.end_col_offset or 0)
    inside = [p for p in places if start <= p < end]
    return len(inside) >= max(len(places) - 1, 1)


def _first_line(tree: Any) -> int:
    lines: list[int] = [tree.lineno, *(d.lineno for d in getattr(tree, "decorator_list", ()))]
    return min(lines)


def _as_return(tree: ast.Lambda) -> ast.Return:
    statement = ast.Return(value=tree.body)
    return ast.copy_location(statement, tree.body)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements in the order of the text, compound ones before those in them; definitions are other functions' text."""
    for s in body:
        if isinstance(s, _DEFINITIONS):
            continue
        yield s
        for name in ("body", "orelse", "finalbody"):
            block = getattr(s, name, None)
            if isinstance(block, list):
                yield from _statements(block)
        for handler in getattr(s, "handlers", []):
            yield from _statements(handler.body)


def _assigned_to(statement: ast.stmt) -> list[str]:
    """Return the variables that a plain assignment sets."""
    return [t.id for t in statement.targets if isinstance(t, ast.Name)] if isinstance(statement, ast.Assign) else []


def _end_of(statement: ast.stmt) -> tuple[int, int]:
    """Return where a statement ends, or the header of a compound one."""
    if isinstance(statement, COMPOUND) and getattr(statement, "body", None):
        header = next((value for name in ("test", "iter", "items") if (value := getattr(statement, name, None)) is not None), None)
        last = header[-1].context_expr if isinstance(header, list) else header
        if last is None:
            return statement.lineno, statement.col_offset + 3
        return last.end_lineno or last.lineno, (last.end_col_offset or 0) + 1
    return statement.end_lineno or statement.lineno, statement.end_col_offset or 0


def _by_name(code: CodeType) -> Iterator[types.FunctionType]:
    """Yield the functions and methods of loaded modules that have a code, where they stand under its name."""
    for module in [m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == code.co_filename]:
        found: Any = module
        for name in code.co_qualname.split("."):
            found = getattr(found, "__dict__", {}).get(name)
        found = inspect.unwrap(f) if callable(f := getattr(found, "fget", None) or getattr(found, "__func__", found)) else f
        if isinstance(found, types.FunctionType) and found.__code__ is code:
            yield found


class Functions:
    """The functions of the user's that one check has met, by their code."""

    def __init__(self, *own: Callable[..., Any] | None) -> None:
        self._of_code: dict[CodeType, Function] = {}
        self._foreign: set[CodeType] = set()
        self._holders: dict[CodeType, list[types.FunctionType]] = {}
        self.called: set[int] = set()
        codes = [getattr(inspect.unwrap(getattr(f, "__func__", f)), "__code__", None) for f in own if f is not None]
        self._own_files = {c.co_filename for c in codes if c is not None}

    def of(self, code: CodeType) -> Function | None:
        """Return the user's function that has this code, or was compiled from it with a change; ``None`` for others'."""
        found = self._of_code.get(code)
        if found is None and code not in self._foreign:
            if code.co_filename in self._own_files or is_users(code.co_filename):
                found = self._of_code[code] = Function(code)
            else:
                self._foreign.add(code)
        return found

    def watched(self) -> list[Function]:
        """Return all functions met so far."""
        return list(dict.fromkeys(self._of_code.values()))

    def note(self, code: CodeType, function: Function) -> None:
        """Remember that a code, and the functions defined in it, is a changed form of a function's."""
        self._of_code[code] = function
        known = {c.co_name: c for c in function.code.co_consts if isinstance(c, CodeType)}
        for const in code.co_consts:
            if isinstance(const, CodeType) and const not in self._of_code and const.co_name in known:
                inner = self.of(known[const.co_name])
                if inner is not None:
                    self.note(const, inner)

    def holders(self, function: Function) -> list[types.FunctionType]:
        """Return the function objects that run this code."""
        if function.code not in self._holders:
            found = [f for f in gc.get_referrers(function.code) if isinstance(f, types.FunctionType) and f.__code__ is function.code]
            self._holders[function.code] = found or list(_by_name(function.code))  # what was frozen (`gc.freeze`) has no referrers
        return self._holders[function.code]

    def enclosing(self, function: Function) -> Function | None:
        """Return the function that defines another one whenever it is called."""
        return next(
            (f for f in self.watched() if id(f) in self.called and any(c is function.code or c == function.code for c in f.code.co_consts)),
            None,
        )
