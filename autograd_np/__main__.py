"""``python -m autograd_np`` is the command ``autograd-np``.

Python puts the current folder first on `sys.path`, where a rich.py or an nn.py of the user's would be taken for what
the command needs. So the command does without that entry, unless it is where autograd_np itself was found, as in a
clone of the project; the user's file has it.
"""

from __future__ import annotations

import sys
from pathlib import Path


def current_folder() -> list[str]:
    """Take the entry that Python made for the current folder off `sys.path`, and return it, if there is one to do without."""
    if sys.flags.safe_path or not sys.path:
        return []
    try:
        here, home = (Path(folder).samefile(Path()) for folder in (sys.path[0], Path(__file__).parents[1]))
    except OSError:  # the folder has been removed
        return []
    return [sys.path.pop(0)] if here and not home else []


if __name__ == "__main__":
    path = current_folder()
    from autograd_np.cli import main

    main(path=path)
