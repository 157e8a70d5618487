"""The page's style sheet: one column, the reader's own fonts, light or dark as the device asks, ink on paper in print.

The three series colours keep a contrast of at least 3 : 1 to the paper in both themes and differ in lightness, so
they stay apart for colour-blind readers and on a grey printer.
"""

from __future__ import annotations

CSS = """
:root {
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2126; --muted: #5d646d; --rule: #dcd9d0; --tint: #f1eee6;
  --first: #1f5fae; --second: #b4530a; --third: #6b7280; --good: #1b6e3c; --fair: #7a5a00; --bad: #a32020;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "Noto Serif", "DejaVu Serif", serif;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171b; --card: #1b1f24; --ink: #e7e5df; --muted: #a3a9b1; --rule: #353b43; --tint: #20252b;
  --first: #7fb2f0; --second: #f0a35e; --third: #9aa3ae; --good: #7fd0a0; --fair: #e2c069; --bad: #f29a93;
} }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
.kicker { margin: 0; color: var(--muted); font-size: .875rem; letter-spacing: .02em; overflow-wrap: anywhere; }
h1 { font: 600 clamp(1.9rem, 5vw, 2.9rem)/1.15 var(--serif); margin: .3rem 0 1rem; overflow-wrap: anywhere; }
h2 { font: 600 1.55rem/1.25 var(--serif); margin: 0 0 .6rem; }
h3 { font: 600 1rem/1.4 var(--sans); margin: 1.6rem 0 .3rem; }
p { margin: 0 0 .9rem; max-width: 44rem; overflow-wrap: anywhere; }
.lede { font: 1.2rem/1.6 var(--serif); }
.verdict { border-left: 5px solid var(--mark); background: var(--tint); padding: .9rem 1.1rem; margin: 1.2rem 0;
  max-width: 48rem; }
.verdict p { margin: 0; } .verdict p + p { margin-top: .4rem; }
.verdict b { color: var(--mark); }
.wins { --mark: var(--good); } .ties { --mark: var(--fair); } .loses, .useless { --mark: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.4rem 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .7rem .9rem; }
.tiles b { display: block; font: 600 1.35rem/1.3 var(--serif); font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.tiles span { color: var(--muted); font-size: .82rem; line-height: 1.35; display: block; }
nav { margin: 1.2rem 0 0; font-size: .92rem; } nav a { display: inline-block; margin: 0 1.1rem .35rem 0; }
a { color: var(--first); text-underline-offset: .15em; }
section { border-top: 1px solid var(--rule); margin-top: 2.4rem; padding-top: 1.9rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.2rem;
  align-items: start; }
figure { margin: 1rem 0; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem;
  padding: .8rem .8rem .6rem; break-inside: avoid; }
figure svg { display: block; width: 100%; max-width: 36rem; height: auto; margin: 0 auto; }
figcaption { color: var(--muted); font-size: .875rem; line-height: 1.5; margin-top: .5rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; line-height: 1.45;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--rule);
  overflow-wrap: break-word; max-width: 26rem; }
thead th { font-weight: 600; border-bottom: 2px solid var(--rule); white-space: nowrap; }
tbody th { font-weight: 600; min-width: 7rem; }
th.n, td.n { text-align: right; white-space: nowrap; }
td small, th small { display: block; color: var(--muted); font-weight: 400; font-size: .8rem; white-space: normal; }
td.n small { white-space: nowrap; }
ol.steps { padding-left: 1.4rem; max-width: 46rem; } ol.steps li { margin-bottom: .7rem; padding-left: .3rem;
  overflow-wrap: anywhere; }
ul.plain { list-style: none; padding: 0; max-width: 48rem; } ul.plain li { margin-bottom: .8rem;
  overflow-wrap: anywhere; }
.tag { display: inline-block; border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; font-size: .78rem;
  font-weight: 600; margin-right: .35rem; }
.problem { color: var(--bad); } .warning { color: var(--fair); } .note { color: var(--muted); }
.hint { color: var(--muted); display: block; font-size: .9rem; }
code, pre { font: .88em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { background: var(--tint); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; max-width: 48rem; }
footer { color: var(--muted); font-size: .875rem; margin-top: 3rem; padding-bottom: 3rem; }
@media screen and (max-width: 40rem) {
  table, caption, tbody, tr, th, td { display: block; } thead { display: none; }
  tbody tr { padding: .55rem 0; border-bottom: 1px solid var(--rule); }
  tbody th, tbody td { border: 0; padding: .1rem 0; max-width: none; }
  td.n, td.n small { text-align: left; white-space: normal; } td small { display: inline; margin-left: .4rem; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); } td:empty { display: none; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --muted: #444; --rule: #bbb; --tint: #f4f4f4;
    --first: #1f5fae; --second: #b4530a; --third: #6b7280; --good: #1b6e3c; --fair: #7a5a00; --bad: #a32020; }
  body { font-size: 10pt; } nav { display: none; } .wide { overflow: visible; }
  h2, h3 { break-after: avoid; } tr, .verdict, .tiles { break-inside: avoid; } section { margin-top: 1.4rem; }
  pre { white-space: pre-wrap; } .pair { grid-template-columns: 1fr 1fr; } figure svg { max-width: 25rem; }
  tbody th { min-width: 10rem; }
}
"""
