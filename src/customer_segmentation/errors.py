"""Errors that a user can mend: the command line shows their message, without a traceback."""


class ReadableError(Exception):
    """The message says what is wrong, and what to do."""
