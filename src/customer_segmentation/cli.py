"""The command `segmentation`: builds an input, reports on it, and writes what is generated."""

import json
import time
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from customer_segmentation import contract, explain, explain_print, inputs, promotion, report
from customer_segmentation.demo_shop import main as demo_shop

input_option = click.option(
    "--input",
    "name_or_path",
    default=inputs.DEMO,
    show_default=True,
    metavar="NAME|PATH",
    help="demo, an example's name, or the path of a vars file.",
)


class ReadableErrors(click.Group):
    """Turns the errors that a user can mend into messages without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except (
            inputs.InputError,
            report.ReportError,
            promotion.PromotionError,
            explain.ExplainError,
        ) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=ReadableErrors)
def main() -> None:
    """Segment customers with dbt and DuckDB."""


@main.command()
@input_option
@click.option("--full-refresh", is_flag=True, help="Publish the whole history anew.")
@click.option("--apply-only", is_flag=True, help="Fit nothing: apply the fits that are stored.")
@click.option("--select", metavar="NODES", help="Build only these nodes (dbt's --select), without a report.")
@click.option("--quiet", is_flag=True, help="No progress and no report.")
def build(name_or_path: str, full_refresh: bool, apply_only: bool, select: str | None, quiet: bool) -> None:
    """Run dbt build with an input, then print its segments."""
    from customer_segmentation import builds  # dbt takes seconds to import, and only this command needs it

    source = inputs.resolve(name_or_path)
    console = _console()
    if not quiet:
        console.print(f"Building {source.name} ...", highlight=False)
    started = time.monotonic()
    try:
        warnings = builds.build(
            source,
            full_refresh=full_refresh,
            apply_only=apply_only,
            select=select,
            console=None if quiet else console,
        )
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


main.add_command(demo_shop, name="demo-shop")


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = report.WIDTH
    return console


def _currency(source: inputs.Input) -> str:
    return (inputs.project_vars() | source.vars)["currency"]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
