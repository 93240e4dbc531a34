"""A new segmentation to begin with: two segments that everybody understands, and a unit test that passes."""

from pathlib import Path

from customer_segmentation.definitions.files import SEGMENTS, Definition, DefinitionError, write
from customer_segmentation.definitions.language import read_language
from customer_segmentation.errors import unknown

GUIDE = "docs/guides/add_a_segment.md"
QUESTION = "Has the customer ordered lately?"


def new(name: str, owner: str, question: str | None, basis: str, folder: Path | None = None) -> list[Path]:
    """Write the files of a segmentation with two example segments and return them."""
    bases = read_language()["segmentation"]["basis"]["values"]
    if basis not in bases:
        raise DefinitionError(unknown("basis", basis, bases))
    return write(folder or SEGMENTS, name, lambda: _example(name, owner, question or QUESTION, basis))


def _example(name: str, owner: str, question: str, basis: str) -> Definition:
    return Definition(
        description=f"One row per buyer and as-of date: {name.replace('_', ' ')}, as an example to change.",
        note=f"written by `segmentation new`; how to go on: {GUIDE}",
        question=question,
        basis=basis,
        population="lifetime_orders > 0",
        otherwise="all_others",
        owner=owner,
        segments=_SEGMENTS,
        test=f"{name}_has_a_customer_on_each_side_of_every_boundary",
        columns=["lifetime_orders", "days_since_last_order"],
        given=[
            "{customer_id: thirty_days_ago, lifetime_orders: 1, days_since_last_order: 30}",
            "{customer_id: a_day_before_that, lifetime_orders: 1, days_since_last_order: 31}",
            "{customer_id: without_an_order, lifetime_orders: 0}",
        ],
        expected=[
            "{customer_id: thirty_days_ago, segment: ordered_lately}",
            "{customer_id: a_day_before_that, segment: all_others}",
        ],
    )


_SEGMENTS = """\
- name: ordered_lately
  label: {en: Ordered lately, ko: 최근 구매 고객}
  when: days_since_last_order <= 30
  hypothesis: Who ordered within the month orders again sooner than the others.
  expect: {metric: orders_next_90d, versus: all_others, direction: higher}
  treatment: {objective: frequency, channel: email, offer: new_arrivals}
- name: all_others
  label: {en: All others, ko: 그 외 고객}
  # hypothesis: what a campaign for them can show
  # treatment: {objective: …, channel: …, offer: …}"""
