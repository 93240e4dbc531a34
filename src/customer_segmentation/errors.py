"""Errors that a user can mend: the command line shows their message, without a traceback."""

import difflib
from collections.abc import Iterable


class ReadableError(Exception):
    """The message says what is wrong, and what to do."""


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """Return the message that nothing of a kind has that name: what may be meant, and what there is."""
    names = list(names)
    near = difflib.get_close_matches(name, names, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f"There is no {kind} '{name}'.{guess} There is {', '.join(names) or 'none yet'}."
