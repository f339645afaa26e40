"""``python -m agent_runtime.cli``: the same as ``duologue``."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
