"""Turns clusters into a segmentation: the files of a definition with conditions, ready for review."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from customer_segmentation import databases
from customer_segmentation.definitions.files import NAME, SEGMENTS, Definition, DefinitionError, write
from customer_segmentation.definitions.language import reserved_words
from customer_segmentation.errors import unknown

COMPARISON = re.compile(r"(?:coalesce\((\w+), [^)]*\)|(\w+)) (>|<=) (-?[\d.]+)")
GUIDE = "docs/guides/promote_a_cluster.md"

CLUSTERS = """
select
    cluster,
    label,
    label_ko,
    rule,
    share_of_customers,
    share_of_revenue_12m,
    share_at_fit,
    rule_precision,
    rule_recall,
    rule_fidelity,
    fitted_on
from marts.cluster_profiles
order by length(cluster), cluster
"""


class PromotionError(DefinitionError):
    """Clusters can't be promoted; the message says why."""


@dataclass(frozen=True)
class Cluster:
    """A row of cluster_profiles, as far as a definition tells of it."""

    cluster: str
    label: str
    label_ko: str
    rule: str
    share_of_customers: float
    share_of_revenue_12m: float | None
    share_at_fit: float
    rule_precision: float
    rule_recall: float
    rule_fidelity: float
    fitted_on: object

    @property
    def segment(self) -> str:
        """The name of the segment: the English label in the letters that a name may have."""
        name = re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")
        return name if NAME.fullmatch(name) and name not in reserved_words() else self.cluster


def promote(database: Path, name: str, owner: str, only: tuple[str, ...] = ()) -> list[Path]:
    """Write the definition of a segmentation from the clusters of a database and return the files.

    All clusters make a segmentation in which everybody is somewhere: the largest takes all that is left. Some
    of them, as `only` names them, make one in which who meets none of their rules is in no segment.
    """
    return write(
        SEGMENTS, name, lambda: _definition(owner, _choose(_read(database), only), is_whole=not only)
    )


def _read(database: Path) -> list[Cluster]:
    with databases.opened(database) as connection:
        clusters = [Cluster(*row) for row in connection.execute(CLUSTERS).fetchall()]
        if not clusters:
            reason = connection.execute(
                "select note from fits.fit_clusters where metric = 'problem' order by fitted_on desc"
            ).fetchone()
            raise PromotionError(
                f"{database} has no clusters: {reason[0] if reason else 'nothing is fitted'}."
            )
    return clusters


def _choose(clusters: list[Cluster], only: tuple[str, ...]) -> list[Cluster]:
    names = [cluster.cluster for cluster in clusters]
    for name in only:
        if name not in names:
            raise PromotionError(unknown("cluster", name, sorted(names)))
    chosen = [cluster for cluster in clusters if not only or cluster.cluster in only]
    without = [cluster.cluster for cluster in chosen if not cluster.rule]
    if without:
        raise PromotionError(f"No rule tells {', '.join(without)}. Name others with --only.")
    return chosen


def _definition(owner: str, clusters: list[Cluster], *, is_whole: bool) -> Definition:
    largest = max(clusters, key=lambda cluster: cluster.share_at_fit)
    listed = sorted(clusters, key=lambda cluster: is_whole and cluster is largest)
    segments = _segment_names(listed)
    fitted_on = clusters[0].fitted_on
    return Definition(
        description=f"One row per buyer and as-of date: clusters of {fitted_on} as conditions, which put "
        f"{100 * clusters[0].rule_fidelity:.0f} % of the buyers of that day where the clusters put them.",
        note=f"written by `segmentation promote-clusters`; what to do with it: {GUIDE}",
        question="Which customers behave alike?",
        basis="behavioural",
        population="lifetime_orders > 0",
        otherwise=segments[-1] if is_whole else None,
        owner=owner,
        segments="\n".join(
            _segment(segment, cluster, is_otherwise=is_whole and cluster is largest)
            for segment, cluster in zip(segments, listed, strict=True)
        ),
        test=f"the_rules_of_{fitted_on:%Y_%m_%d}_decide_who_is_where",
        columns=_columns(listed),
        given=[
            *(
                f"{{customer_id: {segment}, {_values(cluster)}}}"
                for segment, cluster in zip(segments, listed, strict=True)
            ),
            "{customer_id: prospect, lifetime_orders: 0}",
        ],
        expected=[f"{{customer_id: {segment}, segment: {segment}}}" for segment in segments],
    )


def _segment_names(clusters: list[Cluster]) -> list[str]:
    names = [cluster.segment for cluster in clusters]
    return [
        cluster.cluster if names.count(name) > 1 else name
        for name, cluster in zip(names, clusters, strict=True)
    ]


def _segment(name: str, cluster: Cluster, *, is_otherwise: bool) -> str:
    label = {"en": cluster.label, "ko": cluster.label_ko}
    texts = ", ".join(
        f"{language}: {json.dumps(text, ensure_ascii=False)}" for language, text in label.items()
    )
    revenue = (
        ""
        if cluster.share_of_revenue_12m is None
        else f" and {100 * cluster.share_of_revenue_12m:.0f} % of the revenue"
    )
    alternatives = cluster.rule.split("\n")
    when = (
        ["# the largest takes all that is left; its rule would be", *(f"#   {line}" for line in alternatives)]
        if is_otherwise
        else ["when: >-", *(f"  {line}" for line in alternatives)]
    )
    lines = [
        f"- name: {name}",
        f"  # {cluster.cluster}: {100 * cluster.share_of_customers:.0f} % of the buyers{revenue}",
        f"  label: {{{texts}}}",
        *(f"  {line}" for line in when),
        f"  # precision {100 * cluster.rule_precision:.0f} %, recall {100 * cluster.rule_recall:.0f} %",
        "  # hypothesis: what a campaign for them can show",
        "  # treatment: {objective: …, channel: …, offer: …}",
    ]
    return "\n".join(lines)


def _limits(cluster: Cluster) -> dict[str, tuple[float | None, float | None]]:
    """{column: (above, up to)} of the first alternative of a rule."""
    limits: dict[str, tuple[float | None, float | None]] = {}
    for filled, plain, sign, number in COMPARISON.findall(cluster.rule.split("\n")[0]):
        above, up_to = limits.get(filled or plain, (None, None))
        limits[filled or plain] = (float(number), up_to) if sign == ">" else (above, float(number))
    return limits


def _columns(clusters: list[Cluster]) -> list[str]:
    found = [
        filled or plain for cluster in clusters for filled, plain, *_ in COMPARISON.findall(cluster.rule)
    ]
    return list(dict.fromkeys(["lifetime_orders", *found]))


def _values(cluster: Cluster) -> str:
    """Values that just meet the rule."""
    values = {"lifetime_orders": 1.0}
    for column, (above, up_to) in _limits(cluster).items():
        beyond = 0.0 if above is None else above + (1.0 if above == int(above) else abs(above) / 2)
        values[column] = beyond if up_to is None else up_to
    return ", ".join(f"{column}: {value:.15g}" for column, value in values.items())
