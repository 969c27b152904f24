"""What the kinds of mistakes mean: the words of `Finding.kind`, as rules of SARIF and as a table for people."""

from __future__ import annotations

__all__ = ["KINDS", "meaning"]

KINDS = {
    "sign": ("The sign is wrong.", "A minus is missing or too much, in the whole line or in one of its terms."),
    "scale": ("A constant factor is wrong.", "Such as a missing 1/m, a 2 of a square that was not brought down, or m where n belongs."),
    "transpose": ("A matrix is transposed.", "Or a product has its factors in the wrong order."),
    "missing-factor": (
        "A factor of the chain rule is missing.",
        "Usually the local derivative of one step, such as the activation.",
    ),
    "extra-factor": ("A factor does not belong.", "A step of the chain rule was taken twice, or one that is not there."),
    "wrong-point": ("A derivative is taken at the wrong place.", "Such as at Z where A was meant, or the gradient of another variable."),
    "missing-term": (
        "A summand is missing.",
        "A variable used several times gets a gradient from every use, and from a regulariser.",
    ),
    "extra-term": ("A summand does not belong.", "Something is added that the loss does not depend on."),
    "double-count": ("A contribution is counted twice.", "It is added again though the gradient that arrives holds it already."),
    "wrong-reduction": ("A sum or a mean runs over the wrong axis.", "Or there is none where broadcasting has to be undone."),
    "shape": ("The shape is wrong.", "The numbers may be right: keepdims or a new axis is missing, or one is too much."),
    "stale-value": ("A value of another moment is used.", "It was overwritten before, or is read before it is updated."),
    "not-finite": ("There are NaN or infinite elements.", "The formula overflows or divides by zero where the gradient is finite."),
    "not-returned": ("A gradient is computed and not handed over.", "Return it, or store it where the others are."),
    "raises": ("The line raises an exception.", "Up to it the pass was judged; shapes that do not fit say which operand is wrong."),
    "unknown": ("The line is wrong; no simple edit makes it right.", "What it should compute is shown, as far as it can be derived."),
}


def meaning(kind: str) -> tuple[str, str]:
    """Return what a kind means, in a sentence, and what is typical of it."""
    return KINDS.get(kind, (f"{kind}.", "See the message."))
