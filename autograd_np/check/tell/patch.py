"""The verified fixes as a unified diff, and into the files.

A file is read as bytes and its line ends are kept. Of fixes whose lines overlap, the first one counts; what is left out is
said at the top of the diff, where ``git apply`` and ``patch`` pass over it.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import io
import linecache
import os
import re
import tempfile
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograd_np.check.tell.places import file_shown, place, relative
from autograd_np.check.tell.records import Finding

__all__ = ["Change", "changes_of", "unified", "write"]


@dataclass(frozen=True)
class Change:
    """What one file holds, and what it should hold.

    Attributes
    ----------
    file : str
    old, new : str
        Line ends as they are in the file.
    encoding : str
        As Python reads the file; empty if it is none on disk but, say, the cell of a notebook.
    lines : list of int
        Where the fixes are.
    """

    file: str
    old: str
    new: str
    encoding: str
    lines: list[int]


def changes_of(findings: Iterable[Finding], sources: Mapping[str, Mapping[int, str]]) -> tuple[list[Change], list[str]]:
    """Return the fixes file by file, and what is left out and why.

    Parameters
    ----------
    findings : iterable of Finding
        Those without a fix are passed over.
    sources : mapping
        File -> line number -> text, as it was checked. A file that holds something else by now is left alone.
    """
    fixes: dict[str, list[Finding]] = {}
    left_out: list[str] = []
    for finding in findings:
        if finding.fix is None:
            continue
        before = fixes.setdefault(finding.file, [])
        other = next((f for f in before if f.line <= _end(finding) and finding.line <= _end(f)), None)
        if other is None:
            before.append(finding)
        elif (other.line, _end(other), other.fix) != (finding.line, _end(finding), finding.fix):
            where = f"{place(finding.file, finding.line)} ({finding.variable})"
            left_out.append(f"{where}: the fix overlaps with that of line {other.line} ({other.variable}); apply that one and check again")
    changes = []
    for file, found in fixes.items():
        read = _read(file)
        if read is None:
            left_out.append(f"{file_shown(file)}: cannot be read")
            continue
        lines = _lines(read[0])
        if any(not _is_as_checked(lines, f, sources.get(file, {})) for f in found):
            left_out.append(f"{file_shown(file)}: has changed since it was checked")
            continue
        new = list(lines)
        for finding in sorted(found, key=lambda f: -f.line):
            new[finding.line - 1 : _end(finding)] = _fixed(finding, lines)
        changes.append(Change(file, read[0], "".join(new), read[1], sorted(f.line for f in found)))
    return changes, left_out


def unified(changes: Sequence[Change], left_out: Sequence[str] = ()) -> str:
    """Return a unified diff with paths relative to the working folder; empty if there is nothing to say."""
    parts = [f"# left out: {line}\n" for line in left_out]
    for change in changes:
        name = relative(change.file, Path.cwd()) if change.encoding else file_shown(change.file)
        name = name or Path(change.file).as_posix().lstrip("/")
        diff = list(difflib.unified_diff(_lines(change.old), _lines(change.new)))
        parts += [f"--- {_quoted(f'a/{name}')}\n", f"+++ {_quoted(f'b/{name}')}\n"]
        parts += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in diff[2:]]
    return "".join(parts)


def write(change: Change) -> None:
    """Write the new text in place of the old one, in one step; mode and line ends are kept.

    Raises
    ------
    OSError
        If the file cannot be written, or holds something else by now.
    """
    path = Path(os.path.realpath(change.file))
    if not change.encoding or path.read_bytes() != change.old.encode(change.encoding):
        raise OSError(0, "it has changed since it was checked")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(change.new.encode(change.encoding))
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    # A change within a second that keeps the size would leave Python believing its compiled copy.
    with contextlib.suppress(OSError, NotImplementedError):
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _end(finding: Finding) -> int:
    return max(finding.line, finding.end_line)


def _read(file: str) -> tuple[str, str] | None:
    """Return a file's text and encoding; of what is no file, the text that was run."""
    try:
        data = Path(file).read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding  # the mark stays in the text
        return data.decode(encoding), encoding
    except (OSError, SyntaxError, UnicodeError, ValueError):
        text = "".join(linecache.getlines(file))
        return (text, "") if text else None


def _lines(text: str) -> list[str]:
    """Split as Python numbers lines: at line feeds and carriage returns, and at no other character."""
    return list(io.StringIO(text, newline=""))


def _is_as_checked(lines: Sequence[str], finding: Finding, known: Mapping[int, str]) -> bool:
    """Whether a file still holds the lines that were checked; of the finding itself, if no more is known."""
    if _end(finding) > len(lines):
        return False
    if known:
        now = {n: line.rstrip("\r\n") for n, line in enumerate(lines, 1)}
        return all(now.get(n, "") == text.rstrip("\r\n") for n, text in known.items())
    return not finding.source or lines[finding.line - 1].strip() == finding.source.strip()


def _fixed(finding: Finding, lines: Sequence[str]) -> list[str]:
    """Return the fixed lines with the line ends of those that they replace."""
    if not finding.fix:
        return []
    last = lines[_end(finding) - 1]
    ends = [line[len(line.rstrip("\r\n")) :] for line in (*lines[finding.line - 1 :], *lines)]
    usual = next((end for end in ends if end), "\n")
    texts = re.split(r"\r\n|\r|\n", finding.fix.rstrip("\r\n"))
    return [text + usual for text in texts[:-1]] + [texts[-1] + last[len(last.rstrip("\r\n")) :]]


def _quoted(name: str) -> str:
    """Write a name as git reads it: in quotes if it holds signs that end it, with a tab behind it if it holds blanks."""
    if any(c in '"\\' or ord(c) < 32 for c in name):
        escaped = "".join(f"\\{c}" if c in '"\\' else f"\\{ord(c):03o}" if ord(c) < 32 else c for c in name)
        return f'"{escaped}"'
    return f"{name}\t" if " " in name else name
