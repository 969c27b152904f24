"""`ag.compile`: the function that is called, its signatures, and the check of the first call."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import name_of, warn_caller
from autograd_np.compiling.buffers import laid_out
from autograd_np.compiling.captured import Captured, found_in, narrowed
from autograd_np.compiling.checking import compare
from autograd_np.compiling.code import Code, written
from autograd_np.compiling.executed import Executed
from autograd_np.compiling.factors import factored
from autograd_np.compiling.given import unchanging
from autograd_np.compiling.infinities import may_meet, may_raise, shifts
from autograd_np.compiling.lowering import lowered
from autograd_np.compiling.raising import raises
from autograd_np.compiling.rounding import rounded_otherwise
from autograd_np.compiling.schedule import Schedule, scheduled
from autograd_np.compiling.signature import Arguments, guard_of
from autograd_np.compiling.simplifying import simplified
from autograd_np.compiling.tiles import tiled
from autograd_np.compiling.tracing import Traced, traced
from autograd_np.compiling.ways import BACKENDS, Ways
from autograd_np.heap import give_back
from autograd_np.node import EAGER, OPEN
from autograd_np.standins import TRACING, is_for_another
from autograd_np.tensor import Tensor, value_of
from autograd_np.text import shown
from autograd_np.trees import flatten

__all__ = ["Compiled", "compile"]

LARGE = 4 << 20
"""Bytes: where so much was computed while a function was traced, the memory of that is given back to the system."""


class Compiled:
    """A function that is traced once for each signature, and then runs as straight NumPy. `ag.compile` makes it.

    Attributes
    ----------
    source : str
        The code of the signature that was called last.
    memory : int
        The bytes that a call of that signature takes for its buffers and results.
    signatures : int
        How many signatures there are.
    backend : str
        What computes that signature now: ``"numpy"`` or ``"numba"``.
    notes : list of str
        What of it is not done by the loops that Numba compiles, and why.
    """

    def __init__(
        self, f: Callable[..., Any], *, check: bool, max_signatures: int, reuse_outputs: bool, backend: str, in_place: bool, threads: int
    ) -> None:
        functools.update_wrapper(self, f, updated=())
        self._f = f
        self._options: dict[str, Any] = {
            "check": check,
            "max_signatures": max_signatures,
            "reuse_outputs": reuse_outputs,
            "backend": backend,
            "in_place": in_place,
            "threads": threads,
        }
        self._name = name_of(f)
        self._check = check
        self._most = max_signatures
        self._reuses = reuse_outputs
        self._backend = backend
        self._in_place = in_place
        self._threads = threads
        self._lock = threading.RLock()
        self._entries: list[_Entry] = []
        self._last: _Entry | None = None
        self._made = 0
        self._warned = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        entry = self._last
        if entry is not None:
            data = entry.guard(args, kwargs)
            if data is not None:
                return entry.run(data, args, kwargs)
        return self._found(args, kwargs)

    def _found(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call by another signature than the last, or by one that is new."""
        arguments = Arguments(args, kwargs)
        if arguments.differentiated or OPEN:  # somebody differentiates or traces this call
            result = self._f(*args, **kwargs)
            return _without_constants(result) if is_for_another() else result
        found = self._matching(args, kwargs)
        if found is not None:
            return found[0].run(found[1], args, kwargs)
        with self._lock:
            with TRACING:
                found = self._matching(args, kwargs)  # somebody else may have been first, or traced what is read here
                if found is None:
                    arguments.demand()
                    entry = _Entry(self, arguments)
                    data = entry.guard(args, kwargs)
            if found is not None:
                return found[0].run(found[1], args, kwargs)
            if data is None:
                raise errors.CompileError(f"{self._name} changes what it reads besides its arguments while it is traced: return it instead")
            result = entry.checked(data, args, kwargs) if self._check else entry.run(data, args, kwargs)
            if entry.recorded > LARGE:
                give_back()  # what later calls never need
            self._entries = [entry, *self._entries][: self._most]
            self._last = entry
            self._made += 1
            if self._made > 2 * self._most and not self._warned:
                self._warned = True
                warn_caller(
                    f"{self._name} was compiled {self._made} times, for as many signatures, and keeps {self._most}: hand in arrays of few "
                    f"shapes, hand numbers in as floats or arrays instead of ints, or raise max_signatures",
                    errors.CompileWarning,
                )
            return result

    def _matching(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[_Entry, tuple[Any, ...]] | None:
        """Return what serves a call, and its data, if there is something."""
        for entry in self._entries:
            data = entry.guard(args, kwargs)
            if data is not None:
                self._last = entry
                return entry, data
        return None

    def _of_last(self) -> _Entry:
        if self._last is None:
            raise errors.CompileError(f"{self._name} has not been called yet: the code is written at the first call")
        return self._last

    @property
    def source(self) -> str:
        """The code of the signature that was called last."""
        entry = self._of_last()
        return entry.ways.text if entry.ways.backend == "numba" else entry.code.source

    @property
    def backend(self) -> str:
        """What computes the last signature now."""
        return self._of_last().ways.backend

    @property
    def notes(self) -> list[str]:
        """What of the last signature is not done by loops, and why."""
        return list(self._of_last().ways.notes)

    def wait(self) -> bool:
        """Compile the last signature now, if ``backend="auto"`` may, and wait for it; return whether it is decided what computes it.

        The calls that follow are measured, until it is.
        """
        self._of_last().ways.wait()
        return self._of_last().ways.settled()

    @property
    def schedule(self) -> Schedule:
        """What the code was written from."""
        return self._of_last().schedule

    @property
    def memory(self) -> int:
        """The bytes that a call of the last signature takes: buffers and results."""
        entry = self._of_last()
        kept = sum(entry.schedule.program.inputs[i].nbytes for i in entry.traced.written) if entry.keeps else 0
        return entry.schedule.memory + kept

    @property
    def signatures(self) -> int:
        """How many signatures are kept."""
        return len(self._entries)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to an object, as functions do that are methods."""
        if instance is None:
            return self
        bound = self._f.__get__(instance, owner)
        known = self.__dict__.setdefault("_bound", {})
        if id(instance) not in known or known[id(instance)]._f.__self__ is not instance:
            known[id(instance)] = Compiled(bound, **self._options)
        return known[id(instance)]

    def __reduce__(self) -> Any:
        """Copy, or pickle: what was compiled belongs to the objects that were read, so a copy compiles anew; a function is its name."""
        called = getattr(self._f, "__qualname__", "<")
        module = sys.modules.get(getattr(self._f, "__module__", None) or "")
        if "." not in called and getattr(module, called, None) is self:
            return called
        return _again, (self._f, self._options)

    def __repr__(self) -> str:
        return f"<compiled {self._name}, {self.signatures} signatures>"


def _again(f: Callable[..., Any], options: dict[str, Any]) -> Compiled:
    return Compiled(f, **options)


class _Entry:
    """The code for one signature."""

    def __init__(self, owner: Compiled, arguments: Arguments) -> None:
        f = owner._f
        self.f = f
        self.name = owner._name
        self.captured: Captured = found_in(f, *arguments.objects)
        kept = unchanging(f, owner._name)
        executed = Executed()
        call = functools.partial(executed.call, arguments.call, kept)
        trace = functools.partial(traced, call, arguments.data, name=self.name, in_place=owner._in_place)
        found = trace(captured=self.captured)
        if self.captured.unloaded & sys.modules.keys():  # it imports what it reads
            self.captured = found_in(f, *arguments.objects)
            found = trace(captured=self.captured)
        program = simplified(factored(lowered(found.program)))
        self.traced: Traced = found._replace(program=program)  # without the constants that it has no use for
        self.schedule = laid_out(tiled(scheduled(program, found.groups, reuses=owner._reuses, written=found.written)))
        self.schedule.threads = owner._threads
        self._reuses = owner._reuses
        self.code: Code = written(self.schedule, getattr(f, "__name__", "step"))
        self.recorded = sum(v.nbytes for v in found.program.values() if not v.is_several)
        self.may_meet = may_meet(program)
        again = (self.may_meet and found.differentiated) or may_raise(program)
        self.keeps = again and bool(found.written)  # what a call may have to begin again with
        self.shifts = shifts(program)
        ran = executed.code
        read = self.captured if ran is None else narrowed(self.captured, ran, f, *arguments.objects)
        self.guard = guard_of(arguments, read)
        self._threads = threading.local()
        self._form = self._reading()
        self._given_back = _Reused(found.written, self.name) if owner._reuses else None
        self._apart = _Apart(found.written, arguments.data, self.name) if found.written else None
        called = getattr(f, "__name__", "step")
        loops_of = lambda: scheduled(program, self.traced.groups, written=self.traced.written)  # noqa: E731 (one line, one use)
        self.ways = Ways(owner._backend, self.numpys, loops_of, called, self._compared, self._copied)

    def run(self, data: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute, and put the result together."""
        if self._apart is not None:
            self._apart.demand(data)
        given = data
        if self._given_back is not None and hasattr(self._threads, "step"):
            data = self._given_back.copied(data, self._threads.step)
        try:
            found = self.ways.run(data)
        except Exception as error:
            if self._apart is not None or isinstance(error, MemoryError):  # some of it may be written
                raise
            found = None  # the function raises it itself, or goes on in its own way
        if found is not None:
            return self._form(found)
        for x, kept in zip(given, data, strict=True):
            if x is not kept:
                np.copyto(x, kept)  # a result of the call before, which was overwritten
        return _plain(self.f(*args, **kwargs))

    def numpys(self, data: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Compute by NumPy; ``None`` where the engine has to say what a NaN means."""
        try:
            step = self._threads.step
        except AttributeError:
            step = self._threads.step = self.code.make()
        if self._apart is not None:
            return self._in_place(step, data)
        try:
            if not raises() or (self.shifts and np.geterr()["invalid"] == "ignore"):  # then nothing tells of inf - inf
                found: tuple[Any, ...] | None = self._in_spite(step, data)
            else:
                found = step(*data)
        except RuntimeWarning:
            found = self._in_spite(step, data)
        return None if found is None or self._is_open(found) else found

    def _in_place(self, step: Callable[..., Any], data: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Compute what writes into its arguments, as NumPy does it; ``None``, and everything as it was, where the engine has to say."""
        if not self.keeps:
            written: tuple[Any, ...] = step(*data)
            return written
        before = [(data[i], data[i].copy()) for i in self.traced.written]
        try:
            with np.errstate(invalid="ignore"):
                found: tuple[Any, ...] = step(*data)
            if not _has_nan(found):
                return found
        except Exception:  # noqa: BLE001, S110 (the function raises it itself, on what was there)
            pass
        for x, was in before:
            np.copyto(x, was)
        return None

    @staticmethod
    def _in_spite(step: Callable[..., Any], data: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Compute what NumPy warned of: an overflow or a division by zero that is meant; ``None`` where a NaN came of it."""
        raised = {kind for kind, how in np.geterr().items() if how not in ("warn", "ignore")}  # as the caller asked for
        if raised:
            quiet: dict[str, Any] = dict.fromkeys({"divide", "over", "under", "invalid"} - raised, "ignore")
            with np.errstate(**quiet):
                found = step(*data)
            return None if _has_nan(found) else found
        invalid: list[str] = []
        with np.errstate(all="ignore", invalid="call", call=lambda kind, _flag: invalid.append(kind)):
            found = step(*data)
        return None if invalid and _has_nan(found) else found

    def _compared(self, found: tuple[Any, ...], expected: tuple[Any, ...], data: tuple[Any, ...]) -> None:
        compare(f"{self.name}, by the loops that Numba compiled,", found, expected, data, self.traced.rounding)

    def checked(self, data: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute, and hold the result against what the function itself gives."""
        if self._apart is not None:
            self._apart.demand(data)
        step = self._threads.step = self.code.make()
        before, fresh = self._copied(data), self._copied(data)
        found = None
        try:
            if self._apart is None:
                found = self.numpys(before)
            else:
                with np.errstate(all="ignore"):
                    found = step(*before)
        except Exception:  # noqa: BLE001, S110 (the function raises it itself, or goes on in its own way)
            pass
        with np.errstate(all="ignore"):
            engines = self.f(*args, **kwargs)
        if found is None or self._is_open(found):  # as in later calls, the engine says what a NaN means
            self.traced.values.clear()
            return _plain(engines)
        compare(self.name, found, self.traced.values, data, self.traced.rounding)
        self.traced.values.clear()  # their memory is not needed any more
        result = self._form(found, assign=False)
        got = [*flatten(result)[0], *(before[i] for i in self.traced.written)]
        wanted = [*flatten(engines)[0], *(data[i] for i in self.traced.written)]
        compare(self.name, got, wanted, data, self.traced.rounding, otherwise=self._otherwise(fresh, args, kwargs))
        self._form = _in_types(self._form, self._types(found, wanted))
        for i in self.traced.written:
            np.copyto(data[i], before[i])  # to the last bit what later calls give
        return self._form(found)  # assigns what later calls do: the function itself may leave Tensors

    def _copied(self, data: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return data of which copies are written into, instead of what was given."""
        written = self.traced.written
        return tuple(x.copy() if i in written else x for i, x in enumerate(data)) if written else data

    def _types(self, found: tuple[Any, ...], wanted: list[Any]) -> dict[int, Callable[[Any], Any]]:
        """Return what makes arrays of no axis of outputs, or numbers of NumPy's, where the function itself gives the other."""
        pairs = [(r, value_of(x)) for r, x in zip(self.traced.results, wanted, strict=False) if type(r) is int]
        numbers = {r: _number for r, x in pairs if isinstance(x, np.generic) and type(found[r]) is np.ndarray}
        return numbers | {r: np.array for r, x in pairs if type(x) is np.ndarray and type(found[r]) is not np.ndarray}

    def _is_open(self, found: tuple[Any, ...]) -> bool:
        """Whether a NaN came out that may be none: 0 * inf, of which the engine knows which zeros win."""
        return self.may_meet and _has_nan(found)

    def _otherwise(self, data: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], list[list[Any]] | None]:
        """Return what computes the function with other roundings."""
        arguments = Arguments(args, kwargs)
        call = functools.partial(arguments.call, self.f)
        return lambda: rounded_otherwise(
            call, list(data), len(arguments.data), self.captured, self.name, in_place=bool(self.traced.written)
        )

    def _reading(self) -> Callable[..., Any]:
        """Return what puts outputs together to a result."""
        results, unflatten, assigned = self.traced.results, self.traced.unflatten, self.traced.assigned
        if not assigned and len(results) == 1 and results[0] == 0 and unflatten([0]) == 0:
            return _first
        kept = np.array if self._reuses else lambda x: x  # the next call writes where this one's results are
        plain = not assigned and results == list(range(len(self.traced.program.outputs)))

        def form(found: tuple[Any, ...], assign: bool = True) -> Any:
            if plain:
                return unflatten(found)
            for slot, places, back in assigned if assign else ():
                slot.put(back([kept(found[i]) for i in places]))
            return unflatten([found[r] if type(r) is int else _own(r[0]) for r in results])

        return form


def _number(x: Any) -> Any:
    return x[()]


def _in_types(form: Callable[..., Any], types: dict[int, Callable[[Any], Any]]) -> Callable[..., Any]:
    """Return what puts outputs together, some of which are made something else first."""
    if not types:
        return form
    return lambda found, assign=True: form(tuple(types[i](x) if i in types else x for i, x in enumerate(found)), assign=assign)


class _Reused:
    """Copies arguments that lie in the memory of results, as the results of the call before do, which this one overwrites."""

    def __init__(self, written: Collection[int], name: str) -> None:
        self.written = written
        self.name = name
        self.memory = threading.local()

    def copied(self, data: tuple[Any, ...], step: Callable[..., Any]) -> tuple[Any, ...]:
        """Return the data of a call, none of which lies in memory that the code computes into."""
        for x in data:
            if x.__class__ is np.ndarray and x.base is not None:  # rarely: results are views of that memory
                return tuple(self._copied(i, x, step) for i, x in enumerate(data))
        return data

    def _copied(self, i: int, x: Any, step: Callable[..., Any]) -> Any:
        if not isinstance(x, np.ndarray) or x.base is None:
            return x
        if not hasattr(self.memory, "owners"):
            held = [c.cell_contents for c in step.__closure__ or () if isinstance(c.cell_contents, np.ndarray)]
            self.memory.owners = {_owner(x) for x in held}
        if (owner := _owner(x)) and owner not in self.memory.owners:
            return x
        if i in self.written:
            raise errors.CompileError(
                f"{self.name} writes into an array of shape {x.shape} that is a result of the call before, which reuse_outputs=True "
                f"overwrites: copy it first"
            )
        return x.copy()


class _Apart:
    """Demands that arrays that are written into share no memory with others: what one becomes would change what is read of another."""

    def __init__(self, written: Collection[int], data: Sequence[Any], name: str) -> None:
        self.written = list(written)
        self.others = [i for i, x in enumerate(data) if isinstance(x, np.ndarray) and i not in written]
        self.name = name

    def demand(self, data: tuple[Any, ...]) -> None:
        """Look at the arrays of a call."""
        mine = {_owner(data[i]) for i in self.written}
        others = {_owner(data[i]) for i in self.others}
        if len(mine) == len(self.written) and 0 not in mine and 0 not in others and mine.isdisjoint(others):
            return  # each has memory of its own
        for n, i in enumerate(self.written):
            for j in (*self.written[:n], *self.others):
                if np.may_share_memory(data[i], data[j]):
                    raise errors.CompileError(
                        f"{self.name} writes into an array of shape {data[i].shape} that shares memory with another one that it was given: "
                        f"copy one of them first"
                    )


def _owner(x: Any) -> int:
    """Return the ``id`` of the array whose memory an array shows; 0 if that is none of NumPy's."""
    while type(x.base) is np.ndarray:
        x = x.base
    return id(x) if x.base is None else 0


def _first(found: tuple[Any, ...], assign: bool = True) -> Any:  # noqa: ARG001 (as the other forms have it)
    return found[0]


def _has_nan(found: tuple[Any, ...]) -> bool:
    """Whether a NaN is among results."""
    with np.errstate(all="ignore"):
        for x in found:
            if np.asarray(x).dtype.kind in "fc":
                square = np.vdot(x, x)  # NaN if an element is: one pass, no array of bools
                if square != square:
                    return True
    return False


def _plain(tree: Any) -> Any:
    """Return a result with arrays in the place of Tensors."""
    leaves, unflatten = flatten(tree)
    return unflatten([value_of(x) for x in leaves])


def _without_constants(tree: Any) -> Any:
    """Return a result with arrays in the place of Tensors that no transform records."""
    leaves, unflatten = flatten(tree)
    return unflatten([value_of(x) if isinstance(x, Tensor) and (x._node is None or x._node.level is EAGER) else x for x in leaves])


def _own(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def compile(  # noqa: A001 (as PyTorch calls it)
    f: Callable[..., Any] | None = None,
    *,
    check: bool = True,
    max_signatures: int = 8,
    reuse_outputs: bool = False,
    backend: str = "auto",
    in_place: bool = False,
    threads: int = 1,
) -> Any:
    """Return `f` as a function that is traced once for each signature and then runs as straight NumPy.

    Parameters
    ----------
    f : callable
        Written in NumPy, with whatever transforms: a loss, ``ag.value_and_grad(loss)``, a whole training step. Arrays are data, among the
        arguments and among what `f` reads besides, and so are Python's floats among the arguments; shapes, dtypes, ints, bools, strings
        and other objects are part of the signature.
    check : bool
        Whether the first call of a signature runs `f`, too, and compares.
    max_signatures : int
        How many are kept; a call by another one is traced.
    reuse_outputs : bool
        Whether results lie in memory that the next call in the same thread overwrites. By default they are arrays of their own.
    backend : str
        ``"numpy"``; ``"numba"``, which compiles loops at the first call and leaves to NumPy what they do not do (`Compiled.notes`); or
        ``"auto"``: NumPy, and where Numba is installed and the function takes time, whichever is faster, measured on calls that are made
        anyway.
    in_place : bool
        Whether `f` may write into arrays that it is given, as ``p -= step`` and ``np.copyto(p, new)`` do: then the compiled function does,
        too. A call that raises may have written some of it. Where `f` differentiates, and a zero may meet an infinity, what is written
        into is copied first, so that the engine can begin with it.
    threads : int
        How many carry out the tiles of large arrays, where NumPy computes. Results are the same bit for bit, however many there are.

    Returns
    -------
    Compiled
        Called like `f`; it returns plain arrays. Given Tensors, as inside of a transform, it is `f`.

    Raises
    ------
    LeavesNumPyError
        At the first call, if `f` branches on a value or makes a plain number of it.
    CompileError
        At the first call, if `f` draws random numbers, reads arrays from a place that is not followed, or
        keeps count of its calls; and if the compiled function gives something else than `f`.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> @ag.compile
    ... def step(w, x, y, rate):
    ...     loss, g = ag.value_and_grad(lambda w: np.mean((x @ w - y) ** 2))(w)
    ...     return loss, w - rate * g
    >>> x, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, 2.0])
    >>> loss, w = step(np.zeros(2), x, y, 0.1)
    >>> w
    array([0.1, 0.4])
    """
    if f is None:
        return functools.partial(
            compile,
            check=check,
            max_signatures=max_signatures,
            reuse_outputs=reuse_outputs,
            backend=backend,
            in_place=in_place,
            threads=threads,
        )
    if backend not in BACKENDS:
        raise errors.CompileError(f"backend must be one of {', '.join(map(repr, BACKENDS))}, got {shown(repr(backend))}")
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise errors.CompileError(f"threads must be an integer, at least 1, got {shown(repr(threads))}")
    if isinstance(f, Compiled):
        f = f._f
    return Compiled(
        f, check=check, max_signatures=max_signatures, reuse_outputs=reuse_outputs, backend=backend, in_place=in_place, threads=threads
    )
