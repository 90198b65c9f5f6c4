"""What was not published is told in few lines, however many places it concerns."""

from flows.publish import Published
from tasks.count.held_back import HeldBack
from tasks.count.revisions import NOTHING
from tasks.one_stop_shop.scores import Scores


def published(held_back: list[HeldBack], uncounted: dict[str, str]) -> Published:
    return Published(1, False, NOTHING, Scores(), held_back, uncounted, [])


def test_a_line_for_each_indicator_names_the_first_places_and_counts_the_rest() -> None:
    held = [HeldBack("ND3", f"1565{n}", "2024", "tử số lớn hơn mẫu số (9/8)") for n in range(5)] + [HeldBack("06a", "396", "2024", "x")]
    assert published(held, {}).not_published == [
        "Giữ lại, không công bố 06a: 396 2024, x",
        "Giữ lại, không công bố ND3: 15650 2024, tử số lớn hơn mẫu số (9/8); 15651 2024, tử số lớn hơn mẫu số (9/8); "
        "15652 2024, tử số lớn hơn mẫu số (9/8); và 2 chỗ khác",
    ]


def test_an_indicator_whose_condition_failed_is_told_with_the_reason() -> None:
    told = published([], {"K2f": "cột fee không có"}).not_published
    assert told == ["Không tính được K2f, số đã công bố giữ nguyên: cột fee không có"]
