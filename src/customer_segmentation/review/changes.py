"""Which definitions changed, and what in them: before and after, in the words of the files."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from customer_segmentation.review.sides import Data, Definition, Side

WHOLE = "(all)"
# what decides who is in which segment; the rest is said of the segments
RULES = (
    "added",
    "removed",
    "renamed",
    "condition",
    "population",
    "otherwise",
    "assignment",
    "order",
    "column",
    "mended",
)


@dataclass(frozen=True)
class Change:
    """One thing that differs; segment is WHOLE for what holds for the segmentation."""

    segmentation: str
    segment: str
    what: str
    before: str | None
    after: str | None

    @property
    def is_rule(self) -> bool:
        """Whether it can move customers, and not only what is said of them."""
        return self.what in RULES

    @property
    def known_as(self) -> str:
        """The name that the segment had before."""
        return self.before if self.what == "renamed" and self.before else self.segment


def find_changes(before: Side, after: Side) -> list[Change]:
    """Return all that differs between the definitions of two sides, in the order of the definitions."""
    changes: list[Change] = []
    for name in [*after.definitions, *(name for name in before.definitions if name not in after.definitions)]:
        if name in before.problems:
            problems = "; ".join(before.problems[name])
            changes.append(Change(name, WHOLE, "mended", f"could not be used: {problems}", "can be used"))
        else:
            changes += changes_of(before.definitions.get(name), after.definitions.get(name))
    return changes


def changes_of(before: Definition | None, after: Definition | None) -> list[Change]:
    """Return what differs between two versions of a segmentation, of which one may be missing."""
    if after is None:
        return [Change(before.name, WHOLE, "removed", before.written["question"], None)] if before else []
    if before is None:
        return [Change(after.name, WHOLE, "added", None, after.written["question"])]
    renamed = renamed_segments(before, after)
    old = {renamed.get(name, name): segment for name, segment in _by_name(before).items()}
    new = _by_name(after)

    def change(segment: str, what: str, was: object, now: object) -> Change:
        return Change(after.name, segment, what, _text(was), _text(now))

    changes = [
        change(WHOLE, what, was, now)
        for what, was, now in _of_the_whole(before, after, renamed)
        if _text(was) != _text(now)
    ]
    changes += [change(now, "renamed", was, now) for was, now in renamed.items()]
    for name, segment in new.items():
        if name not in old:
            told = ("named", None, segment["label"]["en"]) if after.is_learned else None
            changes.append(change(name, *(told or ("added", None, segment.get("when") or "otherwise"))))
            continue
        changes += [
            change(name, what, was, now)
            for what, was, now in _of_a_segment(old[name], segment)
            if _text(was) != _text(now)
        ]
    gone = [name for name in old if name not in new]
    what = "unnamed" if after.is_learned else "removed"
    changes += [change(name, what, old[name].get("when") or "otherwise", None) for name in gone]
    kept = [name for name in old if name in new], [name for name in new if name in old]
    if kept[0] != kept[1] and not after.is_overlapping and not after.is_learned:
        changes.append(change(WHOLE, "order", ", ".join(kept[0]), ", ".join(kept[1])))
    return changes


def _by_name(definition: Definition) -> dict[str, Data]:
    return {segment["name"]: segment for segment in definition.segments}


def renamed_segments(before: Definition | None, after: Definition | None) -> dict[str, str]:
    """Return {name before: name after} of segments that kept their condition and changed their name.

    A condition that two segments have, or that has moved to a segment that was there before, tells nothing.
    """
    if before is None or after is None or before.is_learned or after.is_learned:
        return {}
    old = [(_condition(before, segment), segment["name"]) for segment in before.segments]
    new = [(_condition(after, segment), segment["name"]) for segment in after.segments]
    was, now = ({name for _, name in pairs} for pairs in (old, new))
    gone = _once([pair for pair in old if pair[1] not in now])
    come = _once([pair for pair in new if pair[1] not in was])
    return {name: come[condition] for condition, name in gone.items() if condition in come}


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    counts = Counter(condition for condition, _ in pairs)
    return {condition: name for condition, name in pairs if counts[condition] == 1}


def _condition(definition: Definition, segment: Data) -> str:
    if segment["name"] == definition.written.get("otherwise"):
        return "otherwise"
    return " ".join((segment.get("when") or "").split())


def _of_the_whole(
    before: Definition, after: Definition, renamed: dict[str, str]
) -> Iterable[tuple[str, object, object]]:
    yield "assignment", before.assignment, after.assignment
    yield "population", before.population, after.population
    otherwise: str | None = before.written.get("otherwise")
    yield "otherwise", renamed.get(otherwise or "", otherwise), after.written.get("otherwise")
    for key in ("column", "question", "basis", "owner", "min_share", "max_moved_share"):
        yield key, before.written.get(key), after.written.get(key)


def _of_a_segment(before: Data, after: Data) -> Iterable[tuple[str, object, object]]:
    yield "condition", before.get("when"), after.get("when")
    for key in ("label", "treatment"):
        was, now = before.get(key) or {}, after.get(key) or {}
        for part in dict.fromkeys([*was, *now]):
            yield f"{key} {part}", was.get(part), now.get(part)
    for key in ("rank", "owner", "hypothesis", "expect", "min_share", "max_share", "deprecated"):
        yield key, before.get(key), after.get(key)


def _text(value: object) -> str | None:
    """Write a value so that a change of line breaks is none."""
    if isinstance(value, dict):
        value = ", ".join(f"{key}: {entry}" for key, entry in value.items())
    elif isinstance(value, list):
        value = "; ".join(_text(entry) or "" for entry in value)
    return None if value is None else " ".join(str(value).split())
