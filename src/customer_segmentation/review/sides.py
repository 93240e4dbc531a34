"""The definitions before and after a change, both compiled by dbt against the same project and database.

The side after is the project as it stands in its folder, committed or not. The side before is the same
project, with the definitions, the shared conditions and the list of segmentations of a git reference: so
nothing but definitions differs between the two.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.nodes import SqlNode

from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError
from customer_segmentation.inputs import Input, project_vars

DEFINITION_FILES = ("segments_*", "shared_conditions*")
STATES_DEFINITIONS = "^ +(segmentation|shared_conditions):"
LEARNED_CODE = [
    f"src/customer_segmentation/{name}" for name in ("clusters", "evaluation", "lifetime", "next_order")
]
MAIN_BRANCHES = ("main", "master", "origin/main", "origin/master")


Data = dict[str, Any]  # of a file, or of what dbt writes


class ReviewError(ReadableError):
    """There is nothing to compare, or it can't be read; the message says what to do."""


@dataclass(frozen=True)
class Definition:
    """A segmentation, compiled: as written, with resolved conditions, and as SQL over customer_features."""

    name: str
    assignment: str
    written: Data
    segments: list[Data]
    population: str | None
    columns: list[str]
    expression: str
    left_out: str | None = None

    @property
    def is_overlapping(self) -> bool:
        """Whether a customer may be in several of its segments."""
        return self.assignment == "all_matches"

    @property
    def is_learned(self) -> bool:
        """Whether a column says who is where, and no conditions."""
        return self.assignment == "learned"


@dataclass(frozen=True)
class Side:
    """All definitions of one side of the comparison."""

    definitions: dict[str, Definition]
    problems: dict[str, list[str]]
    relation: str
    raw_columns: dict[str, str]
    manifest: Data = field(repr=False)


@dataclass(frozen=True)
class Base:
    """The commit that is compared with, and what of the project differs from it beside definitions."""

    reference: str
    commit: str
    code: list[str]
    variables: dict[str, tuple[object, object]]


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints; its complaints are a ReviewError."""
    command = ["git", "-C", str(folder), *arguments]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise ReviewError(f"git {' '.join(arguments)}: {outcome.stderr.strip()}")
    return outcome.stdout


def find_base(project: Path, reference: str | None) -> str:
    """Return the commit at which this branch left another one, by default the main branch."""
    git(project, "rev-parse", "--git-dir")
    if reference is None:
        reference = next((name for name in MAIN_BRANCHES if _is_commit(project, name)), None)
        if reference is None:
            raise ReviewError(
                f"There is no branch called {', '.join(MAIN_BRANCHES)}. Name what to compare with: "
                "segmentation diff BRANCH."
            )
    if not _is_commit(project, reference):
        branches = git(project, "branch", "--all", "--format=%(refname:short)").split()
        raise ReviewError(
            f"git knows no '{reference}'. It knows the branches {', '.join(branches)}; "
            "a pull request's runner has to fetch all of them (fetch-depth: 0)."
        )
    try:
        return git(project, "merge-base", reference, "HEAD").strip()
    except ReviewError as error:
        raise ReviewError(
            f"'{reference}' and this branch have no commit in common: is the clone shallow? "
            f"Fetch all of it (git fetch --unshallow).\n{error}"
        ) from error


def _is_commit(project: Path, reference: str) -> bool:
    arguments = ["git", "-C", str(project), "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}"]
    return subprocess.run(arguments, capture_output=True, check=False).returncode == 0


def what_else_changed(project: Path, commit: str, reference: str | None) -> Base:
    """Return what differs from the base beside definitions: code that makes features, and variables."""
    tops = ["models/staging", "models/features", "models/fits", "models/scores", "models/evaluation"]
    tops += ["macros", "seeds", "packages.yml", *LEARNED_CODE]
    changed = git(project, "diff", "--name-only", "--relative", commit, "--", *tops).split("\n")
    changed += git(project, "ls-files", "--others", "--exclude-standard", "--", *tops).split("\n")
    changed = sorted(set(changed) - {""})
    before = _flat(_project_variables(_at(project, commit, "dbt_project.yml")))
    after = _flat(_project_variables((project / "dbt_project.yml").read_text(encoding="utf-8")))
    variables = {
        name: (before.get(name), after.get(name))
        for name in sorted({*before, *after} - {"segmentations"})
        if before.get(name) != after.get(name)
    }
    return Base(reference or commit[:8], commit, changed, variables)


def _project_variables(text: str) -> Data:
    return (yaml.safe_load(text) or {}).get("vars") or {}


def _flat(variables: Data) -> Data:
    """Return variables with those that stand under the package's name beside the others."""
    nested = variables.get("customer_segmentation")
    return variables if nested is None else {**variables, **nested, "customer_segmentation": None}


def _at(project: Path, commit: str, path: str) -> str:
    """Return a file of the project as it was at a commit."""
    return git(project, "show", f"{commit}:./{path}")


def compile_after(project: Path, source: Input, workshop: Path) -> Side:
    """Compile the definitions as they stand in the project's folder.

    What dbt has read of the project is kept in its target folder: next time it reads only what changed.
    """
    kept = project / "target" / "review" / "partial_parse.msgpack"
    read = workshop / "target" / kept.name
    if kept.is_file():
        read.parent.mkdir()
        shutil.copy(kept, read)
    side = _compile(project, workshop, _variables(project, source), f"the definitions in {project}")
    with suppress(OSError):  # a folder that can't be written costs seconds, and nothing else
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(read, kept)
    return side


def compile_before(project: Path, commit: str, source: Input, vars_file: Path | None, workshop: Path) -> Side:
    """Compile the definitions of a commit, with everything else as it stands in the project's folder.

    vars_file: the file that the input's variables were read from, if it is part of the repository: the list
    of segmentations that it had at the commit counts.
    """
    copy = workshop / "before"
    _copy_project(project, copy)
    _put_back_definitions(project, commit, copy)
    variables = _variables(project, source)
    names = _segmentations_at(project, commit, vars_file)
    # other variables would make dbt read the whole project again
    if names != _segmentations_now(project, variables):
        variables["segmentations"] = names
    return _compile(copy, workshop, variables, f"the definitions at {commit[:8]}")


def _variables(project: Path, source: Input) -> Data:
    """Return the variables of an input; of a project that uses this one, all that it and this one state.

    What is compiled belongs to the project in the folder, where those of the package are not seen.
    """
    if project == PROJECT:
        return dict(source.vars)
    stated = _flat(_project_variables((project / "dbt_project.yml").read_text(encoding="utf-8")))
    own = stated.pop("customer_segmentation", ...) is None
    return project_vars() | stated | source.vars if own else dict(source.vars)


def _segmentations_at(project: Path, commit: str, vars_file: Path | None) -> list[str] | None:
    """Return the list of published segmentations as it was at a commit."""
    if vars_file and vars_file.resolve().is_relative_to(project.resolve()):
        path = str(vars_file.resolve().relative_to(project.resolve()))
        if git(project, "ls-tree", "--name-only", commit, "--", f"./{path}").strip():
            stated = yaml.safe_load(_at(project, commit, path)) or {}
            names: list[str] | None = stated.get("segmentations")
            if names:
                return names
    return _published(_project_variables(_at(project, commit, "dbt_project.yml")))


def _segmentations_now(project: Path, variables: Data) -> list[str] | None:
    stated = _project_variables((project / "dbt_project.yml").read_text(encoding="utf-8"))
    return _published(stated | variables)


def _published(variables: Data) -> list[str] | None:
    return _flat(variables).get("segmentations")


def _copy_project(project: Path, copy: Path) -> None:
    """Make a project of links, but for its models, which are copied, because some will be exchanged."""
    copy.mkdir()
    models = _model_paths(project)
    for entry in project.iterdir():
        if entry.name not in {*models, "target", "logs", ".git"}:
            (copy / entry.name).symlink_to(entry.resolve())
    for path in models:
        shutil.copytree(project / path, copy / path)


def _model_paths(project: Path) -> list[str]:
    text = (project / "dbt_project.yml").read_text(encoding="utf-8")
    return [path for path in yaml.safe_load(text).get("model-paths", ["models"]) if (project / path).is_dir()]


def _put_back_definitions(project: Path, commit: str, copy: Path) -> None:
    """Exchange the files of definitions for those of a commit; what is new since then stays, unpublished."""
    folders = [f"./{path}" for path in _model_paths(project)]
    listed = git(project, "ls-tree", "-r", "--name-only", "-z", commit, "--", *folders).split("\0")
    stating = _files_that_state(project, commit, folders)
    before = [
        Path(path)
        for path in listed
        if path in stating or any(Path(path).match(pattern) for pattern in DEFINITION_FILES)
    ]
    names = {path.name for path in before}
    for folder in _model_paths(project):
        for path in (copy / folder).rglob("*"):
            if path.name in names and any(path.match(pattern) for pattern in DEFINITION_FILES):
                path.unlink()
    for path in before:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(_at(project, commit, path.as_posix()), encoding="utf-8")


def _files_that_state(project: Path, commit: str, folders: list[str]) -> set[str]:
    """Return the property files of a commit that hold definitions or shared conditions."""
    command = [
        "git",
        "-C",
        str(project),
        "grep",
        "-l",
        "-E",
        "-e",
        STATES_DEFINITIONS,
        commit,
        "--",
        *folders,
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)  # 1: there are none
    return {line.split(":", 1)[1] for line in outcome.stdout.split("\n") if line.endswith((".yml", ".yaml"))}


@contextmanager
def open_workshop(database: Path, project: Path) -> Iterator[Path]:
    """A folder for what dbt writes, with a profile that can only read the database."""
    profile = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["profile"]
    output = {
        "type": "duckdb",
        "path": str(database.resolve()),
        "threads": 1,
        "config_options": {"access_mode": "READ_ONLY"},
        "schema": _schema(project, profile),
    }
    with tempfile.TemporaryDirectory(prefix="segmentation_") as name:
        folder = Path(name)
        text = yaml.safe_dump({profile: {"target": "review", "outputs": {"review": output}}})
        (folder / "profiles.yml").write_text(text, encoding="utf-8")
        yield folder


def _schema(project: Path, profile: str) -> str:
    """Return the schema that the project's own profile writes to; dbt-duckdb's default if it says none."""
    path = project / "profiles.yml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    entry = (stated or {}).get(profile) or {}
    output = (entry.get("outputs") or {}).get(entry.get("target")) or {}
    return output.get("schema") or "main"


def _compile(project: Path, folder: Path, variables: Data, what: str) -> Side:
    arguments = ["compile", "--inline", "{{ customer_segmentation.definitions_for_review() }}"]
    arguments += ["--project-dir", str(project), "--profiles-dir", str(folder), "--log-level", "none"]
    arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    arguments += ["--no-populate-cache", "--vars", json.dumps(variables, default=str)]
    here = Path.cwd()
    try:
        outcome = dbtRunner().invoke(arguments)
    finally:
        os.chdir(here)
        DuckDBConnectionManager.close_all_connections()
    if outcome.exception:
        raise ReviewError(f"dbt can't read {what}.\n{outcome.exception}")
    assert isinstance(outcome.result, RunExecutionResult)  # as of every `dbt compile`
    compiled = outcome.result.results[0]
    if not outcome.success:
        raise ReviewError(f"dbt can't read {what}.\n{compiled.message}")
    assert isinstance(compiled.node, SqlNode) and compiled.node.compiled_code  # as of --inline
    found = json.loads(compiled.node.compiled_code)
    definitions = {
        entry["name"]: Definition(
            name=entry["name"],
            assignment=entry["assignment"],
            written=entry["written"],
            segments=entry["segments"],
            population=entry.get("population"),
            columns=entry["columns"],
            expression=entry["expression"],
            left_out=entry["left_out_whole"],
        )
        for entry in found["definitions"]
    }
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    return Side(
        definitions,
        found["problems"],
        found["relation"],
        found["raw_columns"],
        manifest,
    )
