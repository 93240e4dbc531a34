"""The two files of a segmentation: a definition with its unit test, and the line of SQL that compiles it."""

import json
import os
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from customer_segmentation.definitions.language import columns, reserved_words
from customer_segmentation.definitions.schema import SCHEMA
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

SEGMENTS = PROJECT / "models" / "segments"
NAME = re.compile(r"[a-z][a-z0-9_]*")
PACKAGE = "customer_segmentation"


class DefinitionError(ReadableError):
    """A definition can't be written; the message says why."""


@dataclass(frozen=True)
class Definition:
    """What a new definition says. `segments` is YAML; `given` and `expected` are rows of the unit test."""

    description: str
    note: str
    question: str
    basis: str
    population: str
    otherwise: str | None
    owner: str
    segments: str
    test: str
    columns: list[str]
    given: list[str]
    expected: list[str]


def write(folder: Path, name: str, define: Callable[[], Definition]) -> list[Path]:
    """Write segments_<name>.yml and .sql into a folder and return them; nothing is written over.

    In a folder of another dbt project the files call what they need from this one as a package.
    """
    if not NAME.fullmatch(name):
        raise DefinitionError(
            f"A segmentation can't be called '{name}': a name is made of a-z, 0-9 and _, and begins with a "
            "letter."
        )
    taken = "a word of SQL" if name in reserved_words() else "a feature" if name in columns() else None
    if taken:
        raise DefinitionError(
            f"A segmentation can't be called '{name}': that is {taken}. Choose another name."
        )
    if not folder.is_dir():
        raise DefinitionError(f"There is no folder {folder}. Name one in which dbt looks for models.")
    paths = [folder / f"segments_{name}.{ending}" for ending in ("yml", "sql")]
    for path in paths:
        if path.exists():
            raise DefinitionError(f"{path.name} is there already. Choose another name, or delete it first.")
    root = _project_of(folder)
    is_ours = yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))["name"] == PACKAGE
    package = root if is_ours else root / "dbt_packages" / PACKAGE
    schema = Path(os.path.relpath(package.absolute() / SCHEMA.relative_to(PROJECT), folder.absolute()))
    prefix = "" if is_ours else f"{PACKAGE}."
    contents = [_yaml(name, define(), schema.as_posix(), prefix), _MODEL.format(prefix=prefix)]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def _project_of(folder: Path) -> Path:
    for parent in [folder.absolute(), *folder.absolute().parents]:
        if (parent / "dbt_project.yml").is_file():
            return parent
    raise DefinitionError(f"{folder} is in no dbt project. Name a folder in which dbt looks for models.")


def _yaml(name: str, definition: Definition, schema: str, prefix: str) -> str:
    otherwise = f"\n          otherwise: {definition.otherwise}" if definition.otherwise else ""
    return _YAML.format(
        schema=schema,
        name=name,
        description=textwrap.fill(
            definition.description, 114, initial_indent=" " * 6, subsequent_indent=" " * 6
        ),
        note=definition.note,
        question=_text(definition.question),
        basis=definition.basis,
        population=definition.population,
        otherwise=otherwise,
        owner=_text(definition.owner),
        segments=textwrap.indent(definition.segments, " " * 12),
        prefix=prefix,
        test=definition.test,
        columns=", ".join(f"{column}: " for column in definition.columns),
        given="\n".join(f"          - {row}" for row in definition.given),
        expected="\n".join(f"        - {row}" for row in definition.expected),
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


_MODEL = "{{{{ config(materialized='view') }}}}\n\n{{{{ {prefix}segmentation() }}}}\n"

_YAML = """\
# yaml-language-server: $schema={schema}
models:
  - name: segments_{name}
    description: >
{description}
    config:
      meta:
        segmentation: &definition
          # {note}
          question: {question}
          basis: {basis}
          assignment: first_match
          population: {population}{otherwise}
          owner: {owner}
          segments:
{segments}
    columns:
      - {{name: customer_id, description: "{{{{ doc('customer_id') }}}}"}}
      - {{name: as_of_date, description: "{{{{ doc('as_of_date') }}}}"}}
      - {{name: segment, description: "{{{{ doc('segment') }}}}"}}
      - {{name: evidence, description: "{{{{ doc('evidence') }}}}"}}

unit_tests:
  - name: {test}
    model: segments_{name}
    overrides:
      macros:
        {prefix}segmentation_as_written: *definition
        {prefix}segmentation_columns: {{{columns}}}
    given:
      - input: ref('customer_features')
        rows:
{given}
    expect:
      rows:
{expected}
"""
