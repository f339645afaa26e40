"""``python -m agent_runtime.testing FOLDER``: render the clips of a caller's script with its voice."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .clips import ClipError
from .script import ScriptError
from .script_file import render_script


def main() -> int:
    """Exit code 0, or 2 with one line where the script or the voice cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m agent_runtime.testing", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with script.toml; its clips are written beside it")
    folder = parser.parse_args().folder
    try:
        paths = render_script(folder)
    except (ScriptError, ClipError) as error:
        print(error, file=sys.stderr)
        return 2
    total = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} clips, {total / 1e6:.2f} MB in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
