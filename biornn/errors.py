"""Errors in one printable line."""

from collections.abc import Sequence

_LONGEST_LINE = 1500  # more than any message has whose keys and values somebody typed
_MOST_PROBLEMS = 5


class OneLineError(ValueError):
    """An error whose message is one printable line, whatever was in the file that it is about."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(in_one_line(message)))


def in_one_line(error: BaseException | str) -> str:
    """Write the message of an error, which may have several lines, in one."""
    return " ".join(str(error).split())


def named(error: BaseException) -> str:
    """Write an error in one line that begins with the name of its class."""
    return f"{type(error).__name__}: {in_one_line(error)}"


def listed(problems: Sequence[str]) -> str:
    """List problems in one line: the first few, and how many more there are."""
    n_more = len(problems) - _MOST_PROBLEMS
    return "; ".join([*problems[:_MOST_PROBLEMS], *[f"and {n_more} more"] * (n_more > 0)])


def printable(line: str) -> str:
    """Escape characters that a terminal acts on, since a file may hold some, and cut very long lines."""
    shown = line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 3]}..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
