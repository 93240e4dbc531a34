"""Renders the boards with dbt-charts, and joins what it draws to pages that need no server and no network.

A board is one drawing of a fixed width. Each page holds two, one for wide and one for narrow screens, and
shows the one that fits. Fonts are kept once, beside the pages.
"""

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from customer_segmentation import databases
from customer_segmentation.dashboard import boards, dct
from customer_segmentation.dashboard.boards import BY_SEGMENTATION, NARROW, ORDER, WIDE, DashboardError
from customer_segmentation.environment import PROJECT

SITE = PROJECT / "build" / "site"
WORK = PROJECT / "build" / "dashboard"
BOARD = re.compile(r"<div [^>]*data-dbt-board>\s*(<svg.*</svg>)\s*</div>\s*</div>\s*<script>", re.DOTALL)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
SCRIPT = re.compile(r"<script>(.*)</script>", re.DOTALL)
DRAWN = re.compile(r"Rendered \S*?([^/\s]+)\.yml to ")
FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def _say_nothing(line: str) -> None:
    """Say nothing: the other width is drawn at the same pace."""


def render(
    database: Path,
    name: str,
    currency: str,
    language: str,
    site: Path = SITE,
    say: Callable[[str], None] = _say_nothing,
) -> list[Path]:
    """Write the pages of a database into the folder of a site and return their paths, index.html first.

    Raises DatabaseError if the database can't be read, DashboardError if a board can't be drawn.
    """
    segmentations = published(database)
    works = {width: WORK / f"{name}-{width}" for width in (WIDE, NARROW)}
    paths = {
        width: boards.write(work, database, currency, language, segmentations, width)
        for width, work in works.items()
    }
    say(f"Drawing {len(paths[WIDE])} pages, for wide and for narrow screens ...")
    with ThreadPoolExecutor() as together:
        list(together.map(_draw, works.values(), paths.values(), [say, _say_nothing]))
    drawn = {
        width: {path.stem: (work / "drawn" / f"{path.stem}.html").read_text("utf-8") for path in paths[width]}
        for width, work in works.items()
    }
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    fonts = {}
    words = boards.translations(language, "pages")
    titles = {board: boards.read(board)["title"] for board in ORDER}
    own_style = (boards.HOME / "page.css").read_text(encoding="utf-8")
    pages = []
    for page in drawn[WIDE]:
        parts = [_parts(drawn[width][page], page) for width in (WIDE, NARROW)]
        fonts.update(dict.fromkeys(font for part in parts for font in part["fonts"]))
        pages.append(site / f"{page}.html")
        pages[-1].write_text(
            _page(page, parts, name, language, words, segmentations, titles, own_style), encoding="utf-8"
        )
    (site / "fonts.css").write_text("\n".join(fonts), encoding="utf-8")
    index = site / "index.html"
    shutil.copyfile(site / "overview.html", index)
    return [index, *pages]


def published(database: Path) -> list[str]:
    """Return the segmentations of a database: those with a column of their own in `customers` first."""
    with databases.opened(database) as connection:
        rows = connection.execute(
            """
            with

            profiles as (
                select distinct segmentation
                from marts.segment_profiles
                where segmentation <> '(all)'
            )

            select profiles.segmentation
            from profiles
            left join information_schema.columns as columns
                on columns.table_schema = 'marts'
                and columns.table_name = 'customers'
                and columns.column_name = profiles.segmentation
            order by columns.ordinal_position nulls last, profiles.segmentation
            """
        ).fetchall()
    return [segmentation for (segmentation,) in rows]


def _draw(work: Path, paths: list[Path], say: Callable[[str], None]) -> None:
    command = dct.command(
        *("render", "--project-dir", str(work)),
        *("--format", "html", "--output", str(work / "drawn" / "{stem}.html"), "--no-cache", "--no-warnings"),
        *map(str, paths),
    )
    drawing = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dct.environment() | {"PYTHONUNBUFFERED": "1"},
        cwd=work,
    )
    drawn, said = [], []
    for line in drawing.stdout:
        if found := DRAWN.match(line):
            drawn.append(found[1])
            if len(drawn) % 5 == 0:
                say(f"{len(drawn):>5} of {len(paths)}")
        elif not line.startswith(str(work)):
            said.append(line)
    if drawing.wait():
        missing = [path.stem for path in paths if path.stem not in drawn]
        raise DashboardError(f"dbt-charts can't draw {', '.join(missing)}:\n{''.join(said).strip()}")


def _parts(document: str, page: str) -> dict:
    """Take a document of dbt-charts apart: drawing, style, script and fonts."""
    board, style, script = BOARD.search(document), STYLE.search(document), SCRIPT.search(document)
    if not (board and style and script):
        raise DashboardError(f"dbt-charts writes {page} in another form than the one that is known here.")
    drawing = board[1]
    return {
        "fonts": FONT.findall(drawing),
        "drawing": FONT.sub("", drawing),
        "style": style[1],
        "script": script[1],
    }


def _page(
    page: str,
    parts: list[dict],
    name: str,
    language: str,
    words: dict[str, str],
    segmentations: list[str],
    titles: dict[str, str],
    own_style: str,
) -> str:
    def said(text: str) -> str:
        return html.escape(words.get(text, text))

    current = max((board for board in ORDER if page.startswith(board)), key=len)
    links = "".join(
        f'<a href="{board}.html"{_current(board == current)}>{said(title)}</a>'
        for board, title in titles.items()
    )
    within = ""
    if current in BY_SEGMENTATION:
        within = "".join(
            f'<a href="{target}.html"{_current(target == page)}>{html.escape(segmentation)}</a>'
            for segmentation in segmentations
            for target in [boards.page(current, segmentation, segmentations)]
        )
        within = f'<nav class="within" aria-label="{said("Segmentation")}">{within}</nav>'
    wide, narrow = parts
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said(titles[current])} · {html.escape(name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="fonts.css">
<style>{wide["style"]}{own_style}</style>
</head>
<body>
<header><strong>{html.escape(name)}</strong><nav aria-label="{said("Boards")}">{links}</nav>{within}</header>
<main>
<h1 class="heard">{said(titles[current])}</h1>
<div class="wide" data-dbt-board>{wide["drawing"]}</div>
<div class="narrow" data-dbt-board>{_with_other_ids(narrow["drawing"])}</div>
</main>
<script>{wide["script"]}</script>
</body>
</html>
"""


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""


def _with_other_ids(drawing: str) -> str:
    """Return a drawing whose ids are not those of the same board drawn wide."""
    return re.sub(r'(\bid="|url\(#|href="#)', r"\1narrow-", drawing)
