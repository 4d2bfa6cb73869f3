"""Errors in one line, which a terminal shows and does not act on."""

from collections.abc import Sequence

_LONGEST_LINE = 1500  # more than any message has whose keys and values somebody typed
_MOST_PROBLEMS = 5


def in_one_line(error: BaseException | str) -> str:
    """Write the message of an error, which may have several lines, in one.

    Parameters
    ----------
    error
        The error, or its message.

    Examples
    --------
    >>> in_one_line("expected  one line,   got gaps")
    'expected one line, got gaps'
    """
    return " ".join(str(error).split())


def listed(problems: Sequence[str]) -> str:
    """List problems in one line: the first few, and how many more there are.

    Parameters
    ----------
    problems
        At least one.

    Examples
    --------
    >>> listed(["seeds: expected distinct seeds", "network: expected keys and values"])
    'seeds: expected distinct seeds; network: expected keys and values'
    """
    n_more = len(problems) - _MOST_PROBLEMS
    return "; ".join([*problems[:_MOST_PROBLEMS], *[f"and {n_more} more"] * (n_more > 0)])


def printable(line: str) -> str:
    r"""Escape characters that a terminal acts on, since a file may hold some, and cut very long lines.

    Parameters
    ----------
    line
        Text of one line.

    Examples
    --------
    >>> printable("a name\x1b[2J")
    'a name\\x1b[2J'
    """
    shown = line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 3]}..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
