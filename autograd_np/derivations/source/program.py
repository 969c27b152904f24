"""A derivation as a program: forward with the user's lines and names, backward as a person writes it, and both in one."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from autograd_np.derivations.derivation import Derived, Statement
from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.naming.arrays import form_of
from autograd_np.derivations.source.lines import Lines
from autograd_np.derivations.source.statements import is_seen_elsewhere, lines_of, written_into
from autograd_np.derivations.source.writing import HELPERS, Writer
from autograd_np.ops.indexing import setitem

__all__ = ["Function", "Program"]

LONGEST_COMMENT = 88


class Line(NamedTuple):
    """A statement of the program, and the line of forward that it comes from."""

    text: str
    origin: str = ""


class Function(NamedTuple):
    """A function of the program.

    Attributes
    ----------
    name : str
    parameters : list of str
    lines : list of Line
    returns : str
    """

    name: str
    parameters: list[str]
    lines: list[Line]
    returns: str

    def source(self, *, typed: bool = False) -> str:
        """Return the text of the function."""
        kinds = ": np.ndarray" if typed else ""
        result = "dict[str, np.ndarray]" if self.name == "backward" else "tuple[float, dict[str, np.ndarray]]"
        head = f"def {self.name}({', '.join(p + kinds for p in self.parameters)}){f' -> {result}' if typed else ''}:"
        width = max((len(line.text) for line in self.lines if line.origin and len(line.text) <= 56), default=0)
        body = [f"{line.text:{width}}  # from {line.origin}" if line.origin else line.text for line in self.lines]
        return "\n".join([head, *(f"    {line.rstrip()}" for text in body for line in text.split("\n")), f"    return {self.returns}"])


class Program:
    """Writes a derivation as NumPy.

    Parameters
    ----------
    derivation : Derived
    """

    def __init__(self, derivation: Derived) -> None:
        self.derivation = derivation
        self.recording = derivation.recording
        self.numbers = derivation.numbers
        self.helpers: dict[str, str] = {}
        self.imports: dict[str, None] = {}
        self._inputs: dict[str, Expression] = self.recording.inputs | self.recording.captured
        self._forward_names = {e: n for n, e in self._inputs.items()} | self.recording.names
        loss = derivation.loss
        self.result = self._forward_names.get(loss) or self._free("loss" if derivation.upstream is None else "out")
        self._forward_names.setdefault(loss, self.result)
        self._lines = Lines(self.recording.f)
        self._holders: dict[Expression, Expression] = {}
        self._arrays: dict[str, Expression] = {}
        if self.recording.versions:
            self._plain_names(set(self._backward().parameters))
        self.result = self._forward_names[loss]
        self.backward = self._backward()
        self.forward = self._forward()

    def _free(self, name: str) -> str:
        taken = set(self._inputs) | set(self.recording.names.values())
        return name if name not in taken else next(n for i in range(2, 99) if (n := f"{name}_{i}") not in taken)

    # --- what is shared

    def _writer(self, names: Mapping[Expression, str], arrays: Mapping[str, Expression], instead: Any = lambda e: e) -> Writer:
        writer = Writer(
            names,
            lambda values: self._number(writer, values, arrays),
            lambda e: self._array(writer, e, arrays),
            lambda n, is_end: self._size(writer, n, is_end),
            instead,
        )
        writer.helpers, writer.imports = self.helpers, self.imports
        writer.taken = frozenset((*self._inputs, *self.recording.names.values()))
        return writer

    def _number(self, writer: Writer, values: tuple[Any, ...], arrays: Mapping[str, Expression]) -> str | None:
        found = self.numbers.text(values, arrays)
        if found is None:
            length = self.numbers.length(values)
            return None if length is None else f"{writer.as_object(length.of)}{length.text}"
        text, names = found
        for name in names:
            writer.used[name] = None
        return text

    def _size(self, writer: Writer, n: Any, is_end: bool) -> str | None:
        found = self.numbers.size_text(n, is_end=is_end)
        if found is None:
            return None
        for name in found[1]:
            writer.used[name] = None
        return found[0]

    def _array(self, writer: Writer, e: Expression, arrays: Mapping[str, Expression]) -> str:
        """Write an array that the user's code made of sizes: as NumPy makes it, or where it is small, as it is."""
        form = form_of(e.values)
        numbers = [self._number(writer, n, arrays) for n in form.numbers] if form is not None else [None]
        if form is not None and all(n is not None for n in numbers):
            return form.text.format(*numbers)
        name = next((n for n, x in self._arrays.items() if x is e), None) or self._free(e.name or f"constant_{len(self._arrays) + 1}")
        self._arrays[name] = e
        writer.used[name] = None
        return name

    def _sized(self, used: Iterable[str], arrays: Mapping[str, Expression]) -> tuple[list[Line], list[str]]:
        """Return the lines that give the numbers among some names, and the names those read."""
        lines: list[Line] = []
        read: list[str] = []
        done: set[str] = set()

        def give(name: str) -> None:
            if name in done or name in arrays or name in self._arrays:
                return
            done.add(name)
            line = self.numbers.line_of(name, self._inputs, arrays)
            if line is not None:
                text, names = line
                for n in sorted(names):  # what it reads comes before it
                    give(n)
                if text not in [x.text for x in lines]:
                    lines.append(Line(text))
                read.extend(n for n in sorted(names) if n in arrays)

        for name in list(used):
            give(name)
        return lines, read

    # --- forward

    def _forward(self) -> Function:
        names = self._forward_names
        arrays = dict(self._inputs)
        lines: list[Line] = []
        used: dict[str, None] = {}
        saved = [p for p in self.backward.parameters if self.derivation.upstream is None or p != self.derivation.upstream.name]
        by_name = {n: e for e, n in names.items()}
        for e in self._in_order(walked([self.derivation.loss, *(by_name[p] for p in saved if p in by_name)])):
            texts, read = self._line(e)
            lines += map(Line, texts)
            used |= read
        sized, _ = self._sized(used, arrays)
        parameters = [*self._inputs, *(n for n in self._arrays if n not in self._inputs)]
        cache = "{" + ", ".join(f'"{p}": {p}' for p in saved) + "}"
        return Function("forward", parameters, [*sized, *lines], f"{self.result}, {cache}")

    def _in_order(self, steps: Iterable[Expression]) -> list[Expression]:
        """Return the variables among some expressions in the order in which the user computed them."""
        places = {e: i for i, e in reversed(list(enumerate(self.recording.steps)))}
        found = [e for e in steps if e in self._forward_names and e.op is not None]
        return sorted(found, key=lambda e: places.get(e, len(places)))

    def _line(self, e: Expression) -> tuple[list[str], dict[str, None]]:
        """Return the line of a variable, as the user wrote it if that can be, or the lines, and the names they read."""
        own = self._users_line(e)
        if own is not None:
            return [f"{self._forward_names[e]} = {own[0]}"], dict.fromkeys(sorted(own[1]))
        names = {x: n for x, n in self._forward_names.items() if x is not e}
        writer = self._writer(names, self._inputs | {names[x]: x for x in self._before(e)})
        writer.at_hand = [x for x in walked([e]) if x in names]
        name = self._forward_names[e]
        if not e.is_call(setitem) or not e.ndim:
            return [f"{name} = {writer(e)}"], writer.used
        before = e.args[0]
        if names.get(before) == name and not is_seen_elsewhere(before, names):
            return [written_into(name, e, writer)], writer.used
        return lines_of(name, e, writer), writer.used

    @functools.cached_property
    def _computed(self) -> dict[Expression, int]:
        """The variables that the loss is computed from, in their order."""
        return {e: i for i, e in enumerate(self._in_order(walked([self.derivation.loss])))}

    def _before(self, e: Expression) -> list[Expression]:
        """Return the variables of forward that are computed before one of them."""
        return list(self._computed)[: self._computed.get(e, 0)]

    def _users_line(self, e: Expression) -> tuple[str, frozenset[str]] | None:
        name, line = self.recording.lines.get(e, ("", None))
        numbers = {n.name for n in self.recording.numbers}
        held = self.recording.lines
        same = {held[x][0] for x in walked([e]) if x is not e and x in held and self._forward_names.get(x) == held[x][0]}
        known = {n for n in self._inputs if n in self.recording.parameters and n not in self._lines.stored} | numbers | same
        if line is not None and name == self._forward_names[e]:
            return self._lines.assignment(name, line, known)
        return self._lines.result(known) if e is self.derivation.loss and e not in self.recording.names else None

    def _plain_names(self, read: set[str]) -> None:
        """Call all that a variable held by its name, where backward, which reads these names, needs at most what it held last."""
        derivation, names = self.derivation, self.recording.names
        of = {s.of for s in derivation.statements}
        gradients = {s.variable.name for s in derivation.statements}
        for name, versions in self.recording.versions.items():
            canonical = [derivation.canonical(v) for v in versions]
            others = {n for e, n in self._forward_names.items() if e not in versions}
            if name in {*gradients, *others, self.result} or any(c.op is None for c in canonical):  # which is an input, and has a name
                continue
            if any(v.shapes != versions[-1].shapes for v in versions):  # of which the shape may be read
                continue
            needed = [names[v] in read or c in of for v, c in zip(versions, canonical, strict=True)]
            if any(names[v] in read for v in versions[:-1]) or sum(needed) > 1 or not self._in_turn(versions):
                continue
            for v, c in zip(versions, canonical, strict=True):
                names[v] = self._forward_names[v] = name
                if c in derivation.names:
                    derivation.names[c] = name
                for s in derivation.statements:
                    if s.of is c:
                        s.variable.name = f"d{name}"

    def _in_turn(self, versions: list[Expression]) -> bool:
        """Whether nothing reads what a variable held before, once it holds something else."""
        current = -1
        for e in self._in_order(walked([self.derivation.loss])):
            if any(x in versions and versions.index(x) != current for x in self._read_by(e)):
                return False
            current = versions.index(e) if e in versions else current
        return True

    # --- backward

    def _origin(self, e: Expression) -> str:
        """Return the line of forward through which the gradient of a variable comes, or the variables of several."""
        raw = [self.derivation.originals.get(x, x) for x in self.derivation.through.get(e, ())]
        holders = list(dict.fromkeys(h for x in raw for h in self._lines_with(x)))
        if len(holders) == 1:
            text, *more = self._line(holders[0])[0]
            return text if len(text) <= LONGEST_COMMENT and not more else self._forward_names[holders[0]]
        return ", ".join(dict.fromkeys(self._forward_names[h] for h in holders))

    def _lines_with(self, x: Expression) -> list[Expression]:
        """Return the line of forward that an operation stands in, the first of several."""
        if not self._holders:
            for line in self._forward_names:
                todo = [line] if line.op is not None else []
                while todo:
                    part = todo.pop()
                    self._holders.setdefault(part, line)
                    todo += [y for y in part.children if y not in self._forward_names]
        return [self._holders[x]] if x in self._holders else []

    def _read_by(self, e: Expression) -> list[Expression]:
        """Return the variables that the line of a variable reads."""
        found: dict[Expression, None] = {}
        todo = list(e.children)
        while todo:
            x = todo.pop()
            if x in self._forward_names:
                found[x] = None
            else:
                todo += x.children
        return list(found)

    def scheduled(self) -> list[Statement]:
        """Return the statements, those that are asked for as soon as they can be computed."""
        derivation = self.derivation
        asked = {e: i for i, e in enumerate(derivation.wanted.values())}
        variables = {s.variable: s for s in derivation.statements}
        reads = {s.variable: [x for x in s.value.reads if x in variables] for s in derivation.statements}
        done: dict[Expression, None] = {}

        def flush() -> None:
            waiting = [s for s in derivation.statements if s.of in asked and s.variable not in done]
            ready = [s for s in waiting if all(r in done for r in reads[s.variable])]
            for s in sorted(ready, key=lambda s: asked[s.of]):
                done[s.variable] = None

        flush()
        for s in derivation.statements:
            if s.variable not in done:
                done[s.variable] = None
                flush()
        return [variables[v] for v in done]

    def _backward(self) -> Function:
        derivation = self.derivation
        names = dict(derivation.names)
        arrays = {n: e for e, n in names.items() if e.kind != "number"}
        statements = self.scheduled()
        raw = derivation.originals
        lines: list[Line] = []
        used: dict[str, None] = {}
        if derivation.upstream is not None:
            used[derivation.upstream.name or ""] = None

        def instead(e: Expression) -> Expression:
            other = raw.get(e, e)
            return other if other.op is not None else e

        own = self.recording.names
        for s in statements:
            writer = self._writer(names | own, arrays, instead)
            writer.prefer = s.of
            assert s.variable.name is not None
            lines += self._statement(s, writer)
            names[s.variable] = s.variable.name
            used |= writer.used
        given = {s.of for s in statements}
        for name, e in derivation.wanted.items():
            if e not in given:
                lines.append(Line(f"d{name} = np.zeros_like({name})"))
                used[name] = None
        made = {s.variable.name for s in statements}
        sized, read = self._sized([n for n in used if n not in made], arrays)
        used |= dict.fromkeys(read)
        order = [n for n in self._inputs if n in used] + [n for e, n in self.recording.names.items() if n in used]
        upstream = [derivation.upstream.name or ""] if derivation.upstream is not None else []
        parameters = list(dict.fromkeys([*upstream, *order, *(n for n in self._arrays if n in used)]))
        variables = {s.of: s.variable.name for s in statements}
        gradients = ", ".join(f'"{g}": {g}' for n, e in derivation.wanted.items() for g in (variables.get(e, f"d{n}"),))
        return Function("backward", parameters, [*sized, *lines], f"{{{gradients}}}")

    def _statement(self, s: Statement, writer: Writer) -> list[Line]:
        name = s.variable.name or ""
        first, *others = [f"{name} = {writer.result(s.value)}"] if s.value.ndim == 0 else lines_of(name, s.value, writer)
        return [Line(first, self._origin(s.of)), *map(Line, others)]

    # --- all of it

    def source(self, *, typed: bool = False) -> str:
        """Return the whole program: imports, helpers, forward, backward, and both in one."""
        upstream = self.derivation.upstream
        parameters = [*self.forward.parameters, *([upstream.name or ""] if upstream is not None else [])]
        cache = next(n for n in ("cache", "saved", "for_backward") if n not in parameters)
        both = [
            Line(f"{self.result}, {cache} = forward({', '.join(self.forward.parameters)})"),
        ]
        arguments = f"{upstream.name}, **{cache}" if upstream is not None else f"**{cache}"
        joined = Function("value_and_grad", parameters, both, f"{self.result}, backward({arguments})")
        pieces = ["\n".join(["import numpy as np", *self.imports])]
        pieces += [HELPERS[h].replace(f"def {h}(", f"def {name}(") for h, name in self.helpers.items()]
        pieces += [f.source(typed=typed) for f in (self.forward, self.backward, joined)]
        return "\n\n\n".join(pieces) + "\n"
