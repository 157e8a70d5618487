"""Write docs/coverage-torch.md: which public names of PyTorch exist here, and for each other one the reason.

python tools/coverage_torch.py          needs PyTorch (pip install -e '.[test,peers]')
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage-torch.md"
for folder in ("src", "tests"):
    sys.path.insert(0, str(ROOT / folder))


def page() -> str:
    """The page as it should be now."""
    import torch

    from oracle.absent import Status, statuses

    found = statuses()
    lines = [
        "# PyTorch's names",
        "",
        f"Written by `tools/coverage_torch.py` against PyTorch {torch.__version__.split('+')[0]}; a test fails when it is out of "
        "date or a name has no reason. What is here is held to PyTorch's own sample inputs (`tests/oracle/test_samples.py`).",
        "",
        "| namespace | names | here | not here |",
        "|---|---:|---:|---:|",
    ]
    by_space: dict[str, list[Status]] = {}
    for s in found:
        by_space.setdefault(s.space, []).append(s)
    for space, names in by_space.items():
        here = sum(s.here for s in names)
        lines.append(f"| `{space}` | {len(names)} | {here} | {len(names) - here} |")
    for space, names in by_space.items():
        reasons: dict[str, list[str]] = {}
        for s in names:
            if not s.here:
                reasons.setdefault(s.reason or "NO REASON GIVEN", []).append(s.name)
        lines += ["", f"## `{space}`", ""]
        for why, missing in sorted(reasons.items(), key=lambda item: -len(item[1])):
            lines.append(f"- {why}: " + ", ".join(f"`{n}`" for n in missing))
        if not reasons:
            lines.append("Everything is here.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
