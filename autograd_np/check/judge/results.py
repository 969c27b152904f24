"""Which inputs the things that backward returned, or left behind in the user's objects, are the gradients of.

A named thing is what its name says, and an entry without a known name is left unjudged; an unnamed thing is what its value
says, then its shape, then its place.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.check.judge.compare import close, fits
from autograd_np.check.judge.names import is_data, is_gradients_name, is_label, pair
from autograd_np.check.judge.roles import is_no_gradient, is_upstream
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Recording
from autograd_np.check.watch.source import Function
from autograd_np.check.watch.spelling import alike, bare, wanted_names
from autograd_np.check.watch.state import leaves_in, spelled
from autograd_np.node import Node

__all__ = ["Result", "Targets", "assigned", "is_container_of_gradients", "is_no_news", "left_behind", "returned_places"]

SHORTEST = 3
"""The end of a name says something from so many letters on."""

_CONTAINER = re.compile(r"(?i).*(grad|nabla|deriv|delta|jac|adj).*|d|ds|g|gs|result|results|res|out|dparams|d_params")
_GENERIC = frozenset(
    [
        "grad",
        "grads",
        "gradient",
        "gradients",
        "g",
        "d",
        "dparams",
        "result",
        "results",
        "res",
        "out",
        "delta",
        "deltas",
        "ret",
        "nabla",
        "derivative",
        "jac",
        "dx_dy",
    ]
)


@dataclass
class Result:
    """An array that backward gave back.

    Attributes
    ----------
    path : str
        How it is written.
    name : str
        What it is called; empty if it is an expression.
    keys : tuple
        Where it stands in what was returned, or in the user's object.
    value : ndarray
    node : ast.expr or None
        The expression in the return statement.
    left : bool
        Found in the user's objects, not returned.
    container : str
        What holds it: ``grads`` for ``grads['W1']``.
    """

    path: str
    name: str
    keys: tuple[Any, ...]
    value: Any
    node: ast.expr | None = None
    left: bool = False
    container: str = ""
    whole: bool = True


@dataclass
class Targets:
    """What was decided for a result: the forward name and the Node, whether it is an input, and by what its change is divided, and why."""

    name: str
    node: Node
    is_input: bool
    rate: tuple[str, float] | None = None


def returned_places(result: Any, function: Function | None, recording: Recording | None = None) -> list[Result]:
    """Return every array in what backward returned, with the expression that gave it: of the helper, if it returned a call's result."""
    statement = _return_for(result, function)
    top = statement.value if statement is not None else None
    if recording is not None and isinstance(top, ast.Call):
        top = _returned_by_helper(result, top, recording)
    found = []
    for keys, node, value in _places(result, top, ()):
        name = _name_in(node) if node is not None else next((k for k in reversed(keys) if isinstance(k, str)), "")
        key = next((k for k in reversed(keys) if isinstance(k, str)), "")
        path = ast.unparse(node) if node is not None else "".join(f"[{k!r}]" for k in keys) or "the result"
        container = _name_in(node.value) if isinstance(node, ast.Subscript) else ""
        found.append(Result(path, key or name, keys, np.asarray(value), node, container=container))
    return found


def _returned_by_helper(result: Any, top: ast.expr, recording: Recording) -> ast.expr | None:
    """Return the expression with which the helper that was called in a return statement returned."""
    step = next((s for s in reversed(recording.steps) if s.call.number == 0), None)
    while step is not None and step.calls and isinstance(top, ast.Call):
        inner = step.calls[-1]
        statement = _return_for(result, inner.function)
        if statement is None or statement.value is None:
            break
        top = statement.value
        step = next((s for s in reversed(recording.steps) if s.call is inner), None)
    return top


def left_behind(before: Sequence[Any], after: Sequence[Any], names: Sequence[str]) -> list[Result]:
    """Return the arrays that a run changed in the user's objects or made in them."""
    found = []
    for name, old, new in zip(names, before, after, strict=True):
        was = {path: value for path, value in leaves_in(old, (name,)) if isinstance(value, (np.ndarray, np.generic, float))}
        for path, value in leaves_in(new, (name,)):
            if not isinstance(value, (np.ndarray, np.generic, float)) or np.asarray(value).dtype.kind != "f":
                continue
            previous = was.get(path)
            changed = (
                previous is None or np.shape(previous) != np.shape(value) or np.asarray(previous).tobytes() != np.asarray(value).tobytes()
            )
            last = next((str(k) for k in reversed(path) if isinstance(k, str)), "")
            container = next((str(k) for k in reversed(path[:-1]) if isinstance(k, str)), "") if len(path) > 2 else ""
            holder = spelled(path)
            result = Result(holder, last if isinstance(path[-1], str) else "", path, np.asarray(value), None, True, container)
            result.whole = changed
            if changed or _CONTAINER.fullmatch(container) or is_gradients_name(last):
                found.append(result)
    return found


class Assigner:
    """Pairs results with inputs, one after another; each input once."""

    def __init__(
        self,
        point: Point,
        names: Mapping[str, str] | None,
        wrt: Sequence[str] | None,
        tolerance: float,
        meaning: Callable[[int], str | None] = lambda _: None,
        results: Sequence[Result] = (),
    ) -> None:
        self.results = results
        self.point, self.names, self.wrt, self.tolerance, self.meaning = point, names, wrt, tolerance, meaning
        self.found: dict[int, Targets] = {}
        self.taken: set[str] = set()

    def take(self, i: int, name: str, node: Node, *, is_input: bool) -> None:
        self.found[i] = Targets(name, node, is_input)
        if is_input:
            self.taken.add(name)

    def canonical(self, name: str) -> str:
        return self.point.traced.program.aliases.get(name, name) if name not in self.point.leaves else name

    def named(self, i: int, r: Result) -> bool:
        """Pair by what a thing is called; ``True`` if that settled it, also as no gradient."""
        inside = [k for k in r.keys if not isinstance(k, str)] if not r.left else []
        if self.names:
            for said in (r.name, r.path, r.container):
                if said in self.names:
                    return self._by_name(i, self.names[said] + "".join(f"[{k!r}]" for k in (inside if said != r.path else [])), r) or True
        if r.left and self._sibling(i, r):
            return True
        if not r.left and self._same_keys(i, r):
            return True
        spellings = _spellings(r)
        for base, tail in spellings:
            for x in wanted_names(base):
                for candidate, exact in self._candidates(x):
                    if self._by_name(i, candidate + tail, r, exact=exact or bool(tail)):
                        return True
                if tail and x.endswith("s") and x[:-1] in self.point.leaves and self._by_name(i, x[:-1], r):  # dws[0]
                    return True
        if any(not tail and is_no_gradient(base) for base, tail in spellings[:1]):
            return True
        return self._as_event(i, r)

    def _as_event(self, i: int, r: Result) -> bool:
        """Pair with the input that a variable of the same value was paired with, through the arrays beside it.

        A gradient that was handed to an object is that of the input which the object is called after: `W` of ``self.W_opt.g``.
        """
        name = self.meaning(i)
        node = self.point.leaf(name) if name is not None else None
        if name is None or node is None:
            return False
        if r.left and isinstance(r.keys[-1], int) and not _CONTAINER.fullmatch(r.container) and not is_gradients_name(r.container):
            return False  # put into a list of something else
        if r.left:
            words = {w for k in r.keys[:-1] if isinstance(k, str) for w in (k, *k.split("_"))}
            after = [n for n in self.point.leaves if n.rpartition(".")[2] in words and n not in self.taken]
            if len(after) == 1:
                name, node = after[0], self.point.leaves[after[0]]
            elif name in self.taken:
                return False
        self.take(i, self.canonical(name), node, is_input=True)
        return True

    def _candidates(self, x: str) -> list[tuple[str, bool]]:
        """Return the forward names that `x` may mean, and whether it is that name; the beginning of one has to have its shape too."""
        known = self.point.known
        found = [x] if x in known else []
        found += [c for c in (x + "s", x + "_list", x + "_all") if c in known]
        same = alike(x, known)
        roots = list(dict.fromkeys(n.partition("[")[0] for n in self.point.leaves))
        begun = [f for f in roots if f.lower().startswith(x.lower())] if not found and not same else []
        exact = list(dict.fromkeys([*found, *(same if len(same) == 1 else [])]))
        return [*((f, True) for f in exact), *((f, False) for f in begun if len(begun) == 1)]

    def _by_name(self, i: int, name: str, r: Result, *, exact: bool = True) -> bool:
        point = self.point
        canonical = self.canonical(name)
        node = point.leaf(canonical)
        if node is not None:
            if np.shape(node.out) != np.shape(r.value):
                if canonical in self.taken or not exact:
                    return False
                version = self._version(name, r)
                if version is not None and any(map(self._may_be_instead(node), self.results)):
                    self.take(i, name, version, is_input=False)
                    return True
            self.take(i, canonical, node, is_input=True)
            return True
        nodes = [n for n in point.nodes_of(name) if n in point.gradients]
        if not nodes or self._fits_an_argument_better(r, nodes):
            return False
        fitting = next((n for n in nodes if close(r.value, point.truth(n), self.tolerance, point.slack(n))), nodes[-1])
        self.take(i, name, fitting, is_input=False)
        return True

    def _may_be_instead(self, node: Node) -> Callable[[Result], bool]:
        """Return what tells whether a result has the shape of an input and no name that says otherwise."""
        return lambda r: not r.left and np.shape(r.value) == np.shape(node.out) and _is_nameless(r)

    def _version(self, name: str, r: Result) -> Node | None:
        """Return what else forward called by a name, in the shape of a result: ``self.x = x.reshape(-1, 1)``."""
        called = [nodes for known, nodes in self.point.traced.versions.items() if known.rpartition(".")[2] == name]
        fitting = (n for nodes in called for n in nodes if n in self.point.gradients and np.shape(n.out) == np.shape(r.value))
        return next(fitting, None)

    def _fits_an_argument_better(self, r: Result, nodes: Sequence[Node]) -> bool:
        """Whether a returned thing has the shape of an argument without a gradient yet, and of nothing that its name says."""
        shape, leaves = np.shape(r.value), self.point.leaves
        if r.left or any(np.shape(n.out) == shape for n in nodes):
            return False
        return any(np.shape(leaves[n].out) == shape for n in _arguments(self.point) if n not in self.taken)

    def _same_keys(self, i: int, r: Result) -> bool:
        """Pair ``grads['W1']`` with ``params['W1']``, and ``grads[0]`` with ``weights[0]`` where only one list is given."""
        point = self.point
        if not r.keys or not any(isinstance(k, str) for k in r.keys):
            return False
        keys = tuple(str(k) if isinstance(k, str) else k for k in r.keys)
        for k in range(len(keys)):
            tail = keys[k:]
            if not any(isinstance(x, str) for x in tail):
                break
            fitting = [
                n
                for n, path in point.keys.items()
                if n in point.leaves and tuple(str(p) if isinstance(p, str) else p for p in path)[-len(tail) :] == tail
            ]
            if len(fitting) == 1 and not wanted_in(point, keys[-1]):
                return self._by_name(i, fitting[0], r)
        return False

    def _sibling(self, i: int, r: Result) -> bool:
        """Pair what stands in an object with an input beside it: ``self.dW`` with ``self.W``, ``grads['W1']`` with ``params['W1']``."""
        point = self.point
        path = tuple(r.keys)
        leaves = {tuple(p): n for n, p in point.keys.items() if n in point.leaves}
        leaves |= {other: name for other, name in point.traced.program.paths.items() if name in point.leaves}
        if path in leaves:
            return False
        last = path[-1]
        for k in range(len(path) - 1, 0, -1):
            if not isinstance(path[k], str):
                continue
            for x in wanted_names(str(path[k])):
                for known, name in leaves.items():
                    if (
                        known[:k] == path[:k]
                        and len(known) == len(path)
                        and known[k + 1 :] == path[k + 1 :]
                        and (str(known[k]) == x or str(known[k]).lower() == x.lower())
                    ):
                        return self._by_name(i, name, r)
                intermediate = spelled((*path[:k], type(path[k])(x), *path[k + 1 :])).removeprefix("self.")
                if intermediate in point.versions:
                    return self._by_name(i, intermediate, r)
        if isinstance(last, str) and str(last) in _GENERIC:  # p.grad, beside p.value
            beside = [n for known, n in leaves.items() if known[:-1] == path[:-1] and np.shape(point.leaves[n].out) == np.shape(r.value)]
            if len(set(beside)) == 1:
                return self._by_name(i, beside[0], r)
        holder = next((str(k) for k in reversed(path[:-1]) if isinstance(k, str)), "")
        if _CONTAINER.fullmatch(holder):  # the same key in a container beside it
            at = max(j for j, k in enumerate(path[:-1]) if isinstance(k, str))
            beside = [
                n
                for known, n in leaves.items()
                if len(known) == len(path) and known[:at] == path[:at] and known[at + 1 :] == path[at + 1 :]
            ]
            if len(beside) == 1:
                return self._by_name(i, beside[0], r)
            fitting = [n for n in beside if np.shape(point.leaves[n].out) == np.shape(r.value)]
            if len(fitting) == 1:
                return self._by_name(i, fitting[0], r)
            if isinstance(last, str) and self.canonical(str(last)) in point.leaves and not wanted_in(point, str(last)):
                return self._by_name(i, str(last), r)
        return False


def wanted_in(point: Point, name: Any) -> bool:
    """Whether a name is, by convention, the gradient of something that forward has."""
    return isinstance(name, str) and any(x in point.known for x in wanted_names(name))


def _spellings(r: Result) -> list[tuple[str, str]]:
    """Return the names of a result and the indices behind each: its key in a dict, and its variable; ``nabla_w`` and ``[1]``."""
    found = []
    at = _after_last_name(r.keys)
    if at:
        found.append((str(r.keys[at - 1]), "".join(f"[{k!r}]" for k in r.keys[at:])))
    node, indices = r.node, list[Any]()
    while isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        indices.insert(0, node.slice.value)
        node = node.value
    if isinstance(node, (ast.Name, ast.Attribute)) and not any(isinstance(k, str) for k in indices):
        found.append((_name_in(node), "".join(f"[{k!r}]" for k in indices)))
    elif r.name and not at:
        found.append((r.name, ""))
    return list(dict.fromkeys(found))


def _after_last_name(keys: tuple[Any, ...]) -> int:
    return max((i + 1 for i, k in enumerate(keys) if isinstance(k, str)), default=0)


def assigned(
    results: Sequence[Result],
    point: Point,
    names: Mapping[str, str] | None,
    wrt: Sequence[str] | None,
    tolerance: float,
    meaning: Callable[[int], str | None] = lambda _: None,
) -> tuple[dict[int, Targets], list[int]]:
    """Pair results with inputs and variables of forward.

    Returns
    -------
    found : dict
        Index of a result -> what it must be the gradient of.
    unjudged : list of int
        Results that have a name which pairs with nothing.
    """
    work = Assigner(point, names, wrt, tolerance, meaning, results)
    open_ones: list[int] = []
    unjudged: list[int] = []
    alone = [r for r in results if not r.left][1:] == []
    for i, r in enumerate(results):
        passed_on = alone and not r.left and not r.keys and is_upstream(r.name) and not names
        if (not passed_on and work.named(i, r)) or (len(results) > 1 and not r.left and is_no_news(r, point)):
            continue
        if r.left:
            if r.whole and wanted_names(r.name) and re.match(r"(?i)(d|grad|nabla|delta)", bare(r.name)) and _looks_like_gradient(r.name):
                unjudged.append(i)
        elif _is_nameless(r):
            open_ones.append(i)
        else:
            unjudged.append(i)
    _by_value(work, results, open_ones)
    over = [*unjudged, *(i for i in open_ones if i not in work.found)]
    _by_likeness(work, results, over)
    _by_elimination(work, results, over)
    _in_turn(work, results)
    return work.found, [i for i in over if i not in work.found]


def _in_turn(work: Assigner, results: Sequence[Result]) -> None:
    """Pair what is called after an intermediate with the argument in whose place it is returned, where all are, one after another.

    ``return dW, dz, dx`` for ``forward(W, b, x)``: the gradient of ``z = W @ x + b`` is that of `b`, or should be.
    """
    point, arguments = work.point, _arguments(work.point)
    returned = {r.keys[0]: i for i, r in enumerate(results) if not r.left and len(r.keys) == 1 and isinstance(r.keys[0], int)}
    if work.wrt or work.names or sorted(returned) != list(range(len(arguments))):
        return
    places = [(returned[k], name) for k, name in enumerate(arguments)]
    if any(np.shape(results[i].value) != np.shape(point.leaves[name].out) for i, name in places):
        return
    if any(t.is_input and t.name != name for i, name in places if (t := work.found.get(i)) is not None):
        return
    for i, name in places:
        told = i in work.found and work.found[i].is_input
        if not told and (_is_truth(work, results[i], name) or not (is_data(name) or is_label(name))):
            work.take(i, name, point.leaves[name], is_input=True)


def _by_likeness(work: Assigner, results: Sequence[Result], over: Sequence[int]) -> None:
    """Pair a gradient that pairs with nothing with the one argument of its shape that ends as it does: ``dLogVar`` with ``t_log_var``."""
    free = [n for n in _arguments(work.point) if n not in work.taken]
    for i in over:
        r = results[i]
        ends = [x for name in wanted_names(r.name) if len(x := _letters(name)) >= SHORTEST]
        fitting = [n for n in free if _letters(n).endswith(tuple(ends)) and np.shape(work.point.leaves[n].out) == np.shape(r.value)]
        if not r.left and len(fitting) == 1:
            free.remove(fitting[0])
            work.take(i, fitting[0], work.point.leaves[fitting[0]], is_input=True)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _arguments(point: Point) -> list[str]:
    """Return the inputs that forward was handed, not those that stand in objects."""
    return [n for n, path in point.keys.items() if path and path[0] in point.inputs and n in point.leaves]


def _by_elimination(work: Assigner, results: Sequence[Result], over: Sequence[int]) -> None:
    """Pair the one gradient that is returned and pairs with nothing with the one argument of forward that gets none."""
    point = work.point
    returned = [
        i
        for i in over
        if i not in work.found
        and not results[i].left
        and not any(isinstance(k, str) for k in results[i].keys)
        and _is_of_gradients(results[i], point)
    ]
    free = [n for n in _arguments(point) if n not in work.taken and np.any(point.truth(point.leaves[n])) and not is_label(n)]
    if len(returned) == len(free) == 1 and not work.wrt:
        work.take(returned[0], free[0], point.leaves[free[0]], is_input=True)


def _is_of_gradients(r: Result, point: Point) -> bool:
    """Whether what is returned is called, or computed from, a gradient; or is called as a step towards one: ``dx_flat``."""
    if r.name:
        return is_gradients_name(r.name) or any(re.match(rf"{re.escape(k)}(_|\d)", x) for x in wanted_names(r.name) for k in point.leaves)
    return r.node is not None and any(isinstance(n, ast.Name) and is_gradients_name(n.id) for n in ast.walk(r.node))


def is_no_news(r: Result, point: Point) -> bool:
    """Whether a thing without a gradient's name is what forward had already: the loss, a state."""
    if _looks_like_gradient(r.name):
        return False
    scalar = point.traced.scalar
    if scalar is not None and np.size(r.value) == 1:
        return bool(np.allclose(np.ravel(r.value), np.ravel(np.asarray(scalar.node.out)), rtol=1e-12, atol=0))
    nodes = point.value_nodes(r.value) if np.size(r.value) > 1 and np.ptp(r.value) > 0 else []
    return bool(nodes) and not any(close(r.value, point.truth(n), 1e-9) for n in point.leaves.values())


def is_container_of_gradients(name: str) -> bool:
    """Whether a dict or list of this name may be expected to hold gradients."""
    return bool(_CONTAINER.fullmatch(name))


def _looks_like_gradient(name: str) -> bool:
    name = bare(name)
    return bool(re.match(r"d[A-Z_]|d[a-z]\d*$|d[a-z]{1,2}$|grad|nabla|delta", name) or re.search(r"(?i)_?grad(ient)?s?$", name))


def _is_nameless(r: Result) -> bool:
    """Whether the name of a result, if it has one, says nothing about what it is the gradient of."""
    if any(isinstance(k, str) for k in r.keys):
        return False
    if isinstance(r.node, ast.Subscript) and not isinstance(r.node.slice, ast.Constant):  # a part of something
        return True
    name = r.name or r.container
    return not name or name in _GENERIC or is_upstream(name) or not _looks_like_gradient(name)


def _by_value(work: Assigner, results: Sequence[Result], open_ones: list[int]) -> None:
    point = work.point
    inputs = [n for n in (work.wrt or point.leaves) if n in point.leaves and n not in work.taken]
    if not open_ones or not inputs:
        return
    if len(open_ones) < len(inputs) and not work.wrt:  # what a prediction is compared with is asked for last
        inputs.sort(key=is_label)
    if len(open_ones) == 1 and len(inputs) > 1 and _flat(work, results, open_ones[0], inputs):
        return
    left = list(open_ones)
    by_name = bool(work.found)
    labels = [n for n in inputs if is_label(n)]  # with a symmetric loss a wrong sign makes the prediction's gradient theirs
    for some in ([n for n in inputs if n not in labels], labels):  # by value
        for i in list(left):
            fitting = [n for n in some if n not in work.taken and _is_truth(work, results[i], n)]
            likelier = [
                n for n in inputs if n not in (*work.taken, *labels) and np.shape(point.leaves[n].out) == np.shape(results[i].value)
            ]
            if fitting and (some is not labels or not likelier):
                work.take(i, fitting[0], point.leaves[fitting[0]], is_input=True)
                left.remove(i)
    if by_name:  # the gradients have names: an updated weight is none
        left = [i for i in left if not _is_variant(results[i].name, point)]
    for same in (operator.eq, fits):  # by a shape that only one input has; or has but for axes of length one
        for i in list(left):
            shape = np.shape(results[i].value)
            fitting = [n for n in inputs if n not in work.taken and same(shape, np.shape(point.leaves[n].out))]
            rivals = [j for j in left if np.shape(results[j].value) == shape]
            if len(fitting) == 1 and len(rivals) == 1 and not _is_out_of_turn(work, results, i, fitting[0]):
                work.take(i, fitting[0], point.leaves[fitting[0]], is_input=True)
                left.remove(i)
    for i in list(left):  # in the order of the inputs of that shape; in the end whatever the shape
        free = [n for n in inputs if n not in work.taken]
        fitting = [n for n in free if np.shape(point.leaves[n].out) == np.shape(results[i].value)]
        if not fitting and len(open_ones) <= len(inputs) and not by_name and not any(isinstance(k, str) for k in results[i].keys):
            place = open_ones.index(i)
            fitting = [n for n in inputs[place : place + 1] if n in free] if len(open_ones) == len(inputs) or work.wrt else free[:1]
        fitting = [n for n in fitting if not _is_out_of_turn(work, results, i, n)]
        if fitting:
            work.take(i, fitting[0], point.leaves[fitting[0]], is_input=True)


def _is_out_of_turn(work: Assigner, results: Sequence[Result], i: int, name: str) -> bool:
    """Whether nothing but its shape says that a nameless result is the gradient of a sample or a label of a loss.

    Nobody asks for it as a rule, and where others, which are right, stand does not say so either.
    """
    if work.point.traced.scalar is None or work.wrt or not (is_data(name) or is_label(name)) or results[i].left:
        return False
    order = {n: at for at, n in enumerate(work.point.leaves)}
    right = [
        j for j, t in work.found.items() if not results[j].left and t.is_input and t.name in order and _is_truth(work, results[j], t.name)
    ]
    single = np.size(results[i].value) == 1 < np.size(work.point.leaves[name].out)  # a norm, an accuracy
    return bool(right) and (single or is_label(name) or any((j < i) != (order[work.found[j].name] < order[name]) for j in right))


def _is_variant(name: str, point: Point) -> bool:
    """Whether a name is that of something forward had, or of another state of it: ``w_new``."""
    return any(name == k or name.startswith(k + "_") or name.endswith("_" + k) for k in point.known if k)


def _is_truth(work: Assigner, r: Result, name: str) -> bool:
    node = work.point.leaves[name]
    truth = work.point.truth(node)
    value = np.reshape(r.value, truth.shape) if fits(np.shape(r.value), truth.shape) else r.value
    return bool(np.any(truth)) and close(value, truth, work.tolerance, work.point.slack(node))


def _flat(work: Assigner, results: Sequence[Result], i: int, inputs: Sequence[str]) -> bool:
    """Take one flat vector apart: the gradients of some inputs in their order, one after another."""
    vector = np.asarray(results[i].value)
    sizes = {n: int(np.size(work.point.leaves[n].out)) for n in inputs}
    if vector.ndim != 1 or any(np.shape(work.point.leaves[n].out) == vector.shape for n in inputs):
        return False
    best: tuple[int, tuple[str, ...]] | None = None
    for count in range(len(inputs), 1, -1):
        for chosen in itertools.islice(itertools.combinations(inputs, count), 300):
            if sum(sizes[n] for n in chosen) == vector.size:
                wrong = sum(
                    not close(piece, work.point.truth(work.point.leaves[n]), work.tolerance)
                    for n, piece in pieces(vector, chosen, work.point)
                )
                if best is None or wrong < best[0]:
                    best = (wrong, chosen)
    if best is None:
        return False
    work.found[i] = Targets("\0".join(best[1]), work.point.leaves[best[1][0]], True)
    return True


def pieces(vector: Any, names: Sequence[str], point: Point) -> Iterator[tuple[str, Any]]:
    """Yield the pieces of a flat gradient in the shapes of their inputs; of a vector of another length, what there is of each."""
    start = 0
    for i, n in enumerate(names):
        shape = np.shape(point.leaves[n].out)
        size = int(np.prod(shape, dtype=int))
        piece = vector[start : start + size if i < len(names) - 1 else None]
        yield n, np.reshape(piece, shape) if np.size(piece) == size else piece
        start += size


def _return_for(result: Any, function: Function | None) -> ast.Return | None:
    """Return the return statement that a result most likely came from."""
    returns = function.returns if function is not None else []
    if isinstance(result, (tuple, list)):
        fitting = [r for r in returns if isinstance(r.value, (ast.Tuple, ast.List)) and len(r.value.elts) == len(result)]
        return (fitting or returns or [None])[-1]  # type: ignore[list-item]
    return returns[-1] if returns else None


def _places(value: Any, node: ast.expr | None, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], ast.expr | None, Any]]:
    """Yield (keys, expression, array) for every array in what backward returned, with the expression that gave it."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.ndim == 1:
        value = list(value)
    if isinstance(value, (np.ndarray, np.generic, float)):
        if np.asarray(value).dtype.kind in "f":
            yield keys, node, value
        elif np.asarray(value).dtype.kind in "iub" and np.size(value) and not keys:
            yield keys, node, np.asarray(value, float)
    elif isinstance(value, dict):
        inner: dict[Any, ast.expr] = {}
        if isinstance(node, ast.Dict):
            inner = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
        elif isinstance(node, ast.Call):
            inner = {k.arg: k.value for k in node.keywords if k.arg}
        for k, v in value.items():
            yield from _places(v, inner.get(k, _item(node, k)), (*keys, k))
    elif isinstance(value, (list, tuple)):
        given = node.elts if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == len(value) else None
        for i, v in enumerate(value):
            yield from _places(v, given[i] if given else _item(node, i), (*keys, i))


def _item(node: ast.expr | None, key: Any) -> ast.expr | None:
    """Return the expression ``node[key]``, where `node` is a variable."""
    if not isinstance(node, (ast.Name, ast.Subscript, ast.Attribute)) or not isinstance(key, (str, int)):
        return None
    return ast.copy_location(ast.Subscript(value=node, slice=ast.Constant(value=key), ctx=ast.Load()), node)


def _name_in(node: ast.expr | None) -> str:
    """Return what an expression calls its value: ``dW``, also for ``grads["dW"]``, ``self.dW`` and ``dW.copy()``."""
    match node:
        case ast.Name():
            return node.id
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript():
            return _name_in(node.value) if isinstance(node.slice, ast.Constant) else ""
        case ast.Attribute():
            return node.attr
        case ast.Call(func=ast.Attribute(value=ast.Name() as inner, attr="reshape" | "copy" | "astype")) if inner.id not in (
            "np",
            "numpy",
        ):
            return inner.id
    return ""


__all__ += ["pair", "pieces"]
