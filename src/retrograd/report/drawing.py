"""How a picture becomes inline SVG: the page's colours and fonts, no size, no date, no foreign names, a description.

Colours are drawn as place-holders and replaced by CSS variables, so that one picture serves light, dark and print.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER, FIRST, SECOND, THIRD = (f"#00000{digit}" for digit in range(1, 8))
_VARIABLES = {
    INK: "--ink", MUTED: "--muted", GRID: "--rule", PAPER: "--paper",
    FIRST: "--first", SECOND: "--second", THIRD: "--third",
}  # fmt: skip
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "retrograd", "text.parse_math": False, "font.family": "DejaVu Sans",
    "font.size": 10, "axes.unicode_minus": True, "axes.edgecolor": MUTED, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "axes.formatter.use_mathtext": False,
    "grid.color": GRID, "grid.linewidth": 0.6, "lines.linewidth": 1.8, "path.simplify": True,
}  # fmt: skip


def svg(
    name: str, alt: str, draw: Callable[[Figure, Axes], None], *, width: float = 5.2, height: float = 3.5
) -> str:
    """Draw into a new figure and return SVG without size, date or foreign ids, with its description inside."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        # Another locale's or user's settings must not change the picture; a name in a script that the metrics font
        # lacks is still shown by the reader's own fonts.
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        draw(figure, axes)
        out = io.StringIO()
        blank: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", metadata=blank)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r'style="[^"]*"', lambda style: _restyle(style[0]), text)
    said = html.escape(alt)
    opening = re.match(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', text)
    assert opening is not None
    head = (
        f'<svg viewBox="{opening[1]}" role="img" aria-labelledby="{name}-alt" class="figure-{name}">'
        f'<title id="{name}-alt">{said}</title>'
    )
    return head + text[opening.end() :].strip()


def _restyle(style: str) -> str:
    for colour, variable in _VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    style = re.sub(r"(font: [^;]*?px) [^;\"]+", r"\1 var(--sans)", style)
    return re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", style)


def rectangle(x: float, y: float, width: float, height: float, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, linewidth=0)


def ticks(axis: Any, show: Callable[[float], str], most: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(most))
    axis.set_major_formatter(FuncFormatter(lambda value, _: show(float(f"{value:.10g}"))))


def whole_ticks(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def log_ticks(axis: Any, unit: str | None) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axis.set_minor_formatter(NullFormatter())
    in_front = unit if unit and len(unit) == 1 else ""
    axis.set_major_formatter(FuncFormatter(lambda value, _: in_front + compact(value)))


def compact(value: float) -> str:
    """1,500,000 as 1.5M, for axes without room."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{suffix}"
    return f"{value:g}"
