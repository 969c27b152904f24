"""Many changed forms of a function, compiled together, are what each would be alone."""

from __future__ import annotations

import ast
import types

import pytest

from autograd_np.check.watch.forms import forms_of
from autograd_np.check.watch.source import Function

SCALE = 10


def plain(x, y):
    z = x + y
    for _ in range(2):
        z = z * 2
    return z + SCALE


def nested(x, y):
    def inner(a):
        b = a * x
        return b

    return inner(y)


def parsed(*texts):
    return [ast.parse(text).body for text in texts]


def place_of(function, text):
    return next(p for p in function.places if p.text == text)


def run(f, code, *args):
    return types.FunctionType(code, globals(), f.__name__, None, f.__closure__)(*args)


@pytest.mark.parametrize(
    ("text", "bodies", "results"),
    [
        ("z = x + y", ["z = x - y", "z = y", "z = x * y; z = -z", "pass"], [14, 18, -14, UnboundLocalError]),
        ("z = z * 2", ["z += 1", "z *= 3", "z = z"], [17, 55, 15]),
        ("return z + SCALE", ["return z", "z", "raise KeyError"], [20, None, KeyError]),
    ],
)
def test_each_form_is_the_function_with_its_change(text, bodies, results):
    function = Function(plain.__code__)
    codes = forms_of(function, place_of(function, text), parsed(*bodies), {})
    for code, want in zip(codes, results, strict=True):
        if isinstance(want, type):
            with pytest.raises(want):
                run(plain, code, 3, 2)
        else:
            assert run(plain, code, 3, 2) == want
    assert len({c.co_code for c in codes}) == 1  # compiled once


def test_a_change_that_binds_another_name_changes_nobody_elses_names():
    function = Function(plain.__code__)
    codes = forms_of(function, place_of(function, "z = x + y"), parsed("z = x - y", "SCALE = 1; z = x", "z = y"), {})
    assert [run(plain, code, 3, 2) for code in codes] == [14, 13, 18]


def test_what_is_no_python_harms_no_other_form():
    function = Function(plain.__code__)
    broken = [ast.Expr(value=ast.Name(id="None", ctx=ast.Load()))]
    first, second, third = forms_of(function, place_of(function, "z = x + y"), [*parsed("z = x - y"), broken, *parsed("z = y")], {})
    assert second is None
    assert [run(plain, code, 3, 2) for code in (first, third)] == [14, 18]


def test_other_changes_hold_in_every_form():
    function = Function(plain.__code__)
    others = {place_of(function, "return z + SCALE"): parsed("return z")[0]}
    codes = forms_of(function, place_of(function, "z = x + y"), parsed("z = x", "z = y"), others)
    assert [run(plain, code, 3, 2) for code in codes] == [12, 8]


def test_a_function_that_is_made_at_each_call_changes_in_the_one_that_makes_it():
    inner = Function(next(c for c in nested.__code__.co_consts if isinstance(c, types.CodeType)))
    codes = forms_of(Function(nested.__code__), place_of(inner, "b = a * x"), parsed("b = a", "b = x"), {})
    assert [run(nested, code, 3, 2) for code in codes] == [2, 3]
