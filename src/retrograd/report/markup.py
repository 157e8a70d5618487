"""The few pieces of HTML the page is made of; everything that comes from data passes through `text`."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrograd.report import words


def text(value: Any) -> str:
    """Escaped, on one line, and without control characters, which HTML forbids.

    >>> text('<script>"')
    '&lt;script&gt;&quot;'
    """
    return html.escape("".join(c if c.isprintable() else " " for c in str(value)))


def _escaped(form: Callable[..., str]) -> Callable[..., str]:
    """A format of `words` as markup: a unit is the user's text, and a facts file may hold text for a number."""

    def escaped(*arguments: Any, **options: Any) -> str:
        return text(form(*arguments, **options))

    return escaped


number = _escaped(words.number)
quantity = _escaped(words.quantity)
percent = _escaped(words.percent)
duration = _escaped(words.duration)
size = _escaped(words.size)
score = _escaped(words.score)
change = _escaped(words.change)
span = _escaped(words.span)


def paragraph(*sentences: str, kind: str = "") -> str:
    """One paragraph of sentences that are already markup; empty ones are left out."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{' '.join(sentence for sentence in sentences if sentence)}</p>"


def section(name: str, title: str, *parts: str) -> str:
    body = "\n".join(part for part in parts if part)
    head = f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{title}</h2>'
    return f"{head}\n{body}\n</section>"


def figure(svg: str | None, caption: str) -> str:
    if svg is None:
        return ""
    return f"<figure>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>"


def pair(*figures: str) -> str:
    """Figures side by side where the screen has room."""
    shown = [entry for entry in figures if entry]
    return f'<div class="pair">{"".join(shown)}</div>' if shown else ""


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Iterable[int] = (),
) -> str:
    """A table whose first column names the row; ``numeric`` columns are set to the right.  Cells are markup.

    On a narrow screen each row becomes a block of labelled lines.
    """
    right = set(numeric)

    def mark(index: int) -> str:
        return ' class="n"' if index in right else ""

    head = "".join(f'<th scope="col"{mark(i)}>{cell}</th>' for i, cell in enumerate(heads))
    body = []
    for row in rows:
        cells = [f'<th scope="row">{row[0]}</th>']
        for i, cell in enumerate(row[1:], start=1):
            label = f' data-label="{text(heads[i])}"' if heads[i] else ""
            cells.append(f"<td{mark(i)}{label}>{cell}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    top = f"<thead><tr>{head}</tr></thead>\n" if any(heads) else ""
    newline = "\n"
    return (
        f'<div class="wide"><table><caption>{caption}</caption>\n{top}'
        f"<tbody>\n{newline.join(body)}\n</tbody></table></div>"
    )


def small(markup: str) -> str:
    return f"<small>{markup}</small>" if markup else ""


def advice(said: Any, colon: bool = False) -> str:
    """A sentence, or, where it is something to paste, code (with a colon after it where more follows)."""
    plain = str(said).strip()
    if plain.startswith(("-", "retrograd ")):
        return f"<code>{text(plain)}</code>" + (":" if colon else "")
    return sentence(plain)


def sentence(said: Any, names: Iterable[str] = ()) -> str:
    """Escaped, with a full stop, and a capital unless it begins with one of ``names``, which are spelt as they are.

    >>> sentence("the same value"), sentence("price is a number", ["price"]), sentence("prices vary", ["price"])
    ('The same value.', 'price is a number.', 'Prices vary.')
    """
    plain = str(said).strip()
    if not plain:
        return ""
    if not any(re.match(re.escape(name) + r"(?!\w)", plain) for name in names if name):
        plain = plain[0].upper() + plain[1:]
    return text(plain if plain[-1] in ".!?" else plain + ".")
