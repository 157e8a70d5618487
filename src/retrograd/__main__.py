"""``python -m retrograd`` is ``retrograd``."""

from __future__ import annotations

import sys

from retrograd.cli import main

if __name__ == "__main__":
    sys.exit(main())
