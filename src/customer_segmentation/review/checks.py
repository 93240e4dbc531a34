"""What a reviewer should look at: limits that the definitions set, and the mistakes that people make."""

from collections.abc import Iterable
from dataclasses import dataclass

from customer_segmentation.review.changes import Change
from customer_segmentation.review.effect import Effect
from customer_segmentation.review.sides import Definition

MIN_SHARE = 0.01
MAX_MOVED_SHARE = 0.10
PASSED, NOTED, BROKEN = "passed", "look at it", "broken"


@dataclass(frozen=True)
class Check:
    """A point of the check list. Only what is broken stops a merge."""

    segmentation: str
    name: str
    result: str
    says: str


def check(
    changes: list[Change],
    effects: list[Effect],
    incomparable: dict[str, str],
    definitions: Iterable[Definition],
) -> list[Check]:
    """Return the check list of a change.

    incomparable: {segmentation: why it can't be measured}. definitions: those after the change.
    """
    points = [Check(name, "not measured", BROKEN, reason) for name, reason in incomparable.items()]
    for effect in effects:
        if effect.is_removed:
            points.append(_removed(effect))
            continue
        points += _moved(effect)
        points += _sizes(effect)
        points += _empty(effect)
        points += _reach(effect)
    points += _owners(changes, {definition.name: definition for definition in definitions})
    points += _names(changes)
    return points


def _removed(effect: Effect) -> Check:
    """A segmentation that goes: its readers must have been told, by deprecating its segments."""
    told = all(segment.get("deprecated") for segment in effect.definition.segments)
    says = "all its segments were deprecated" if told else "deprecate its segments first: readers must know"
    return Check(effect.definition.name, "removed", NOTED if told else BROKEN, says)


def _moved(effect: Effect) -> list[Check]:
    definition = effect.definition
    if effect.is_added or not effect.total.customers:
        return []
    limit = _limit(definition.written.get("max_moved_share"), otherwise=MAX_MOVED_SHARE)
    share = effect.moved.customers / effect.total.customers
    says = f"{100 * share:.1f} % of the customers move; max_moved_share is {100 * limit:.0f} %"
    return [Check(definition.name, "moved", PASSED if share <= limit else BROKEN, says)]


def _sizes(effect: Effect) -> list[Check]:
    """Segments that the change makes smaller or larger than their limits, or that were so before."""
    definition, found = effect.definition, []
    totals = {side: _customers(effect, side) for side in ("before", "after")}
    for segment in definition.segments:
        name = segment["name"]
        before, after = effect.before(name).customers, effect.after(name).customers
        if not after or not totals["after"]:
            continue
        written = segment.get("min_share"), definition.written.get("min_share")
        least = _limit(*written, otherwise=MIN_SHARE)
        most = _limit(segment.get("max_share"), otherwise=1.0)
        share = after / totals["after"]
        was = before / totals["before"] if totals["before"] else None
        for key, limit, is_beyond, was_beyond in (
            ("min_share", least, share < least, was is not None and 0 < was < least),
            ("max_share", most, share > most, was is not None and was > most),
        ):
            if is_beyond:
                says = f"{name} holds {100 * share:.2f} % of the customers; {key} is {100 * limit:.2f} %"
                already = was_beyond and after == before
                # a limit that nobody wrote is advice
                is_advice = key == "min_share" and written == (None, None)
                is_old = already or (was is not None and was_beyond and _is_nearer(was, share, limit))
                result = NOTED if is_old or is_advice else BROKEN
                found.append(Check(definition.name, key, result, says + (" (as before)" if already else "")))
    return found or [Check(definition.name, "sizes", PASSED, "all segments are within their limits")]


def _is_nearer(was: float, now: float, limit: float) -> bool:
    return abs(now - limit) <= abs(was - limit)


def _customers(effect: Effect, side: str) -> int:
    """Count the customers in any segment on one side; overlapping ones are all there are."""
    if effect.definition.is_overlapping:
        return effect.total.customers
    return sum(getattr(effect, side)(name).customers for name in effect.segments())


def _empty(effect: Effect) -> list[Check]:
    empty = [
        segment["name"]
        for segment in effect.definition.segments
        if not effect.after(segment["name"]).customers
    ]
    emptied = [name for name in empty if effect.before(name).customers]
    still = [name for name in empty if name not in emptied]
    return [
        Check(effect.definition.name, "empty", result, f"{says} {', '.join(names)}")
        for names, result, says in (
            (emptied, BROKEN, "nobody would be left in"),
            (still, NOTED, "nobody is in, now as before:" if not effect.is_added else "nobody is in"),
        )
        if names
    ]


def _reach(effect: Effect) -> list[Check]:
    """Segments that get a treatment, hold customers, and have nobody who may be contacted."""
    name = effect.definition.name
    if effect.total.customers and not effect.total.reachable:
        return [Check(name, "unreachable", NOTED, "nobody can be reached: there are no consents")]
    unreachable = [
        segment["name"]
        for segment in effect.definition.segments
        if segment.get("treatment")
        and effect.after(segment["name"]).customers
        and not effect.after(segment["name"]).reachable
    ]
    says = f"nobody can be reached in {', '.join(unreachable)}, though there is a treatment"
    return [Check(name, "unreachable", NOTED, says)] if unreachable else []


def _owners(changes: list[Change], definitions: dict[str, Definition]) -> list[Check]:
    """Who answers for what changed, and segments that nothing is done for."""
    found = []
    changed = dict.fromkeys(change.segmentation for change in changes)
    for name in (name for name in changed if name in definitions):
        definition = definitions[name]
        owners = sorted(
            {segment.get("owner") or definition.written.get("owner") or "" for segment in definition.segments}
            or {definition.written.get("owner") or ""}
        )
        found.append(Check(name, "owner", PASSED, f"to be asked: {', '.join(filter(None, owners))}"))
        idle = [segment["name"] for segment in definition.segments if not segment.get("treatment")]
        if idle and len(idle) < len(definition.segments):
            found.append(Check(name, "treatment", NOTED, f"nothing is done for {', '.join(idle)}"))
    return found


def _names(changes: list[Change]) -> list[Check]:
    """Segments that go by a name no longer: what filters by it finds nobody."""
    return [
        Check(
            change.segmentation,
            "name",
            NOTED,
            f"{change.known_as} is a name no longer: mend what filters by it",
        )
        for change in changes
        if change.what == "renamed" or (change.what == "removed" and change.segment != "(all)")
    ]


def _limit(*written: float | None, otherwise: float) -> float:
    """Return the first limit that is written."""
    return next((float(limit) for limit in written if limit is not None), otherwise)
