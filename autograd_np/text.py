r"""Names, file names and other people's text as they are shown: nothing that reaches a terminal or a drawing may command it.

Whatever writes text that is not the engine's own (messages, `repr`, reports, drawings, the command line) goes through here.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["shorten", "shown", "shown_list", "visible"]

ZERO_WIDTH_JOINER = "\u200d"
LONGEST_NAME = 80
LONGEST_LIST = 300
LONGEST_TEXT = 20_000


def visible(text: str, keep: str = "", longest: int = LONGEST_TEXT) -> str:
    r"""Return `text` with what cannot be seen (controls, direction marks, lone surrogates) as Python escapes it.

    Characters in `keep` stay as they are, and so does the joiner inside composed emoji. A text that nobody can read is cut.

    Examples
    --------
    >>> print(visible("a\n\x1b[2J\u202eb"))
    a\n\x1b[2J\u202eb
    """
    text = shorten(text, longest)
    if text.isprintable():
        return text
    keep += ZERO_WIDTH_JOINER
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, longest: int) -> str:
    """Return `text`, or its beginning and end with an ellipsis between them if it is longer than `longest` characters.

    Examples
    --------
    >>> shorten("encoder.layers.11.attention.weight", 20)
    'encoder.la…on.weight'
    """
    if len(text) <= longest:
        return text
    end = longest // 2 - 1
    return f"{text[: longest - end - 1]}…{text[len(text) - end :]}"


def shown(name: object) -> str:
    """Return a name as a line of text can hold it: visible, and not longer than a line."""
    return visible(shorten(str(name), LONGEST_NAME))


def shown_list(names: Iterable[object]) -> str:
    """Return names as a message tells what there is: each once, and not more than a message can hold.

    Examples
    --------
    >>> shown_list(["W", "b", "W"]), shown_list([])
    ('W, b', 'none')
    """
    told = ", ".join(dict.fromkeys(map(shown, names))) or "none"
    return told if len(told) <= LONGEST_LIST else f"{told[:LONGEST_LIST].rpartition(', ')[0]}, …"
