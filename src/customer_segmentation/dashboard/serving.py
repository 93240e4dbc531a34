"""Serves the boards with filters, by dbt-charts' own server."""

import os
from pathlib import Path
from typing import NoReturn

from customer_segmentation.dashboard import boards, dct, site


def serve(database: Path, name: str, currency: str, language: str, port: int | None = None) -> NoReturn:
    """Serve the boards of a database until interrupted, at a port of dbt-charts' choice if none is given.

    The server takes the place of this process, so that signals reach it. Raises DashboardError if the
    database or dbt-charts is not there.
    """
    work = site.WORK / f"{name}-served"
    command = dct.command("serve", "--project-dir", str(work), "--no-cache")
    segmentations = site.published(database)
    boards.write(work, database.resolve(), currency, language, segmentations, boards.WIDE, served=True)
    if port:
        command += ["--port", str(port)]
    os.execve(command[0], command, dct.environment())
