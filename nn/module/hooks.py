"""Hooks: functions of the user's that are called around `forward`, and with the gradients that come back through it.

Gradients are seen by operations that do nothing: one of the output, and one of the inputs, whose rules call the hook.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_np as ag

__all__ = ["Hooks", "RemovableHandle", "called"]

_numbers = itertools.count()


class Hooks:
    """The hooks of a Module, never changed: another takes its place, so that copies of the Module are left alone."""

    __slots__ = ("after", "before", "gradients")

    def __init__(self, **kinds: dict[int, Callable[..., Any]]) -> None:
        self.before = kinds.get("before", {})
        self.after = kinds.get("after", {})
        self.gradients = kinds.get("gradients", {})

    def changed(self, kind: str, hooks: dict[int, Callable[..., Any]]) -> Hooks | None:
        """Return these with other hooks of one kind; None if there are none left."""
        kinds = {name: getattr(self, name) for name in self.__slots__} | {kind: hooks}
        return Hooks(**kinds) if any(kinds.values()) else None


class RemovableHandle:
    """What registering a hook returns: `remove` takes it away again, as does the end of a ``with`` block.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(2, 1, rng=0)
    >>> with layer.register_forward_hook(lambda module, args, output: print(output.shape)):
    ...     _ = layer([[1.0, 2.0]])
    (1, 1)
    >>> _ = layer([[1.0, 2.0]])
    """

    def __init__(self, module: Any, kind: str, hook: Callable[..., Any]) -> None:
        if not callable(hook):
            raise TypeError(f"a hook is a function, got {type(hook).__name__}")
        self._module, self._kind, self._number = weakref.ref(module), kind, next(_numbers)
        hooks = module._hooks or Hooks()
        module._hooks = hooks.changed(kind, {**getattr(hooks, kind), self._number: hook})

    def remove(self) -> None:
        """Take the hook away; nothing happens the second time."""
        module = self._module()
        if module is not None and module._hooks is not None:
            kept = {number: hook for number, hook in getattr(module._hooks, self._kind).items() if number != self._number}
            module._hooks = module._hooks.changed(self._kind, kept)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def called(module: Any, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a Module with hooks returns."""
    for before in hooks.before.values():
        new = before(module, args)
        if new is not None:
            args = new if isinstance(new, tuple) else (new,)
    backward = _Backward(module, list(hooks.gradients.values())) if hooks.gradients else None
    if backward is not None:
        args = backward.inputs(args)
    output = module.forward(*args, **kwargs)
    for after in hooks.after.values():
        new = after(module, args, output)
        output = output if new is None else new
    return output if backward is None else backward.output(output)


class _Backward:
    """What one call needs to hand the gradients of its output and inputs to hooks."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]]) -> None:
        self.module, self.hooks = module, hooks
        self.of_output: tuple[Any, ...] = ()
        self.watched: list[int] = []
        self.count = 0

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.count = len(args)
        self.watched = [i for i, a in enumerate(args) if _is_variable(a)]
        new = _tapped([args[i] for i in self.watched], self._told)
        return tuple(new[self.watched.index(i)] if i in self.watched else a for i, a in enumerate(args))

    def output(self, output: Any) -> Any:
        parts = list(output) if isinstance(output, (tuple, list)) else [output]
        watched = [i for i, part in enumerate(parts) if _is_variable(part)]
        if any(not hasattr(part, "shape") for part in parts):
            name = type(self.module).__name__
            raise TypeError(f"a backward hook needs a {name} that returns an array or a tuple of arrays, got {type(output).__name__}")

        def tell(gradients: tuple[Any, ...]) -> None:
            found = dict(zip(watched, gradients, strict=True))
            self.of_output = tuple(found.get(i) for i in range(len(parts)))
            if not self.watched:
                self._told(())

        for i, part in zip(watched, _tapped([parts[i] for i in watched], tell), strict=True):
            parts[i] = part
        if not isinstance(output, (tuple, list)):
            return parts[0]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)

    def _told(self, gradients: tuple[Any, ...]) -> tuple[Any, ...] | None:
        found = dict(zip(self.watched, gradients, strict=True))
        of_inputs: tuple[Any, ...] = tuple(found.get(i) for i in range(self.count))
        for hook in self.hooks:
            new = hook(self.module, of_inputs, self.of_output)
            if new is not None:
                of_inputs = new if isinstance(new, tuple) else (new,)
                if len(of_inputs) != self.count:
                    raise ag.CustomRuleError(f"a backward hook returned {len(of_inputs)} gradients for {self.count} inputs")
        return tuple(of_inputs[i] for i in self.watched)


def _is_variable(x: Any) -> bool:
    return isinstance(x, ag.Tensor) and x.requires_grad


def _tapped(tensors: Sequence[Any], tell: Callable[[tuple[Any, ...]], tuple[Any, ...] | None]) -> list[Any]:
    """Return Tensors as they are, and have `tell` called with their gradients, which it may exchange."""
    if not tensors:
        return []
    shapes, dtypes = [t.shape for t in tensors], [t.dtype for t in tensors]
    ends = np.cumsum([t.size for t in tensors])

    def parts(whole: Any) -> list[Any]:
        if len(shapes) == 1:
            return [whole]
        flat = [whole[end - int(np.prod(shape)) : end] for end, shape in zip(ends, shapes, strict=True)]
        return [np.reshape(x, shape).astype(dtype) for x, shape, dtype in zip(flat, shapes, dtypes, strict=True)]

    def rule(g: Any, _y: Any, x: Any) -> Any:
        new = tell(tuple(parts(g)))
        if new is None:
            return g
        return new[0] if len(new) == 1 else np.concatenate([np.ravel(part) for part in new]).astype(x.dtype)

    tap = ag.define(lambda x: np.positive(x), vjp=rule, jvp=lambda tangents, _y, _x: tangents[0], name="backward_hook")
    whole = tensors[0] if len(tensors) == 1 else np.concatenate([np.ravel(t) for t in tensors])
    return parts(tap(whole))
