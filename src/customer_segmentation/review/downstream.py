"""What reads a segmentation: tables, dashboards, and whatever names a segment in its SQL."""

from collections.abc import Iterable
from dataclasses import dataclass

from customer_segmentation.review.sides import Data

MARTS = "marts"


@dataclass(frozen=True)
class Readers:
    """Names of tables, exposures (dashboards) and other models that read the changed segmentations.

    by_name: {segment: models and tests that name it in their SQL}, of segments that are renamed or removed.
    """

    tables: list[str]
    exposures: list[str]
    by_name: dict[str, list[str]]

    def joined(self, other: "Readers") -> "Readers":
        """Return the readers of both."""
        names = {*self.by_name, *other.by_name}
        return Readers(
            sorted({*self.tables, *other.tables}),
            sorted({*self.exposures, *other.exposures}),
            {
                name: sorted({*self.by_name.get(name, []), *other.by_name.get(name, [])})
                for name in sorted(names)
            },
        )


def find_readers(manifest: Data, segmentations: Iterable[str], lost_names: Iterable[str]) -> Readers:
    """Return who reads some segmentations, from a dbt manifest."""
    nodes = manifest["nodes"]
    models = {node["name"]: key for key, node in nodes.items() if node["resource_type"] == "model"}
    starts = [models[f"segments_{name}"] for name in segmentations if f"segments_{name}" in models]
    below = _below(manifest["child_map"], starts)
    tables = [
        nodes[key]["name"]
        for key in below
        if key in nodes and nodes[key]["resource_type"] == "model" and _is_public(nodes[key])
    ]
    exposures = [
        f"{entry['name']} ({entry['type']}, {entry['owner'].get('name') or entry['owner'].get('email')})"
        for key, entry in manifest["exposures"].items()
        if key in below
    ]
    by_name = {}
    for segment in lost_names:
        readers = [
            node["original_file_path"]
            for node in nodes.values()
            if f"'{segment}'" in (node.get("raw_code") or "") and not node["name"].startswith("segments_")
        ]
        if readers:
            by_name[segment] = sorted(set(readers))
    return Readers(sorted(set(tables)), sorted(exposures), by_name)


def _is_public(node: Data) -> bool:
    """Whether a model is a mart: contracted, or in a folder of that name; or of a project of one's own."""
    return (
        MARTS in node["fqn"]
        or bool(node.get("contract", {}).get("enforced"))
        or node["package_name"] != "customer_segmentation"
    ) and not node["name"].startswith("segments_")


def _below(children: dict[str, list[str]], starts: list[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found
