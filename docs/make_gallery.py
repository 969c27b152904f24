"""Write the gallery of docs/derivations.md: ``python docs/make_gallery.py``.

The losses and layers are those of tests/derivations/gallery; what stands below each is what `ag.derive` prints.
"""

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / "derivations.md"
HEADING, END = "## Gallery\n", "<!-- the end of the gallery -->\n"
ABOUT = """
What `ag.derive` prints for losses and layers as people write them. Of each program only `backward` is shown. Below a layer, whose result
is no scalar, the gradient of its result is the first argument. `tests/derivations/gallery/entries` has the same passes derived by hand;
`python -m benchmarks.derivations` compares the two.
"""

sys.path.insert(0, str(ROOT / "tests" / "derivations"))

from gallery import judging  # noqa: E402


def shown(entry):
    """Return the part of the page about an entry."""
    functions = [f for f in vars(entry.module).values() if inspect.isfunction(f) and f.__module__ == entry.module.__name__]
    written = "\n\n".join(inspect.getsource(f).rstrip() for f in functions if f.__name__ not in ("backward", "inputs"))
    printed = entry.printed()
    helpers = [judging.function_of(printed, name) for name in judging.helpers(printed)]
    backward = "\n\n".join([*helpers, judging.function_of(printed, "backward")])
    return f"#### {entry.title.rstrip('.')}\n\n```python\n{written}\n```\n\nBackward:\n\n```python\n{backward}\n```\n"


def gallery():
    """Return the gallery as Markdown."""
    entries = {e.name: e for e in judging.entries()}
    parts = [HEADING + ABOUT]
    for chapter, names in judging.CHAPTERS.items():
        parts += [f"### {chapter}\n", *(shown(entries[name]) for name in names)]
    return "\n".join([*parts, END])


def renewed(page):
    """Return a page with its gallery written anew, at its end if it has none."""
    before, _, rest = page.partition(HEADING)
    _, _, after = rest.partition(END)
    return (before if not before or before.endswith("\n\n") else before.rstrip("\n") + "\n\n") + gallery() + after


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8") if PAGE.exists() else "# Deriving a backward pass\n"), encoding="utf-8")
