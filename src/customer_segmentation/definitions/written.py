"""Definitions as property files state them, with all that their conditions rest on written out."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from sqlglot import exp

from customer_segmentation import yaml_files
from customer_segmentation.definitions.conditions import ConditionError, as_text, parse
from customer_segmentation.definitions.files import DefinitionError

STATED = re.compile(r"^ +(segmentation|shared_conditions):", re.MULTILINE)

Written = Mapping[str, Any]  # a definition, as YAML has it


@dataclass(frozen=True)
class Definitions:
    """What a project defines: {segmentation: definition}, in which file, and shared conditions by name."""

    segmentations: dict[str, Written]
    files: dict[str, Path]
    shared: dict[str, str]


def read(*projects: Path) -> Definitions:
    """Read the definitions of dbt projects. What is no YAML is left out: dbt says so."""
    found = Definitions({}, {}, {})
    for project in projects:
        stated = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
        for folder in stated.get("model-paths", ["models"]):
            for path in sorted((project / folder).rglob("*.y*ml")):
                for name, meta in _stated_in(path):
                    if isinstance(meta.get("shared_conditions"), dict):
                        found.shared.update(meta["shared_conditions"])
                    if isinstance(meta.get("segmentation"), dict):
                        found.segmentations[name] = meta["segmentation"]
                        found.files[name] = path.relative_to(project)
    return found


def _stated_in(path: Path) -> Iterator[tuple[str, Written]]:
    """Yield the models of a property file that may define something: name without segments_, and meta."""
    text = path.read_text(encoding="utf-8")
    try:
        content = yaml_files.read(text) if STATED.search(text) else None
    except yaml_files.Mistake as mistake:
        raise DefinitionError(f"{path}: {mistake}") from mistake
    except yaml.YAMLError:
        return
    models = content.get("models") if isinstance(content, dict) else None
    for model in filter(lambda one: isinstance(one, dict), models or []):
        config = model.get("config")
        meta = config.get("meta") if isinstance(config, dict) else None
        if isinstance(meta, dict):
            yield str(model.get("name")).removeprefix("segments_"), meta


def segments_of(written: Written) -> list[Written]:
    """Return the segments of a definition."""
    segments = written.get("segments")
    return [one for one in segments if isinstance(one, dict)] if isinstance(segments, list) else []


def resolved(name: str, definitions: Definitions) -> Written:
    """Return a definition whose conditions have all that they rest on written out.

    The same is done by macros/segments/resolved_conditions.sql, which keeps the words as they are written.
    """
    written = definitions.segmentations[name]
    segments = [
        {**segment, "when": _all_of(_conditions_of(name, segment, definitions))}
        for segment in segments_of(written)
    ]
    population = written.get("population")
    if isinstance(population, str) and population:
        population = _written_out(population, definitions.shared)
    else:  # dbt says so if it is something else
        population = None
    return {**written, "population": population, "segments": segments}


def _conditions_of(
    name: str, segment: Written, definitions: Definitions, path: tuple[str, ...] = ()
) -> list[str]:
    """Return the conditions that all must hold for a segment: those that it is built on first.

    None of those is known where one is not there, or leads back here.
    """
    here = f"{name}.{segment.get('name')}"
    own = [_written_out(segment["when"], definitions.shared)] if isinstance(segment.get("when"), str) else []
    if not segment.get("extends"):
        return own
    *other, base = str(segment["extends"]).split(".")
    there = other[0] if other else name
    for candidate in segments_of(definitions.segmentations.get(there, {})):
        if candidate.get("name") == base and here not in path:
            below = _conditions_of(there, candidate, definitions, (*path, here))
            return below + own if below else []
    return []


def _written_out(condition: str, shared: Mapping[str, str], path: tuple[str, ...] = ()) -> str:
    """Return a condition with the shared ones that it names; what can't be read stays as it is."""

    def meant(node: exp.Expr) -> exp.Expr:
        name = node.name.lower()
        if not isinstance(node, exp.Column) or not isinstance(shared.get(name), str) or name in path:
            return node
        tree = parse(_written_out(shared[name], shared, (*path, name)))
        is_open = isinstance(node.parent, exp.Connector | exp.Paren | None) and not isinstance(
            tree, exp.Connector
        )
        return tree.copy() if is_open else exp.paren(tree)

    try:
        tree = parse(condition)
        names = {column.name.lower() for column in tree.find_all(exp.Column)}
        return as_text(tree.transform(meant)) if names & shared.keys() else condition.strip()
    except ConditionError:
        return condition


def _all_of(conditions: list[str]) -> str | None:
    if len(conditions) < 2:
        return next(iter(conditions), None)
    with suppress(ConditionError):
        trees = [parse(condition).copy() for condition in conditions]
        parts = [exp.paren(tree, copy=False) if isinstance(tree, exp.Or) else tree for tree in trees]
        return as_text(reduce(lambda one, other: exp.And(this=one, expression=other), parts))
    return " and ".join(f"({condition})" for condition in conditions)
