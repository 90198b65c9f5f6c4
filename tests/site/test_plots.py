"""Charts say the same as their tables: in Vietnamese, the same bytes for the same numbers, and nothing where there is nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import lxml.etree
import prefect
import pytest

from tasks.report.plots import DARK, Mark, ranking, spark, tiles, trend

ROOT = Path(__file__).parents[2]
MONTHS = [Mark(f"T{month}/2024", None if month == 5 else Decimal("40.5") + month) for month in range(1, 13)]
UNITS = ["Bát Mọt", "Yên Nhân", "Xuân Lẹ"]


def long_names() -> bytes:
    return ranking([Mark(f"Xã {name}, huyện Thường Xuân", Decimal(n)) for n, name in enumerate(UNITS)], "PERCENT")


def texts(svg: bytes) -> list[str]:
    return [str(text) for text in lxml.etree.fromstring(svg).xpath("//*[local-name()='text']/text()")]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: spark(MONTHS),
        lambda: trend(MONTHS, "PERCENT", Decimal(50)),
        lambda: ranking([Mark(name, Decimal(n)) for n, name in enumerate(UNITS)], "PERCENT"),
        lambda: tiles([Mark(name, Decimal(n)) for n, name in enumerate(UNITS)]),
    ],
)
def test_a_chart_comes_out_byte_for_byte_and_says_nothing_that_the_page_does_not_say_in_vietnamese(draw: object) -> None:
    first, second = draw(), draw()  # type: ignore[operator]
    assert first == second
    assert b"aria-" not in first
    assert b"role=" not in first
    assert b"prefers-color-scheme:dark" in first


def test_a_chart_is_the_same_whatever_fonts_a_machine_has(tmp_path: Path) -> None:
    """A machine whose every letter is of a typewriter, and much wider: that of Prefect's pages, which is always there."""
    fonts = Path(prefect.__file__).parent / "server" / "ui_v2_build" / "fonts"
    wide = '<alias binding="same"><family>{}</family><prefer><family>Geist Mono</family></prefer></alias>'
    families = "".join(wide.format(family) for family in ("sans-serif", "Liberation Sans"))
    (tmp_path / "fonts.conf").write_text(f'<?xml version="1.0"?><fontconfig><dir>{fonts}</dir>{families}</fontconfig>')
    code = "import sys; from tests.site.test_plots import long_names; sys.stdout.buffer.write(long_names())"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env={"FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}, cwd=ROOT, capture_output=True
    )
    assert done.stdout == long_names()


def test_a_year_is_read_month_by_month_with_a_decimal_comma() -> None:
    said = texts(trend(MONTHS, "PERCENT", Decimal(50)))
    assert {"41,5", "44,5", "46,5", "52,5", "Tháng", "%"} <= set(said)
    assert "45,5" not in said, "May has no value"


def test_a_month_without_a_value_is_a_gap_and_not_a_nought() -> None:
    tree = lxml.etree.fromstring(spark(MONTHS))
    (line,) = tree.xpath("//*[contains(@class, 'mark-line')]//*[local-name()='path']/@d")
    assert str(line).count("M") == 2, "two strokes, before and after May"


def test_a_ranking_goes_from_the_highest_down_with_numbers_as_they_are_written_here() -> None:
    bars = [Mark("Bát Mọt", Decimal("7.25")), Mark("Yên Nhân", None), Mark("Xuân Lẹ", Decimal("1234.5"))]
    told = texts(ranking(bars, "PERCENT"))
    assert [text for text in told if text in UNITS] == ["Xuân Lẹ", "Bát Mọt", "Yên Nhân"]
    assert "1.234,5" in told
    assert "7,3" in told


def test_a_tile_without_a_value_is_grey_and_says_so() -> None:
    svg = tiles([Mark("Bát Mọt", None), Mark("<b>&", Decimal(3)), Mark("Xuân Lẹ", None, is_hidden=True)])
    assert "–" in texts(svg)
    assert "…" in texts(svg), "there is one that is not shown"
    assert "<b>&" in texts(svg), "a hostile name stays a text"
    assert b"#e8ebee" in svg


@pytest.mark.parametrize("sheet", ["tasks/report/assets/style.css", "tasks/validate/templates/data_docs.css"])
def test_charts_and_all_pages_have_the_same_colours_in_the_light_and_in_the_dark(sheet: str) -> None:
    light, dark, *_ = re.findall(r":root \{(.+?)\}", (ROOT / sheet).read_text("utf-8"), re.DOTALL)
    for name, colour in zip(("ink", "soft", "line", "accent", "good", "warn"), DARK, strict=True):
        assert f"--{name}: {colour};" in light
        assert f"--{name}: {DARK[colour]};" in dark
