"""Makes `.venv`, installs Retrograd into it once, and runs the product or its tests there.

Standard library only: this runs before anything is installed.  `setup.py` beside it is the entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "retrograd-installed.json"
INDEX = "https://pypi.org/simple"

# The table that `train` trains on, and the column it predicts.
SAMPLE = ("digits", "digit")

# What an install takes, measured on Linux x86-64 with Python 3.11: (MB downloaded, MB on disk), by extra.  For the
# peers that is PyTorch's build without CUDA; the one with it takes several GB.
SIZES = {"": (70, 300), "test": (3, 10), "peers": (400, 1450), "dev": (80, 270)}

# prefer-binary: a slightly older wheel is better than a compiler the person does not have
PIP_OPTIONS = ["--disable-pip-version-check", "--no-input", "--prefer-binary", "--retries", "2"]

# Pip's words when it cannot reach the package index.
OFFLINE = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "name resolution",
    "getaddrinfo failed",
    "ConnectTimeoutError",
    "ProxyError",
    "Network is unreachable",
    "Connection refused",
    "RemoteDisconnected",
    "(from versions: none)",
)


class SetupError(Exception):
    """Something that the person has to mend, and how."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def say(text: str = "") -> None:
    """Progress goes to stderr, at once."""
    print(text, file=sys.stderr, flush=True)


def run(arguments: list[str]) -> int:
    """Carries out one command of `setup.py`; the exit status."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("install", [])
    verbs = {"install": install, "train": train, "test": test, "remove": remove}
    try:
        if verb not in verbs:
            known = " ".join(verbs)
            raise SetupError(f"no command {verb!r}", f"python tools/setup.py install, or another of: {known}")
        return verbs[verb](rest)
    except SetupError as error:
        say(f"error: {error}\n  hint: {error.hint}")
        return 1
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        return 130


def install(extras: list[str]) -> int:
    """`setup.py install [EXTRA ...]`: the environment, and nothing run in it."""
    unknown = set(extras) - set(SIZES)
    if unknown:
        raise SetupError(f"no extra {', '.join(sorted(unknown))}", "extras are: test peers dev")
    ready(set(extras))
    say(f"Ready: {shown(script('retrograd'))} --help")
    return 0


def train(arguments: list[str]) -> int:
    """`setup.py train`: a network for a table that ships in the repository, and what to type for one's own."""
    ready(set())
    name, target = SAMPLE
    table = next((ROOT / "src" / "retrograd" / "data" / "samples").glob(f"{name}.csv*"), None)
    if not arguments and table is None:
        raise SetupError(
            f"the table {name!r} is not in this copy of the sources",
            "git checkout src/retrograd/data/samples",
        )
    own = arguments or [str(table), "--target", target]
    known = run_folders()
    say(f"$ {shown(script('retrograd'))} train {' '.join(shown(word) for word in own)}")
    status = subprocess.call([str(script("retrograd")), "train", *own], cwd=ROOT, env=clean_environment())
    if status == 0:
        for folder in sorted(run_folders() - known):
            say(f"\nThe report:      {folder / 'report.html'}")
        say(f"Your own table:  {shown(script('retrograd'))} train YOUR_TABLE.csv --target COLUMN")
    return status


def test(arguments: list[str]) -> int:
    """`setup.py test`: the tests; `--slow` adds the slow ones, everything else is pytest's."""
    ready({"test"})
    command = [str(python()), "-m", "pytest", "-q"]
    if "--slow" not in arguments:
        command += ["-m", "not slow"]
    if (os.cpu_count() or 1) > 1 and not any(word.startswith("-n") for word in arguments):
        command += ["-n", str(min(os.cpu_count() or 1, 8))]
    command += [word for word in arguments if word != "--slow"]
    return subprocess.call(command, cwd=ROOT, env=clean_environment())


def remove(_arguments: list[str]) -> int:
    """`setup.py remove`: everything that setting up and testing has made.  What was trained stays."""
    for name in (".venv", ".pytest_cache", ".ruff_cache", ".hypothesis", "build", "dist"):
        if (ROOT / name).exists():
            shutil.rmtree(ROOT / name)
            say(f"removed {name}")
    if (ROOT / "runs").exists():
        say("runs/ (what you trained) is still there")
    return 0


# --- the environment -------------------------------------------------------------------------------------------------


def ready(extras: set[str]) -> None:
    """Makes sure that `.venv` holds Retrograd with these extras; does nothing when it already does."""
    stamp = read_stamp()
    wanted = {
        "extras": sorted(extras | set(stamp.get("extras", []))),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
        "folder": str(VENV),  # a moved environment does not work
    }
    works = environment_works() and stamp.get("folder", wanted["folder"]) == wanted["folder"]
    if works and stamp == wanted:
        return
    missing = set(wanted["extras"]) - set(stamp.get("extras", []))
    announce(sorted(missing) if works and stamp else ["", *wanted["extras"]])
    start = time.monotonic()
    if not works:
        make_environment()
    project = f".[{','.join(wanted['extras'])}]" if wanted["extras"] else "."
    pip_install("--editable", project)
    # written last, so that an interrupted install is repeated
    STAMP.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    say(f"  installed in {time.monotonic() - start:.0f} s\n")


def announce(parts: list[str]) -> None:
    """Says what will happen before it does, and refuses when the disk is too full for it."""
    download, disk = (sum(SIZES[name][i] for name in parts) for i in (0, 1))
    again = "" if "" in parts else " (the project or its extras have changed)"
    say(f"Setting up Retrograd in {shown(VENV)}{again}")
    say(f"  with Python {sys.version.split()[0]} ({sys.executable})")
    if parts:
        say(f"  downloads up to {download} MB from the package index, takes about {disk} MB of disk;")
        say("  outside this folder only pip's download cache changes;")
        say("  python tools/setup.py remove undoes it")
    free = shutil.disk_usage(ROOT).free // 10**6
    needed = 2 * download + disk  # pip unpacks beside its download
    if free < needed:
        raise SetupError(
            f"only {free} MB free on this disk", f"free {needed} MB, then the same command again"
        )


def make_environment() -> None:
    """`.venv` with a working pip, on whichever of several ways is open here."""
    if VENV.exists():
        if not (VENV / "pyvenv.cfg").exists() and any(VENV.iterdir()):
            raise SetupError(f"{VENV} is there but is no Python environment", "move it away, then again")
        say("  the environment that was there does not work (moved, or its Python is gone): made anew")
        shutil.rmtree(VENV)
    tried: list[str] = []
    result = quiet(sys.executable, "-m", "venv", str(VENV))
    if result.returncode == 0 and pip_works():
        return
    tried.append(f"python -m venv: {last_line(result)}")
    shutil.rmtree(VENV, ignore_errors=True)

    result = quiet(sys.executable, "-m", "venv", "--without-pip", str(VENV))
    if result.returncode != 0:
        hint = "apt install python3-venv (Debian, Ubuntu), or Python from https://www.python.org/downloads/"
        raise SetupError(f"this Python cannot make an environment: {last_line(result)}", hint)
    say("  this Python comes without ensurepip: fetching pip another way")
    other = shutil.which("pip3") or shutil.which("pip")
    pips = [[sys.executable, "-m", "pip"], *([[other]] if other else [])]
    for pip in pips:
        result = quiet(*pip, "--python", str(python()), "install", "--disable-pip-version-check", "pip")
        if result.returncode == 0 and pip_works():
            return
        tried.append(f"{' '.join(pip)} --python: {last_line(result)}")
    try:
        install_pip_wheel()
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        tried.append(f"pip's wheel from {index_url()}: {error}")
    if not pip_works():
        shutil.rmtree(VENV, ignore_errors=True)
        listed = "".join(f"\n    {line}" for line in tried)
        hint = (
            "apt install python3-venv (Debian, Ubuntu), or check the connection; then the same command again"
        )
        raise SetupError(f"no way to put pip into {shown(VENV)}; tried:{listed}", hint)


def install_pip_wheel() -> None:
    """Downloads the newest pip from the package index, checks its hash, and lets it install itself."""
    base = index_url().rstrip("/") + "/pip/"
    page = download(base).decode()
    wheels: dict[tuple[int, ...], tuple[str, str]] = {}
    for link in re.finditer(
        r'<a\s[^>]*href="([^"#]*?/?pip-([\d.]+)-py3-none-any\.whl)#sha256=(\w+)"[^>]*>', page
    ):
        if "data-yanked" not in link[0]:
            wheels[tuple(int(part) for part in link[2].split("."))] = (
                urllib.parse.urljoin(base, link[1]),
                link[3],
            )
    if not wheels:
        raise ValueError("the index lists no wheel")
    url, expected = wheels[max(wheels)]
    wheel = download(url)
    if hashlib.sha256(wheel).hexdigest() != expected:
        raise ValueError(f"{url} does not have the hash that the index gives")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / url.rsplit("/", 1)[1]
        path.write_bytes(wheel)
        # a wheel is a zip file, and Python runs a package inside one
        command = [str(python()), str(path / "pip"), "install", "--no-index", "--quiet", str(path)]
        subprocess.run(command, check=True, env=clean_environment(), stdout=subprocess.DEVNULL)


def index_url() -> str:
    """The package index: pip's own setting when there is one."""
    return os.environ.get("PIP_INDEX_URL", INDEX)


def download(url: str) -> bytes:
    """The bytes at a URL; OSError when it cannot be had."""
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    try:
        with urllib.request.urlopen(url, timeout=60, context=context) as answer:
            return answer.read()
    except urllib.error.URLError as error:
        raise OSError(f"{url}: {error.reason}") from error


def pip_install(*what: str) -> None:
    """pip install in `.venv`, showing what is downloaded; turns a failure into what happened and a hint."""
    command = [str(python()), "-m", "pip", "install", *PIP_OPTIONS, *what]
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if match := re.match(r"\s*Downloading (?:\S*/)?(\S+?)-\d\S* (\([\d.]+ [kMG]?B\))", line):
                say(f"  {match[1]} {match[2]}")
            elif line.startswith("Installing collected packages"):
                say("  unpacking")
    if process.returncode == 0:
        return
    text = "\n".join(lines)
    if any(sign in text for sign in OFFLINE):
        raise SetupError(
            f"the package index ({index_url()}) cannot be reached, or lacks what is needed",
            "check the connection; behind a proxy: export HTTPS_PROXY=http://HOST:PORT; without a network: put\n"
            "        the wheels into a folder and export PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER; then again",
        )
    if "No space left on device" in text:
        raise SetupError("the disk is full", "free some of it, then the same command again")
    say("\n".join(lines[-25:]))
    raise SetupError(
        f"pip could not install {' '.join(what)} (its words are above)",
        "64-bit CPython 3.11 to 3.14 has ready-made packages for Linux, macOS and Windows; with such a\n"
        "        Python: `python tools/setup.py remove`, then the same command again",
    )


# --- small things ----------------------------------------------------------------------------------------------------


def python() -> Path:
    """The environment's interpreter."""
    return script("python")


def script(name: str) -> Path:
    """A command inside the environment."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


def environment_works() -> bool:
    """True when `.venv` has an interpreter that is new enough, and pip."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return quiet(str(python()), "-c", check).returncode == 0 and pip_works()


def pip_works() -> bool:
    """True when the environment's Python finds pip inside the environment."""
    check = "import pip, sys; sys.exit(not pip.__file__.startswith(sys.prefix))"
    return python().exists() and quiet(str(python()), "-c", check).returncode == 0


def read_stamp() -> dict[str, Any]:
    """What was installed last, or an empty dict."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def clean_environment() -> dict[str, str]:
    """The person's environment less what would lead Python or pip out of `.venv`."""
    away = {
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "RETROGRAD_SETUP",
    }
    kept = {name: value for name, value in os.environ.items() if name.upper() not in away}
    return {**kept, "PIP_USER": "0", "VIRTUAL_ENV": str(VENV)}


def quiet(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command and keeps its output."""
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=clean_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    """The last thing a command said."""
    lines = (result.stderr + "\n" + result.stdout).strip().splitlines()
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no word"])[-1].strip()


def run_folders() -> set[Path]:
    """The run folders that are there."""
    return {path for path in (ROOT / "runs").glob("*-*") if path.is_dir()}


def shown(path: Path | str) -> str:
    """A path as one would type it here: relative when inside the current folder, quoted when it has a blank."""
    text = str(path)
    if Path(text).is_absolute() and Path(text).is_relative_to(Path.cwd()):
        text = str(Path(text).relative_to(Path.cwd()))
    return f'"{text}"' if " " in text else text
