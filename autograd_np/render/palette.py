"""Colours and forms that tell the kinds of nodes apart.

The colours are the eight that Masataka Okabe and Kei Ito chose so that people with every kind of colour vision tell them
apart (Color Universal Design, 2008, https://jfly.uni-koeln.de/color/); fills are tints of them. No kind is told by its colour
alone: each has its own outline, too.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

__all__ = ["DARK", "FONT", "FORM", "LIGHT", "MARKS", "Theme", "Tone", "style_sheet"]

Theme = Literal["auto", "light", "dark"]

FONT = "Helvetica,Arial,Liberation Sans,DejaVu Sans,Noto Sans,sans-serif"


class Tone(NamedTuple):
    """The colours of one kind of thing: what it is filled with, and its outline."""

    fill: str
    line: str


class Palette(NamedTuple):
    """All colours of a theme."""

    paper: str
    ink: str
    faint: str
    edge: str
    frame: Tone
    gradient: str
    rule: str
    kinds: dict[str, Tone]
    verdicts: dict[str, Tone]


LIGHT = Palette(
    paper="#ffffff",
    ink="#1a1a1a",
    faint="#5f6368",
    edge="#70757a",
    frame=Tone("#f6f7f9", "#b6bcc4"),
    gradient="#b34700",
    rule="#00568f",
    kinds={
        "input": Tone("#d9eefb", "#0072b2"),
        "parameter": Tone("#fdebc8", "#b37700"),
        "constant": Tone("#eeeeee", "#777777"),
        "operation": Tone("#ffffff", "#555555"),
        "output": Tone("#d3efe5", "#007a59"),
        "group": Tone("#f4e3ee", "#a3567f"),
    },
    verdicts={"ok": Tone("#d3efe5", "#007a59"), "wrong": Tone("#fbd8c2", "#d55e00"), "unknown": Tone("#eeeeee", "#777777")},
)
DARK = Palette(
    paper="#15181c",
    ink="#f1f3f4",
    faint="#aab0b7",
    edge="#8d949c",
    frame=Tone("#1d2126", "#4a525b"),
    gradient="#ff9a52",
    rule="#8fd0f7",
    kinds={
        "input": Tone("#123a52", "#56b4e9"),
        "parameter": Tone("#4d3703", "#e69f00"),
        "constant": Tone("#33373c", "#9aa0a6"),
        "operation": Tone("#22262b", "#aab0b7"),
        "output": Tone("#0b4435", "#2bc79b"),
        "group": Tone("#45283a", "#cc79a7"),
    },
    verdicts={"ok": Tone("#0b4435", "#2bc79b"), "wrong": Tone("#5c2a05", "#ff7f2a"), "unknown": Tone("#33373c", "#9aa0a6")},
)

# Outlines, in the words of DOT.
FORM: dict[str, dict[str, str]] = {
    "input": {"shape": "ellipse", "margin": "0.04,0.02"},
    "parameter": {"shape": "box", "penwidth": "2.2"},
    "constant": {"shape": "note", "style": "filled,dashed"},
    "operation": {"shape": "box", "style": "filled,rounded"},
    "output": {"shape": "box", "style": "filled,rounded", "peripheries": "2"},
    "group": {"shape": "box3d", "margin": "0.22,0.08"},
}
MARKS = {"ok": "✓", "wrong": "✗", "unknown": "?"}


def _rules(palette: Palette, root: str) -> str:
    lines = [
        f"{root} .background{{fill:{palette.paper}}}",
        f"{root} text{{fill:{palette.ink}}}",
        f"{root} .faint,{root} .edge text{{fill:{palette.faint}}}",
        f"{root} .gradient{{fill:{palette.gradient}}}",
        f"{root} .rule{{fill:{palette.rule}}}",
        f"{root} .edge path,{root} .edge polygon{{stroke:{palette.edge}}}",
        f"{root} .edge polygon{{fill:{palette.edge}}}",
        f"{root} .edge.back path,{root} .edge.back polygon{{stroke:{palette.gradient}}}",
        f"{root} .edge.back polygon{{fill:{palette.gradient}}}",
        f"{root} .cluster>path,{root} .cluster>polygon{{fill:{palette.frame.fill};stroke:{palette.frame.line}}}",
    ]
    for name, tone in (*palette.kinds.items(), *((f"is-{v}", t) for v, t in palette.verdicts.items())):
        lines.append(f"{root} :is(.node,.key).{name}>:is(path,polygon,polyline,ellipse,rect){{stroke:{tone.line}}}")
        lines.append(f"{root} :is(.node,.key).{name}>:not(text):not(polyline):not([fill=none]){{fill:{tone.fill}}}")
    return "\n".join(lines)


def _follows(light: Palette, dark: Palette) -> Palette:
    """Return colours in CSS that are one palette's where the page is light, and the other's where it is dark."""

    def both(a: Any, b: Any) -> Any:
        if isinstance(a, str):
            return f"light-dark({a},{b})"
        if isinstance(a, dict):
            return {k: both(a[k], b[k]) for k in a}
        return type(a)(*(both(x, y) for x, y in zip(a, b, strict=True)))

    found: Palette = both(light, dark)
    return found


DARK_PAGES = ('[data-jp-theme-light="false"]', '[data-theme="dark"]', ".vscode-dark")
"""Pages that are dark without saying so in CSS: JupyterLab, Sphinx, notebooks in VS Code."""


def style_sheet(theme: Theme) -> str:
    """Return the CSS of an SVG: nothing in it reaches beyond drawings of this library, also inside a page.

    With ``"auto"`` a drawing in a page is light or dark as the page is (its `color-scheme`), a drawing by itself as its reader's system is.
    """
    root = f"svg.autograd-np.{theme}"
    mono = "Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono','Noto Sans Mono',monospace"
    common = "\n".join(
        (
            f"{root} .name{{font-weight:bold}}",
            f"{root} .value,{root} .mono{{font-family:{mono};white-space:pre}}",
            f"{root} .node:hover>:not(text){{stroke-width:2.5}}",
        )
    )
    if theme != "auto":
        return common
    dark = ",".join(f"{page} {root}" for page in DARK_PAGES)
    scheme = f"{root}:root{{color-scheme:light dark}}\n{dark}{{color-scheme:dark}}"
    return f"{common}\n{scheme}\n{_rules(_follows(LIGHT, DARK), root)}"
