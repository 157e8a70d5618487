#!/usr/bin/env python3
"""Sets up and runs Retrograd from its source folder, with nothing but Python.

    python tools/setup.py install          make .venv and install Retrograd into it
    python tools/setup.py train            ... then train on a table that ships with it
    python tools/setup.py test [--slow]    ... then run the tests (further options go to pytest)
    python tools/setup.py remove           delete .venv and the caches; runs/ stays

`make train` and `make test` call this script; on Windows call it yourself: `py tools\\setup.py train`.
"""

# This file is read by whatever `python3` there is, so it keeps to syntax that every Python 3 can parse, or the
# reader of an old one would see a SyntaxError instead of the sentence below.  The work is in environment.py.

import os
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")


def main():
    if sys.version_info >= OLDEST:
        from environment import run

        return run(sys.argv[1:])
    other = newer_python()
    if other and "RETROGRAD_SETUP" not in os.environ:
        found = "This is Python {}.{}; going on with {}".format(
            sys.version_info[0], sys.version_info[1], other
        )
        sys.stderr.write(found + "\n")
        environment = dict(
            os.environ, RETROGRAD_SETUP="1"
        )  # at most one hop, whatever `other` turns out to be
        return subprocess.call([other, os.path.abspath(__file__)] + sys.argv[1:], env=environment)
    sys.stderr.write(
        "error: Retrograd needs Python {}.{} or newer; this is {} ({})\n"
        "  hint: install one from https://www.python.org/downloads/ (or: apt install python3, brew install python,\n"
        "        winget install Python.Python.3.13), then: python3.13 tools/setup.py {}\n".format(
            OLDEST[0], OLDEST[1], sys.version.split()[0], sys.executable, " ".join(sys.argv[1:])
        )
    )
    return 1


def newer_python():
    """The first interpreter on the PATH that runs and is new enough, or None."""
    check = "import sys; sys.exit(sys.version_info < {})".format(OLDEST)
    suffix = ".exe" if os.name == "nt" else ""
    for name in NEWER:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name + suffix)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                with open(os.devnull, "w") as nothing:
                    if subprocess.call([path, "-c", check], stdout=nothing, stderr=nothing) == 0:
                        return path
    return None


if __name__ == "__main__":
    sys.exit(main())
