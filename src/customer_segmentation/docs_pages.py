"""Two pages that open without a server: dbt's documentation, and where each column comes from."""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

from customer_segmentation import databases
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError
from customer_segmentation.inputs import Input

PAGES = PROJECT / "build" / "docs"
COLUMNS = "columns.html"  # models/_docs.md links to it


class DocsError(ReadableError):
    """The pages can't be written; the message says why, and what to do."""


def write(source: Input, say: Callable[[str], None], pages: Path = PAGES) -> Path:
    """Write the pages of what was built with an input, and return the first one.

    Raises DocsError if it was not built here, dbt-colibri is not installed, or dbt fails.
    """
    try:
        from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
        from dbt_colibri.report.generator import DbtColibriReportGenerator
    except ImportError as error:
        raise DocsError(
            "Where columns come from is found by dbt-colibri, which is not installed.\n"
            "  Install it: .venv/bin/pip install --no-deps -r requirements-docs.lock\n"
            "  or let make do it: make docs"
        ) from error
    if source.built_elsewhere:
        raise DocsError(f"{source.database} is of another project. Document it there: dbt docs generate.")
    databases.check(source.database)
    say("Reading the tables and columns ...")
    target = PROJECT / "target" / source.name
    _run_dbt(source, target)
    say("Tracing the columns ...")
    logging.getLogger("colibri").setLevel(logging.CRITICAL)
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        extractor = DbtColumnLineageExtractor(str(target / "manifest.json"), str(target / "catalog.json"))
        DbtColibriReportGenerator(extractor, disable_telemetry=True).generate_report(output_dir=folder)
        untraced = Path(folder) / "colibri-parsing-errors.json"
        if untraced.is_file():
            say(f"{len(json.loads(untraced.read_text('utf-8')))} columns can't be traced.")
        pages.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(folder) / "index.html", pages / COLUMNS)
    shutil.copyfile(target / "static_index.html", pages / "index.html")
    return pages / "index.html"


def _run_dbt(source: Input, target: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # dbt takes seconds to import
    from dbt.cli.main import dbtRunner

    arguments = ["docs", "generate", "--static", "--project-dir", str(PROJECT), "--target-path", str(target)]
    arguments += ["--profiles-dir", str(PROJECT), "--log-level", "none"]
    if source.vars:
        arguments += ["--vars", json.dumps(source.vars, default=str)]
    with chdir(Path.cwd()):  # dbt leaves for the project's folder
        outcome = dbtRunner().invoke(arguments)
    DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        raise DocsError(f"dbt can't write its documentation: {outcome.exception or 'see logs/dbt.log'}")
