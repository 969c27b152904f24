"""A report for machines: JSON, SARIF 2.1.0 for code scanning, and annotations of GitHub Actions.

The schema of the JSON is in docs/checking.md; a change that a reader could notice raises `SCHEMA`.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from autograd_np.check.tell.kinds import KINDS, meaning
from autograd_np.check.tell.places import in_repository, parted
from autograd_np.check.tell.records import Finding
from autograd_np.check.tell.words import at, number, pair, plain

__all__ = ["SCHEMA", "as_dict", "as_github", "as_sarif", "numbers_of"]

SCHEMA = 1
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_OTHERS = {
    "unjudged": (
        "A gradient was not judged.",
        "It pairs with no variable of forward, or forward's has none; name the pair with names=.",
        "note",
    ),
    "inconclusive": (
        "The pass could not be judged.",
        "The engine and numeric differences do not agree either, often at a kink.",
        "warning",
    ),
}


def as_dict(report: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a report as plain dicts, lists, strings and numbers; NaN and infinities are strings."""
    told = {f.name: plain(getattr(report, f.name)) for f in fields(report) if f.name not in without}
    return {"schema": SCHEMA, "ok": report.ok, **told}


def numbers_of(finding: Finding) -> list[str]:
    """Return the lines that compare what was computed with what should have been."""
    lines = []
    wanted, found = finding.shape_expected, finding.shape_actual
    if wanted is not None and found is not None and tuple(wanted) != tuple(found):
        lines.append(f"shape: expected {wanted}, actual {found}")
    if not (math.isnan(finding.expected) and math.isnan(finding.actual)):
        expected, actual = pair(finding.expected, finding.actual)
        where = f"worst element {finding.variable}{at(finding.worst_index)}"
        lines.append(f"{where}: expected {expected}, actual {actual}, ratio {number(finding.ratio)}")
    return lines


class Told(Protocol):
    """What a report of a backward pass is asked for here."""

    verdict: str
    file: str
    findings: list[Finding]
    unjudged: list[str]
    source_lines: dict[int, str]

    def headline(self) -> str:
        """Return the verdict in a line."""
        ...

    def located(self) -> Sequence[Finding]:
        """Return the findings, those in helpers beside those in backward."""
        ...

    def source_of(self, finding: Finding) -> Mapping[int, str]:
        """Return the lines around a finding."""
        ...


# --- SARIF ----------------------------------------------------------------------------------------


def as_sarif(report: Told) -> dict[str, Any]:
    """Return a log of SARIF 2.1.0 with one run: a rule a kind, a result a finding, its fix as replacements."""
    results = [_result(f, report.source_of(f)) for f in report.located()]
    file, line = report.file, min(report.source_lines, default=1)
    if report.verdict == "fail" and not results:
        results.append(_said("unknown", "error", report.headline(), file, line))
    elif report.verdict == "inconclusive":
        results.append(_said("inconclusive", "warning", report.headline(), file, line))
    results += [_said("unjudged", "note", f"not judged: {text}", file, line) for text in report.unjudged]
    rules = {kind: _rule(kind, *meaning(kind), "error") for kind in dict.fromkeys((*KINDS, *(f.kind for f in report.findings)))}
    rules |= {kind: _rule(kind, *words) for kind, words in _OTHERS.items()}
    places = {rule: i for i, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = places[result["ruleId"]]
    driver: dict[str, Any] = {"name": "autograd-np", "rules": list(rules.values())}
    with contextlib.suppress(metadata.PackageNotFoundError):  # used from its folder
        driver["version"] = metadata.version("autograd-np")
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results, "properties": {"verdict": report.verdict}}
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}


def _rule(kind: str, short: str, typical: str, level: str) -> dict[str, Any]:
    name = "".join(word.capitalize() for word in re.split(r"\W+", kind))
    return {
        "id": kind,
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": f"{short} {typical}"},
        "help": {"text": f"{short} {typical}"},
        "defaultConfiguration": {"level": level},
    }


def _result(finding: Finding, source: Mapping[int, str]) -> dict[str, Any]:
    last = max(finding.line, finding.end_line)
    text = "\n".join([f"{finding.variable}: {finding.message}", *numbers_of(finding)])
    text += "".join(f"\nor line {r.line}: {_instead(r)}" for r in finding.rivals)
    if finding.consequences:
        text += f"\nwrong only because of this: {', '.join(finding.consequences)}"
    result = _said(finding.kind, "error", text, finding.file, finding.line)
    region = result["locations"][0]["physicalLocation"]["region"]
    region["endLine"] = last
    snippet = [source[n] for n in range(finding.line, last + 1) if n in source]
    if snippet:
        region["snippet"] = {"text": "\n".join(snippet)}
    if finding.function:
        result["locations"][0]["logicalLocations"] = [{"name": finding.function, "kind": "function"}]
    called = parted(finding.call)
    if called:
        file, line, rest = called
        result["relatedLocations"] = [{**_location(file, line), "id": 0, "message": {"text": f"called here{rest}"}}]
    for i, rival in enumerate(finding.rivals, 1):
        told = {**_location(rival.file, rival.line), "id": i, "message": {"text": f"or here: {_instead(rival)}"}}
        told["physicalLocation"]["region"]["endLine"] = max(rival.line, rival.end_line)
        result.setdefault("relatedLocations", []).append(told)
    if finding.fix is not None:
        deleted = {"startLine": finding.line, "startColumn": 1, "endLine": last}
        if not finding.fix:
            deleted |= {"endLine": last + 1, "endColumn": 1}
        elif last in source:
            deleted["endColumn"] = len(source[last].rstrip("\r\n")) + 1
        replacement = {"deletedRegion": deleted, "insertedContent": {"text": finding.fix.rstrip("\r\n")}}
        change = {"artifactLocation": _artifact(finding.file), "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": "The line as it should be."}, "artifactChanges": [change]}]
    return result


def _instead(rival: Finding) -> str:
    """Say what may be wrong instead of a finding, and how it should read."""
    fix = "" if not rival.fix else f"; it should be: {' '.join(rival.fix.split())}"
    return f"{rival.message}{fix}"


def _said(kind: str, level: str, text: str, file: str, line: int) -> dict[str, Any]:
    return {"ruleId": kind, "level": level, "message": {"text": text}, "locations": [_location(file, line)]}


def _location(file: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(file), "region": {"startLine": max(line, 1)}}}


def _artifact(file: str) -> dict[str, str]:
    """Return where a file is: relative to the repository, as code scanning wants it, or as an absolute address."""
    name = in_repository(file)
    return {"uri": Path(name).as_uri()} if Path(name).is_absolute() else {"uri": quote(name), "uriBaseId": "%SRCROOT%"}


# --- GitHub ---------------------------------------------------------------------------------------


def as_github(report: Told) -> str:
    """Return workflow commands, a line each, which GitHub shows beside the lines of the files."""
    lines = []
    for finding in report.located():
        text = [finding.message, *numbers_of(finding)]
        if finding.fix is not None:
            text += ["It should be:", *finding.fix.rstrip("\r\n").split("\n")]
        text += [f"or {in_repository(r.file)}:{r.line}: {_instead(r)}" for r in finding.rivals]
        if finding.consequences:
            text.append(f"wrong only because of this: {', '.join(finding.consequences)}")
        where = {"file": in_repository(finding.file), "line": finding.line, "endLine": max(finding.line, finding.end_line)}
        lines.append(_command("error", "\n".join(text), **where, title=f"{finding.variable}: {finding.kind}"))
    where = {"file": in_repository(report.file), "line": min(report.source_lines, default=1)}
    if report.verdict == "fail" and not lines:
        lines.append(_command("error", report.headline(), **where, title="wrong gradient"))
    elif report.verdict == "inconclusive":
        lines.append(_command("warning", report.headline(), **where, title="inconclusive"))
    lines += [_command("notice", text, **where, title="not judged") for text in report.unjudged]
    return "\n".join(lines)


def _command(name: str, message: str, **properties: Any) -> str:
    said = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{name} {said}::{_escaped(message, '')}"


def _escaped(text: str, also: str) -> str:
    """Escape as GitHub's own toolkit does: ``%``, the line ends, and in properties ``:`` and ``,``."""
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{also}" else c for c in text)
