"""Files in other encodings than UTF-8, as copies that DuckDB can read: a plugin of dbt-duckdb (profiles.yml).

DuckDB itself reads UTF-8, UTF-16 and Latin-1 proper. Its extension for others has to be downloaded.
"""

import codecs
import glob
import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

FUNCTION = "in_utf8"
CHUNK = 1 << 20


class Plugin(BasePlugin):
    """Gives DuckDB the function `in_utf8(path or glob, encoding)`; `folder` says where copies go."""

    folder: Path

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the settings from the profile."""
        self.folder = Path(plugin_config.get("folder", "build/utf8"))

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create the function."""
        conn.create_function(FUNCTION, self._in_utf8, ["VARCHAR", "VARCHAR"], "VARCHAR")

    def _in_utf8(self, path: str, encoding: str) -> str:
        return json.dumps(in_utf8(path, encoding, self.folder))


def in_utf8(path: str, encoding: str, folder: Path) -> dict[str, str]:
    """Copy the files of a path or glob in UTF-8, those alone that have changed since they were copied.

    Return `{"files": glob of the copies}`, or `{"problem": why they can't be read}`.
    """
    try:
        known = codecs.lookup(encoding).name
    except LookupError:
        common = "cp949, cp1252, latin-1, utf-16"
        return {"problem": f"is '{encoding}', and no encoding is called so. Common are {common}"}
    found = glob.glob(path, recursive=True)  # noqa: PTH207, which takes no absolute patterns
    sources = {_name(file): Path(file) for file in sorted(found)}
    copies = folder / hashlib.sha256(f"{path}|{known}".encode()).hexdigest()[:12]
    copies.mkdir(parents=True, exist_ok=True)
    for copy in copies.iterdir():
        if copy.name not in sources:
            copy.unlink()
    for name, source in sources.items():
        if source.suffix not in (".csv", ".txt", ".tsv", ".gz"):
            return {"problem": f"is '{encoding}', and {source} is no CSV: of others nobody need say it"}
        try:
            _copy(source, known, copies / name)
        except UnicodeDecodeError as error:
            return {"problem": f"is '{encoding}', and {source} is something else: {error.reason}"}
    return {"files": f"{copies.absolute()}/*.csv"}


def _name(file: str) -> str:
    """The name of a copy: files of one name in different folders have different ones."""
    folder = hashlib.sha256(str(Path(file).parent).encode()).hexdigest()[:6]
    return f"{Path(file).name.removesuffix('.gz').rsplit('.', 1)[0]}.{folder}.csv"


def _copy(source: Path, encoding: str, copy: Path) -> None:
    written = source.stat().st_mtime_ns
    if copy.exists() and copy.stat().st_mtime_ns == written:
        return
    unfinished = copy.with_suffix(".unfinished")
    opened = gzip.open if source.suffix == ".gz" else open
    try:
        with opened(source, "rb") as bytes_in, unfinished.open("w", encoding="utf-8", newline="") as text_out:
            _decode(bytes_in, encoding, text_out)  # type: ignore[arg-type]
        os.utime(unfinished, ns=(written, written))
        unfinished.replace(copy)
    finally:
        unfinished.unlink(missing_ok=True)


def _decode(bytes_in: BinaryIO, encoding: str, text_out: TextIO) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while chunk := bytes_in.read(CHUNK):
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace")
            byte = error.object[error.start]
            error.reason = f"line {line + before.count(chr(10))}, byte {byte:#04x}, is nothing in it"
            raise
        line += text.count("\n")
        text_out.write(text)
    text_out.write(decoder.decode(b"", final=True))
