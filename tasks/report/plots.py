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
"""The font that stands at every text, which measures it; FONT, in which it is shown, stands once, in the style."""
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
SHOWN = {"name": "shown"}
"""Where a chart finds what it shows."""
NUMBERS = {"format": ",~f"}
ROOM = {"left": 42, "right": 18, "top": 5, "bottom": 5}
"""Round a chart with labels: the fonts of whoever looks may be a seventh wider than the one that was measured."""
TARGET = {"data": {"name": "target"}, "mark": {"type": "rule", "color": GOOD, "strokeDash": [5, 4], "strokeWidth": 1.5}}
"""A line across the values, where there is a target."""
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
    place = {
        "x": {"field": "label", "type": "nominal", "sort": None, "axis": None},
        "y": {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": False}},
    }
    layers = [
        {"data": SHOWN, "mark": {"type": "line", "color": ACCENT, "strokeWidth": 1.5}, "encoding": place},
        {"data": {"name": "last"}, "mark": {"type": "point", "color": ACCENT, "filled": True, "size": 22}, "encoding": place},
    ]
    valued = [point for point in points if point.value is not None]
    return _svg({"layer": layers, "width": 110, "height": 22}, points, last=valued[-1:])


def trend(points: Sequence[Mark], unit_measure: str, target: Decimal | None = None) -> bytes:
    """A year month by month, with the values above the dots; where a month has none, the line is broken."""
    value = {"field": "value", "type": "quantitative", "title": _measured(unit_measure), "scale": {"zero": True}, "axis": NUMBERS}
    month = {"field": "label", "type": "ordinal", "sort": None, "title": "Tháng", "axis": {"labelAngle": 0}}
    place = {"x": month, "y": value}
    written = {**place, "text": {"field": "value", "type": "quantitative", "format": ",.1f" if unit_measure == "PERCENT" else ",~f"}}
    line = {"type": "line", "color": ACCENT, "strokeWidth": 2, "point": {"color": ACCENT, "size": 36}}
    layers: list[dict[str, Any]] = [
        {"data": SHOWN, "mark": line, "encoding": place},
        {"data": SHOWN, "mark": {"type": "text", "dy": -11, "color": INK}, "encoding": written},
    ]
    if target is not None:
        layers.append({**TARGET, "encoding": {"y": value}})
    return _svg({"layer": layers, "width": 620, "height": 170, "padding": ROOM}, points, target=[Mark("Mục tiêu", target)])


def ranking(bars: Sequence[Mark], unit_measure: str, target: Decimal | None = None) -> bytes:
    """Units from the highest value down; those without one stand at the end."""
    ordered = sorted(bars, key=lambda bar: (bar.value is None, -(bar.value or 0), bar.label))
    value = {"field": "value", "type": "quantitative", "title": _measured(unit_measure), "scale": {"zero": True}, "axis": NUMBERS}
    place = {"y": {"field": "label", "type": "nominal", "sort": [bar.label for bar in ordered], "title": None}, "x": value}
    written = {**place, "text": {"field": "value", "type": "quantitative", "format": ",.1f"}}
    layers: list[dict[str, Any]] = [
        {"data": SHOWN, "mark": {"type": "bar", "height": {"band": 0.7}, "color": ACCENT}, "encoding": place},
        {"data": SHOWN, "mark": {"type": "text", "align": "left", "dx": 4, "color": INK}, "encoding": written},
    ]
    if target is not None:
        layers.append({**TARGET, "encoding": {"x": value}})
    return _svg({"layer": layers, "width": 460, "height": {"step": 20}, "padding": ROOM}, ordered, target=[Mark("Mục tiêu", target)])


def pairs(rates: Sequence[Pair]) -> bytes:
    """Rates on two sides, a line a rate, in the order given: a dot is the first, a diamond the second."""
    y = {"field": "label", "type": "nominal", "sort": [one.label for one in rates], "title": None}
    rate = {"type": "quantitative", "title": "%", "scale": {"zero": True}, "axis": NUMBERS}
    one, other = {"field": "one", **rate}, {"field": "other", **rate}
    diamond = {"type": "point", "shape": "diamond", "color": WARN, "filled": False, "size": 70, "strokeWidth": 2}
    layers = [
        {"mark": {"type": "rule", "color": SOFT, "strokeWidth": 1.5}, "encoding": {"y": y, "x": one, "x2": {"field": "other"}}},
        {"mark": diamond, "encoding": {"y": y, "x": other}},
        {"mark": {"type": "point", "color": ACCENT, "filled": True, "size": 60, "opacity": 1}, "encoding": {"y": y, "x": one}},
    ]
    return _svg({"data": SHOWN, "layer": layers, "width": 460, "height": {"step": 22}, "padding": ROOM}, rates)


def tiles(units: Sequence[Mark]) -> bytes:
    """Every unit as a tile, row by row, the darker the higher its value; grey where there is none."""
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
    place = {axis: {"field": field, "type": "ordinal", "axis": None} for axis, field in (("x", "column"), ("y", "row"))}
    colours = {"domain": [-1, *range(len(RAMP))], "range": [NO_VALUE, *RAMP]}
    ground = {"field": "class", "type": "ordinal", "scale": colours, "legend": None}
    on_dark = {"condition": {"test": "datum.class > 2", "value": "white"}, "value": ON_TILE}
    written = [
        {"mark": {"type": "text", **mark}, "encoding": {**place, "color": on_dark, "text": {"field": field, "type": "nominal"}}}
        for field, mark in (("label", {"fontSize": 10, "dy": -6, "limit": 96}), ("shown", {"fontSize": 11, "dy": 8, "fontWeight": "bold"}))
    ]
    tile = {"mark": {"type": "rect", "stroke": "white", "strokeWidth": 2}, "encoding": {**place, "color": ground}}
    return _svg({"data": SHOWN, "layer": [tile, *written], "width": {"step": 102}, "height": {"step": 38}}, shown)


def _class(tile: Mark, among: Sequence[Mark]) -> int:
    """Which fifth of the values it is in, as many units in each; -1 without one."""
    if tile.value is None:
        return -1
    values = sorted(other.value for other in among if other.value is not None)
    return min(len(RAMP) - 1, len(RAMP) * sum(value < tile.value for value in values) // len(values))


def _measured(unit_measure: str) -> str:
    return "%" if unit_measure == "PERCENT" else unit_measure


def _plain(one: Any) -> dict[str, Any]:
    told = one if isinstance(one, dict) else asdict(one)
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in told.items()}


def _svg(chart: dict[str, Any], shown: Sequence[Any], **more: Sequence[Any]) -> bytes:
    """The chart of some data as it is drawn, without what it says in English, with the colours of the dark."""
    from tasks.report.vega import vl_convert  # noqa: PLC0415  # half a second

    data = {name: [_plain(one) for one in told] for name, told in {"shown": shown, **more}.items()}
    spec = {"datasets": data, "config": CONFIG, **chart}
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
