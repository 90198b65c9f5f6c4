"""Charts drawn by Vega-Lite into SVG: a trend in a line of text, a ranking, a map of tiles. Each stands beside its table.

An SVG is a picture of its own: it takes no style from the page, follows light and dark by itself, says nothing in English, and comes
out byte for byte for the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, cast

import lxml.etree

from tasks.words import vietnamese as vi

VEGA_LITE = "6.4"
LOCALE = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]}
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
MEASURED = "sans-serif"
"""The font that texts are measured in: looking for each of a list, for each of them, takes three times as long as all the rest."""
INK, SOFT, LINE, ACCENT, GOOD, WARN = "#18222d", "#55616e", "#d6dde4", "#0b4f94", "#17662b", "#845100"
DARK = {INK: "#e3e9ef", SOFT: "#a3b0bd", LINE: "#35414d", ACCENT: "#86bdf6", GOOD: "#86d698", WARN: "#f2c46d"}
"""Colour in the light → the same in the dark, as in the stylesheet of the pages."""
RAMP = ("#dce9f6", "#b5d1ec", "#84b3de", "#3f80bf", "#0a5aa9")
"""From little to much; on the last two, ink is white."""
NO_VALUE = "#e8ebee"
ON_TILE = "#1c2734"
"""Stays as it is in the dark, since the tile does."""
CONFIG = {
    "background": "transparent",
    "font": MEASURED,
    "view": {"stroke": None},
    "axis": {
        "gridColor": LINE, "domainColor": LINE, "tickColor": LINE, "labelColor": INK, "titleColor": SOFT, "labelFontSize": 12,
        "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 240,
    },
}  # fmt: skip
ROOM = {"left": 42, "right": 18, "top": 5, "bottom": 5}
"""Round a chart with labels: the fonts of whoever looks may be a seventh wider than the one that was measured."""
COLUMNS = 6


@dataclass(frozen=True)
class Mark:
    """One period of a trend, or one unit of a ranking or a map."""

    label: str
    value: Decimal | None
    is_hidden: bool = False


@dataclass(frozen=True)
class Pair:
    """A rate on two sides."""

    label: str
    one: Decimal
    other: Decimal


def spark(points: Sequence[Mark]) -> bytes:
    """A trend as large as a line of text: where it comes from and where it stands."""
    alt = _altair()
    line = alt.Chart(_shown()).mark_line(color=ACCENT, strokeWidth=1.5)
    last = alt.Chart(_shown("last")).mark_point(color=ACCENT, filled=True, size=22)
    x = alt.X("label:N", sort=None, axis=None)
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(zero=False))
    valued = [point for point in points if point.value is not None]
    return _svg((line.encode(x=x, y=y) + last.encode(x=x, y=y)).properties(width=110, height=22), points, last=valued[-1:])


def ranking(bars: Sequence[Mark], unit_measure: str, target: Decimal | None = None) -> bytes:
    """Units from the highest value down; those without one stand at the end."""
    alt = _altair()
    ordered = sorted(bars, key=lambda bar: (bar.value is None, -(bar.value or 0), bar.label))
    base = alt.Chart(_shown()).encode(
        y=alt.Y("label:N", sort=[bar.label for bar in ordered], title=None),
        x=alt.X("value:Q", title=_measured(unit_measure), scale=alt.Scale(zero=True), axis=_numbers()),
    )
    layers = [
        base.mark_bar(height={"band": 0.7}, color=ACCENT),
        base.mark_text(align="left", dx=4, color=INK).encode(text=alt.Text("value:Q", format=",.1f")),
    ]
    if target is not None:
        aimed = alt.Chart(_shown("target"))
        layers.append(aimed.mark_rule(color=GOOD, strokeDash=[5, 4], strokeWidth=1.5).encode(x="value:Q"))
    return _svg(alt.layer(*layers).properties(width=460, height=alt.Step(20), padding=ROOM), ordered, target=[Mark("Mục tiêu", target)])


def pairs(rates: Sequence[Pair]) -> bytes:
    """Rates on two sides, a line a rate, in the order given: a dot is the first, a diamond the second."""
    alt = _altair()
    base = alt.Chart(_shown()).encode(y=alt.Y("label:N", sort=None, title=None))
    x = alt.X("one:Q", title="%", scale=alt.Scale(zero=True), axis=_numbers())
    layers = [
        base.mark_rule(color=SOFT, strokeWidth=1.5).encode(x=x, x2="other:Q"),
        base.mark_point(shape="diamond", color=WARN, filled=False, size=70, strokeWidth=2).encode(x="other:Q"),
        base.mark_point(color=ACCENT, filled=True, size=60, opacity=1).encode(x=x),
    ]
    return _svg(alt.layer(*layers).properties(width=460, height=alt.Step(22), padding=ROOM), rates)


def tiles(units: Sequence[Mark]) -> bytes:
    """Every unit as a tile, row by row, the darker the higher its value; grey where there is none."""
    alt = _altair()
    shown = [
        {
            **_plain(unit),
            "shown": vi.HIDDEN if unit.is_hidden else vi.number(unit.value, 1),
            "row": place // COLUMNS,
            "column": place % COLUMNS,
            "class": _class(unit, units),
        }
        for place, unit in enumerate(units)
    ]
    place = alt.Chart(_shown()).encode(
        x=alt.X("column:O", axis=None),
        y=alt.Y("row:O", axis=None),
    )
    colours = alt.Scale(domain=[-1, *range(len(RAMP))], range=[NO_VALUE, *RAMP])
    tile = place.mark_rect(stroke="white", strokeWidth=2).encode(color=alt.Color("class:O", scale=colours, legend=None))
    on_dark = alt.condition("datum.class > 2", alt.value("white"), alt.value(ON_TILE))
    name = place.mark_text(fontSize=10, dy=-6, limit=96).encode(text="label:N", color=on_dark)
    value = place.mark_text(fontSize=11, dy=8, fontWeight="bold").encode(text="shown:N", color=on_dark)
    return _svg(alt.layer(tile, name, value).properties(width=alt.Step(102), height=alt.Step(38)), shown)


def _class(tile: Mark, among: Sequence[Mark]) -> int:
    """Which fifth of the values it is in, as many units in each; -1 without one."""
    if tile.value is None:
        return -1
    values = sorted(other.value for other in among if other.value is not None)
    return min(len(RAMP) - 1, len(RAMP) * sum(value < tile.value for value in values) // len(values))


def _numbers() -> Any:
    return _altair().Axis(format=",~f")


def _measured(unit_measure: str) -> str:
    return "%" if unit_measure == "PERCENT" else unit_measure


def _plain(one: Any) -> dict[str, Any]:
    told = one if isinstance(one, dict) else asdict(one)
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in told.items()}


def _shown(name: str = "shown") -> Any:
    """Data by its name alone: Altair copies what it is given again at each step."""
    return _altair().NamedData(name)


def _altair() -> Any:
    import altair  # noqa: PLC0415  # half a second that only who draws needs

    return altair


def _svg(chart: Any, shown: Sequence[Any], **more: Sequence[Any]) -> bytes:
    """The chart of some data as it is drawn, without what it says in English, with the colours of the dark."""
    import vl_convert  # noqa: PLC0415

    data = {name: [_plain(one) for one in told] for name, told in {"shown": shown, **more}.items()}
    spec = chart.to_dict(validate=False) | {"datasets": data, "config": CONFIG}
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, format_locale=LOCALE)
    tree = lxml.etree.fromstring(drawn.encode())
    for element in tree.iter():
        for name in [name for name in element.attrib if name.startswith("aria-") or name == "role"]:
            del element.attrib[name]
    dark = "".join(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in DARK.items())
    style = lxml.etree.Element("{http://www.w3.org/2000/svg}style")
    style.text = f"text{{font-family:{FONT}}}@media (prefers-color-scheme:dark){{{dark}}}"
    tree.insert(0, style)
    return cast("bytes", lxml.etree.tostring(tree))
