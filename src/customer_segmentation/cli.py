"""The command `segmentation`: builds an input, reports on it, and writes what is generated."""

import io
import json
import os
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from customer_segmentation import (
    contract,
    explain,
    explain_print,
    export,
    inputs,
    new_input,
    promotion,
    report,
    segment_tables,
)
from customer_segmentation.dashboard import boards, site
from customer_segmentation.definitions import scaffold, schema
from customer_segmentation.demo_shop import main as demo_shop
from customer_segmentation.environment import PROJECT
from customer_segmentation.errors import ReadableError

if TYPE_CHECKING:
    from customer_segmentation.review.review import Review  # takes seconds to import

input_option = click.option(
    "--input",
    "name_or_path",
    default=inputs.DEMO,
    show_default=True,
    metavar="NAME|PATH",
    help="demo, an example's name, or the path of a vars file.",
)


def _with_a_folder(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file that can't be written before there is anything to write."""
    if path and not path.parent.is_dir():
        raise click.BadParameter(f"There is no folder {path.parent} that {path.name} can be written into.")
    if path and not os.access(path.parent, os.W_OK):
        raise click.BadParameter(f"{path.name} can't be written: Permission denied: '{path.parent}'.")
    return path


def _with_a_project(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path and not (path / "dbt_project.yml").is_file():
        raise click.BadParameter(f"{path} is no dbt project: there is no dbt_project.yml in it.")
    return path


output_file = click.Path(dir_okay=False, writable=True, path_type=Path)

GUARD_BROKEN = 3
INTERRUPTED = 130  # as a shell says it


class ReadableErrors(click.Group):
    """Turns the errors that a user can mend into messages without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt as interrupt:
            click.echo(f"\nInterrupted. {interrupt}".rstrip(), err=True)
            context.exit(INTERRUPTED)
        except ReadableError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=ReadableErrors)
def main() -> None:
    """Segment customers with dbt and DuckDB."""


keep_option = click.option(
    "--keep", is_flag=True, help="If it fails, keep what it has built so far, to be looked at."
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress and no report.")


@main.command()
@input_option
@click.option(
    "--full-refresh", is_flag=True, help="Compute closed dates and fits anew; what was published stays."
)
@click.option("--restate", is_flag=True, help="As --full-refresh, and publish the whole history anew.")
@click.option("--select", metavar="NODES", help="Build only these nodes (dbt's --select), without a report.")
@keep_option
@quiet_option
def build(name_or_path: str, quiet: bool, select: str | None, **options: bool) -> None:
    """Run dbt build with an input, publish it at once, then print its segments.

    The first build computes the history; later ones the latest date and what is new.
    """
    _build(name_or_path, quiet, "Building", select=select, **options)


@main.command()
@input_option
@keep_option
@quiet_option
def refresh(name_or_path: str, keep: bool, quiet: bool) -> None:
    """Do what build does: it brings up to date what was built before."""
    _build(name_or_path, quiet, "Building", keep=keep)


@main.command()
@input_option
@click.option("--every", default=60.0, show_default=True, metavar="SECONDS", help="When to look again.")
def watch(name_or_path: str, every: float) -> None:
    """Build whenever a file of the input has changed, until interrupted: a line for each round."""
    from customer_segmentation import watching

    try:
        watching.watch(name_or_path, every, click.echo)
    except KeyboardInterrupt as interrupt:
        click.echo(f"\nStopped. {interrupt}".rstrip())


def _build(name_or_path: str, quiet: bool, doing: str, *, select: str | None = None, **options: bool) -> None:
    from customer_segmentation import builds  # dbt takes seconds to import, and only these commands need it

    source = inputs.resolve(name_or_path)
    console = _console()
    if not quiet:
        console.print(f"{doing} {source.name} ...", highlight=False)
    started = time.monotonic()
    try:
        warnings = builds.build(source, select=select, console=None if quiet else console, **options)
    except builds.BuildError as error:
        raise click.ClickException(f"The build of {source.name} failed.\n\n{error}") from error
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if quiet:
        return
    if not select:
        console.print()
        report.print_report(source.database, _currency(source), console)
    seconds = time.monotonic() - started
    console.print(f"\nBuilt in {seconds:.0f} s: {_short(source.database)}", highlight=False, soft_wrap=True)


@main.command(name="vars")
@click.argument("name_or_path")
def print_vars(name_or_path: str) -> None:
    """Print an input's variables as JSON, for dbt's --vars."""
    click.echo(json.dumps(inputs.resolve(name_or_path).vars, default=str, ensure_ascii=False))


@main.command(name="report")
@input_option
def print_report(name_or_path: str) -> None:
    """Print the segments of a database that was built before."""
    source = inputs.resolve(name_or_path)
    report.print_report(source.database, _currency(source), _console())


of_segmentation = click.option("--segmentation", metavar="NAME", help="Of this segmentation.")


@main.command()
@input_option
@of_segmentation
def profile(name_or_path: str, segmentation: str | None) -> None:
    """Print who is in each segment and what they bring; of one segmentation also what they do."""
    source = inputs.resolve(name_or_path)
    segment_tables.print_profiles(source.database, segmentation, _currency(source), _console())


@main.command()
@input_option
@of_segmentation
@click.option(
    "--months", type=click.IntRange(1), default=6, show_default=True, help="So many as-of dates, the last."
)
def kpis(name_or_path: str, segmentation: str | None, months: int) -> None:
    """Print month by month who came, stayed, moved and left, and the revenue: of everybody or of segments."""
    source = inputs.resolve(name_or_path)
    segment_tables.print_kpis(source.database, segmentation, months, _currency(source), _console())


@main.command(name="promote-clusters")
@click.argument("name")
@click.option("--owner", required=True, help="Who answers for the segmentation.")
@click.option(
    "--only", multiple=True, metavar="CLUSTER", help="Only this cluster; may be given several times."
)
@input_option
def promote_clusters(name: str, owner: str, only: tuple[str, ...], name_or_path: str) -> None:
    """Write the clusters of a build as the segmentation NAME, with conditions."""
    paths = promotion.promote(inputs.resolve(name_or_path).database, name, owner, only)
    click.echo(f"Wrote {' and '.join(_short(path) for path in paths)}.")
    click.echo(f"What is left to do: {promotion.GUIDE}.")


@main.command(name="contract")
@click.option("--check", is_flag=True, help="Write nothing; fail if the page is out of date.")
def write_contract(check: bool) -> None:
    """Write the tables of docs/input_contract.md from the input contract."""
    if not check:
        contract.write()
    elif not contract.is_in_sync():
        raise click.ClickException(
            f"{_short(contract.PAGE)} is out of date. Write it anew: segmentation contract"
        )


@main.command()
@click.argument("base", required=False)
@input_option
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The as-of date to look at; else the latest."
)
@click.option(
    "--segmentation", "segmentations", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@click.option("--database", type=Path, help="Look at this database, not at that of the input.")
@click.option("--base-database", type=Path, help="A build of BASE, to tell apart changes of data and fits.")
@click.option(
    "--project-dir",
    type=Path,
    default=PROJECT,
    callback=_with_a_project,
    help="Another dbt project, which uses this one.",
)
@click.option("--format", "style", type=click.Choice(["table", "markdown", "json"]), default="table")
@click.option("--output", type=output_file, callback=_with_a_folder, help="Write to this file.")
@click.option("--no-guard", is_flag=True, help="Exit with 0 whatever the guards say.")
def diff(
    base: str | None,
    name_or_path: str,
    as_of: datetime | None,
    segmentations: tuple[str, ...],
    database: Path | None,
    base_database: Path | None,
    project_dir: Path,
    style: str,
    output: Path | None,
    no_guard: bool,
) -> None:
    """Say which customers the definitions in the folder would move, against those of BASE.

    BASE is a branch or a commit, the main branch if it is left out. Nothing is built and nothing written to
    the database. Exits with 3 if the change breaks a limit of the definitions (max_moved_share, min_share,
    max_share, or a segment that is left empty).
    """
    from customer_segmentation.review import pages, review  # dbt takes seconds to import

    source = inputs.resolve(name_or_path)
    found = review.review(
        project_dir.resolve(),
        source,
        database=database,
        reference=base,
        vars_file=_vars_file(name_or_path),
        as_of_date=as_of.date() if as_of else None,
        segmentations=segmentations,
        base_database=base_database,
        say=lambda line: click.echo(line, err=True),
    )
    if style == "table" and not output:
        pages.print_blocks(pages.write(found, _currency(source)), _console())
    else:
        text = _review_as_text(found, style, _currency(source))
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            click.echo(text)
    if found.is_blocked and not no_guard:
        sys.exit(GUARD_BROKEN)


@main.command(name="explain")
@click.argument("customer_id", metavar="CUSTOMER")
@input_option
@click.option(
    "--as-of",
    "as_of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="An as-of date; default: the latest.",
)
@click.option("--segmentation", metavar="NAME", help="Only this segmentation, with all its moves.")
def explain_customer(
    customer_id: str, name_or_path: str, as_of: datetime | None, segmentation: str | None
) -> None:
    """Say in which segments CUSTOMER is and why, what is lacking for the next better one, and every move."""
    source = inputs.resolve(name_or_path)
    told = explain.explain(source.database, customer_id, as_of and as_of.date(), segmentation)
    explain_print.print_explanation(told, _currency(source), _console())


@main.command(name="export")
@click.argument("table", metavar="MART")
@input_option
@click.option(
    "--output",
    required=True,
    type=output_file,
    callback=_with_a_folder,
    help="The file to write: .csv or .parquet.",
)
@click.option("--where", metavar="SQL", help="Only rows of which this is true.")
def export_mart(table: str, name_or_path: str, output: Path, where: str | None) -> None:
    """Write a mart, such as customers, to a file for other tools; no text in a CSV is run as a formula."""
    count = export.export(inputs.resolve(name_or_path).database, table, output, where)
    click.echo(f"Wrote {count:,} rows of {table} to {output}.")


@main.command()
@input_option
@click.option("--language", type=click.Choice(boards.LANGUAGES), default="en", show_default=True)
def dashboard(name_or_path: str, language: str) -> None:
    """Draw the boards of a database that was built before, as pages that open without a server."""
    source = inputs.resolve(name_or_path)
    click.echo(f"Drawing the boards of {source.name} ...")
    index, *pages = site.render(source.database, source.name, _currency(source), language, say=click.echo)
    click.echo(f"{len(pages)} pages. Open {_short(index)} in a browser.")


main.add_command(demo_shop, name="demo-shop")


@main.command(name="docs")
@input_option
def write_docs(name_or_path: str) -> None:
    """Write every table and column of what was built, and where each comes from, as pages in build/docs/."""
    from customer_segmentation import docs_pages  # what it needs is optional

    source = inputs.resolve(name_or_path)
    click.echo(f"Documenting {source.name} ...")
    click.echo(f"Open {_short(docs_pages.write(source, click.echo))} in a browser.")


@main.command(name="new")
@click.argument("name")
@click.option("--owner", required=True, help="Who answers for the segmentation.")
@click.option("--question", help="The question that it answers.")
@click.option("--basis", default="behavioural", show_default=True, help="What it looks at.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write, such as the models folder of a project that uses this one as a package.",
)
def new_segmentation(name: str, owner: str, question: str | None, basis: str, folder: Path | None) -> None:
    """Write the segmentation NAME with two example segments and a unit test, to be changed."""
    paths = scaffold.new(name, owner, question, basis, folder)
    click.echo(f"Wrote {' and '.join(_short(path) for path in paths)}. What is left to do:")
    click.echo(f"  1. Put your segments, labels and conditions into {paths[0].name}, and a customer on each")
    click.echo("     side of every boundary into its unit test.")
    click.echo(f"  2. Add {name} to the variable `segmentations` in dbt_project.yml.")
    click.echo(f"  3. dbt build --select segments_{name}, then build everything.")
    click.echo(f"All keys, and what is checked: {scaffold.GUIDE}.")


@main.command(name="new-input")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--output", type=output_file, callback=_with_a_folder, help="Where to write it, otherwise it is printed."
)
def new_input_file(file: Path, output: Path | None) -> None:
    """Look at a CSV or Parquet file of orders and write a vars file to begin with."""
    text = new_input.vars_for(file, re.sub(r"\W+", "_", output.stem if output else "mine"))
    if output is None:
        click.echo(text, nl=False)
    elif output.exists():
        raise click.BadParameter(f"{output} is there already: it is not written over.")
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {output}. Look at the lines with `check:`, then: make build INPUT={output}")


@main.command(name="check")
@input_option
@click.option(
    "--project-dir", type=Path, callback=_with_a_project, help="Another dbt project, which uses this one."
)
def check_definitions(name_or_path: str, project_dir: Path | None) -> None:
    """Check the definitions of segments and build nothing: all mistakes that a build would name."""
    from customer_segmentation import builds  # dbt takes seconds to import

    builds.check(inputs.resolve(name_or_path), project_dir and project_dir.resolve())
    click.echo("The definitions can be used.")


@main.command(name="schema")
@click.option("--check", is_flag=True, help="Write nothing; fail if one of them is out of date.")
def write_schema(check: bool) -> None:
    """Write the JSON schema of definitions and the tables of their guide from the macro with all keys."""
    if not check:
        schema.write()
    elif not schema.is_in_sync():
        raise click.ClickException(
            f"{_short(schema.SCHEMA)} or {_short(schema.GUIDE)} is out of date. "
            "Write them anew: segmentation schema"
        )


def _console() -> Console:
    console = report.plain_console()
    # narrower tables would lose columns: there, lines run over
    console.width = max(console.width, report.WIDTH) if console.is_terminal else report.WIDTH
    return console


def _currency(source: inputs.Input) -> str:
    return str((inputs.project_vars() | source.vars)["currency"])


def _vars_file(name_or_path: str) -> Path | None:
    example = inputs.EXAMPLES / name_or_path / "inputs.yml"
    path = example if example.is_file() else Path(name_or_path)
    return path if path.is_file() else None


def _review_as_text(found: "Review", style: str, currency: str) -> str:
    from customer_segmentation.review import pages, review

    if style == "json":
        return json.dumps(review.as_data(found), indent=2, default=str) + "\n"
    if style == "markdown":
        return pages.markdown(pages.write(found, currency))
    text = io.StringIO()
    pages.print_blocks(pages.write(found, currency), report.plain_console(file=text, width=report.WIDTH))
    return text.getvalue()


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
