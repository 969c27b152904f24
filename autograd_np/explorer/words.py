"""What the explorer says about an operation: its notation, its derivative, and both in plain language.

A row has the notation, what the operation does, the derivative by each operand, and why it is that. For operations of
each element alone the derivative is the local one, ``∂y/∂x``; for the others it is the whole cotangent, written with
``{g}``. In every text ``{y}`` is the result, ``{0}``, ``{1}``, ... the operands, ``{x}`` the product sign. An operation
without a row is shown by its name, and what flows through it by its numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd_np.node import Node

__all__ = ["Words", "words_for"]


class Words(NamedTuple):
    """A row: see the module's docstring."""

    notation: str
    does: str
    derivatives: tuple[str, ...] = ()
    why: str = ""


_PASSES = "Nothing is computed here, values only move, so the gradient moves back to the places they came from."
_FACTOR = "How far the result moves depends on the other factor, so each input receives the incoming gradient times the other input."
_MATRIX = (
    "Every element of the result is a sum of products. An element of {0} meets a row of {1} wherever it is used, and the "
    "gradients of all these uses add up: that sum is again a matrix product, with the other factor transposed."
)
_WINNER = "Only the larger element decides the result, so it alone receives the gradient; a tie shares it."

# fmt: off
_ROWS = {
    "add":         Words("{0} + {1}",        "Add {0} and {1}.", ("1", "1"), "Move either input a little and the sum moves by the same amount: the gradient passes through unchanged to both."),
    "subtract":    Words("{0} − {1}",        "Subtract {1} from {0}.", ("1", "−1"), "The difference moves with {0} and against {1}: the gradient passes unchanged to the first and with its sign flipped to the second."),
    "multiply":    Words("{0} {x} {1}",      "Multiply {0} and {1}, element by element.", ("{1}", "{0}"), _FACTOR),
    "divide":      Words("{0} / {1}",        "Divide {0} by {1}, element by element.", ("1 / {1}", "−{y} / {1}"), "A larger numerator raises the quotient, a larger denominator lowers it."),
    "negative":    Words("−{0}",             "Flip the sign of {0}.", ("−1",), "The result moves against its input, so the gradient flips its sign."),
    "positive":    Words("{0}",              "Keep {0} as it is.", ("1",), "The gradient passes through unchanged."),
    "reciprocal":  Words("1 / {0}",          "Take one over each element of {0}.", ("−{y}²",), "The larger {0}, the smaller and flatter its reciprocal."),
    "square":      Words("{0}²",             "Square each element of {0}.", ("2 {0}",), "The square grows twice as fast as {0} is large."),
    "sqrt":        Words("√{0}",             "Take the square root of each element of {0}.", ("1 / (2 {y})",), "The root is steep near zero and flattens out."),
    "power":       Words("{0} ^ {1}",        "Raise {0} to the power {1}.", ("{1} {x} {0} ^ ({1} − 1)", "{y} {x} log({0})"), "The exponent comes down as a factor and drops by one."),
    "exp":         Words("exp({0})",         "Raise e to each element of {0}.", ("{y}",), "The exponential is its own derivative: the factor is the result that was just computed."),
    "expm1":       Words("exp({0}) − 1",     "Raise e to each element of {0} and subtract one.", ("{y} + 1",), "The exponential is its own derivative."),
    "log":         Words("log({0})",         "Take the natural logarithm of each element of {0}.", ("1 / {0}",), "The logarithm is steep where its input is small: a small probability receives a large gradient."),
    "log1p":       Words("log(1 + {0})",     "Take the logarithm of one plus {0}.", ("1 / (1 + {0})",), "The logarithm is steep where its input is small."),
    "sin":         Words("sin({0})",         "Take the sine of each element of {0}.", ("cos({0})",), "The slope of the sine is the cosine."),
    "cos":         Words("cos({0})",         "Take the cosine of each element of {0}.", ("−sin({0})",), "The slope of the cosine is minus the sine."),
    "tanh":        Words("tanh({0})",        "Squash each element of {0} to between −1 and 1.", ("1 − {y}²",), "The curve is steepest at 0 and flat at both ends: where a unit is saturated, hardly any gradient passes."),
    "sigmoid":     Words("σ({0})",           "Squash each element of {0} to between 0 and 1, with σ(z) = 1 / (1 + e⁻ᶻ).", ("{y} {x} (1 − {y})",), "The curve is steepest in the middle (slope ¼) and flat at both ends: where a unit is saturated, hardly any gradient passes."),
    "relu":        Words("max({0}, 0)",      "Keep the positive elements of {0} and set the others to 0.", ("[{0} > 0]",), "A unit that is on passes the gradient unchanged, one that is off passes nothing."),
    "softplus":    Words("log(1 + exp({0}))", "A smooth version of max({0}, 0).", ("σ({0})",), "Its slope is the sigmoid: 0 far left, 1 far right."),
    "log_sigmoid": Words("log σ({0})",       "Take the logarithm of the sigmoid of {0}, safely.", ("σ(−{0})",), "Its slope is the sigmoid of −{0}: how far the unit is from being certain."),
    "absolute":    Words("|{0}|",            "Drop the sign of each element of {0}.", ("sign({0})",), "Positive elements pass the gradient on, negative ones flip it."),
    "maximum":     Words("max({0}, {1})",    "Take the larger of {0} and {1}, element by element.", ("[{0} > {1}]", "[{1} > {0}]"), _WINNER),
    "minimum":     Words("min({0}, {1})",    "Take the smaller of {0} and {1}, element by element.", ("[{0} < {1}]", "[{1} < {0}]"), _WINNER.replace("larger", "smaller")),
    "logaddexp":   Words("log(exp({0}) + exp({1}))", "Add in the logarithm, safely.", ("exp({0} − {y})", "exp({1} − {y})"), "Each input receives its share of the sum."),
    "sum":         Words("Σ {0}",            "Add up the elements of {0}.", ("{g}, copied to every element that was added",), "Every element counts once in the sum, so each of them receives the same gradient."),
    "mean":        Words("mean({0})",        "Average the elements of {0}.", ("{g} / {count}, copied to every element that was averaged",), "Every element counts 1/{count} in the mean, so each of them receives that share of the gradient."),
    "max":         Words("max({0})",         "Take the largest element of {0}.", ("{g}, given to the largest element",), "Only the largest element decides the result; ties share."),
    "min":         Words("min({0})",         "Take the smallest element of {0}.", ("{g}, given to the smallest element",), "Only the smallest element decides the result; ties share."),
    "prod":        Words("Π {0}",            "Multiply the elements of {0}.", ("{g} times the product of the other elements",), "How far the product moves depends on all the other factors."),
    "softmax":     Words("softmax({0})",     "Turn {0} into shares that are positive and add up to one.", ("{y} ⊙ ({g} − Σ {g} ⊙ {y})",), "Raising one share lowers the others, so their average is taken off."),
    "log_softmax": Words("log softmax({0})", "Take the logarithm of the softmax of {0}, safely.", ("{g} − softmax({0}) ⊙ Σ {g}",), "Raising one share lowers the others."),
    "logsumexp":   Words("log Σ exp({0})",   "A smooth version of the maximum of {0}.", ("{g} ⊙ softmax({0})",), "Each element receives its share."),
    "transpose":   Words("{0}ᵀ",             "Turn the axes of {0} around.", ("{g}ᵀ",), _PASSES),
    "reshape":     Words("reshape({0})",     "Give {0} another shape, with the same values.", ("{g} in the shape of {0}",), _PASSES),
    "ravel":       Words("ravel({0})",       "Lay {0} out as one row.", ("{g} in the shape of {0}",), _PASSES),
    "expand_dims": Words("expand_dims({0})", "Give {0} a new axis of length one.", ("{g} in the shape of {0}",), _PASSES),
    "squeeze":     Words("squeeze({0})",     "Drop the axes of length one.", ("{g} in the shape of {0}",), _PASSES),
    "getitem":     Words("{0}[…]",           "Pick elements of {0}.", ("{g} at the picked places, 0 elsewhere",), "Elements that were not picked have no influence on the result here."),
    "concatenate": Words("concatenate({all})", "Put arrays one after the other.", (), _PASSES),
    "stack":       Words("stack({all})",     "Put arrays side by side along a new axis.", (), _PASSES),
    "broadcast_to": Words("broadcast({0})",  "Repeat {0} to fill a larger shape.", ("{g}, added up over the copies",), "Every copy contributes to the gradient of the original."),
    "result":      Words("{0}",              "Read one of the results of {0}.", ("{g}, in its place",), "The gradients of all results meet in the operation that computed them."),
    "copy":        Words("copy({0})",        "Copy {0}.", ("{g}",), "The gradient passes through unchanged."),
    "where":       Words("where({0}, {1}, {2})", "Take {1} where {0} holds and {2} elsewhere.", ("", "{g} where {0} holds, 0 elsewhere", "{g} where {0} does not hold, 0 elsewhere"), "The branch that was not taken has no influence on the result."),
    "greater":     Words("{0} > {1}",        "Ask of each element whether {0} is larger than {1}."),
    "greater_equal": Words("{0} ≥ {1}",      "Ask of each element whether {0} is at least {1}."),
    "less":        Words("{0} < {1}",        "Ask of each element whether {0} is smaller than {1}."),
    "less_equal":  Words("{0} ≤ {1}",        "Ask of each element whether {0} is at most {1}."),
    "equal":       Words("{0} = {1}",        "Ask of each element whether {0} and {1} are equal."),
    "not_equal":   Words("{0} ≠ {1}",        "Ask of each element whether {0} and {1} differ."),
    "clip":        Words("clip({all})",      "Limit {0} to a range.", (), "An element at the limit no longer moves the result."),
}
# fmt: on


def words_for(node: Node) -> Words:
    """Return the row for an operation as it was applied: matrix products and powers depend on their operands."""
    assert node.op is not None
    name = node.op.name
    if name in ("matmul", "dot") and len(node.values) == 2:
        return _product(np.shape(node.values[0]), np.shape(node.values[1]), name)
    if name == "power" and isinstance(node.values[1], (int, float)) and node.values[1] == 2:
        return _ROWS["square"]
    if name in _ROWS:
        masked = "where" in node.attrs or "initial" in node.attrs
        return _ROWS[name]._replace(derivatives=(), why="") if masked else _ROWS[name]
    return Words(name.replace("{", "{{").replace("}", "}}") + "({all})", "Apply {op} to {all}.")


def _product(a: tuple[int, ...], b: tuple[int, ...], name: str) -> Words:
    if not a or not b:
        pulls = [f"{{g}} · {{{1 - i}}}" if mine else f"Σ {{g}} ⊙ {{{1 - i}}}" for i, mine in enumerate((a, b))]
        return Words("{0} · {1}", "Multiply {0} and {1}.", tuple(pulls), _FACTOR)
    if len(a) == 2 and len(b) == 2:
        does = "Multiply the matrices {0} and {1}: each element is a row of {0} times a column of {1}, added up."
        return Words("{0} · {1}", does, ("{g} · {1}ᵀ", "{0}ᵀ · {g}"), _MATRIX)
    if len(a) == 2 and len(b) == 1:
        return Words("{0} · {1}", "Multiply the matrix {0} by the vector {1}.", ("outer({g}, {1})", "{0}ᵀ · {g}"), _FACTOR)
    if len(a) == 1 and len(b) == 2:
        return Words("{0} · {1}", "Multiply the vector {0} by the matrix {1}.", ("{1} · {g}", "outer({0}, {g})"), _FACTOR)
    if len(a) == 1 and len(b) == 1:
        return Words("{0} · {1}", "Multiply {0} and {1} element by element and add up.", ("{g} · {1}", "{g} · {0}"), _FACTOR)
    if name == "matmul" and a[:-2] == b[:-2]:
        return Words("{0} · {1}", "Multiply {0} and {1}, one pair of matrices after the other.", ("{g} · {1}ᵀ", "{0}ᵀ · {g}"), _MATRIX)
    return Words("{0} · {1}", "Multiply {0} and {1} as stacks of matrices.")


def count_of(node: Node) -> int:
    """Return how many elements of the operand went into each element of the result."""
    operand, out = getattr(node.values[0], "size", 1), getattr(node.out, "size", 1)
    return max(int(operand), 1) // max(int(out), 1)
