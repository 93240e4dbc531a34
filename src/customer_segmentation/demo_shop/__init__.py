"""The demo shop: a Korean omnichannel retailer that never was, made from a fixed seed.

    python -m customer_segmentation.demo_shop --out seeds/demo

Every customer is of a latent type with its own rhythm, tastes and habits; the type and its parameters are
kept in `truth.csv.gz`, which no model reads. Known numbers of bad rows of every kind are mixed into the
files and counted in `expected_rejections.csv`.

The calculation runs on integers (days and seconds since the start, Korean won) and on arrays indexed by
customer, order or session. Only the last step turns them into text.
"""

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    default="seeds/demo",
    show_default=True,
    help="Folder that the files are written to.",
    type=click.Path(file_okay=False, path_type=Path),
)
def main(out: Path) -> None:
    """Make the demo shop anew; the files are the same at every run."""
    # pandas takes seconds to import, and only this command needs it
    from customer_segmentation.demo_shop.files import make_files, summary
    from customer_segmentation.demo_shop.shop import make_shop

    shop = make_shop()
    files = make_files(shop)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    click.echo(summary(shop))
    click.echo(f"\n{len(files)} files, {sum(map(len, files.values())) / 1e6:.2f} MB, in {out}")
