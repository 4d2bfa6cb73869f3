"""How errors are told: in one line, which a terminal shows and does not act on."""

_LONGEST_LINE = 1500  # more than any message has whose keys and values somebody typed


def in_one_line(error: BaseException | str) -> str:
    """Write what an error says in one line, however many a library made of it.

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


def printable(line: str) -> str:
    r"""Escape what a terminal would act on, since it may come from somebody else's file; cut what nobody would read.

    Parameters
    ----------
    line
        Text without line breaks that are meant.

    Examples
    --------
    >>> printable("a name\x1b[2J")
    'a name\x1b[2J'
    """
    shown = line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 3]}..."
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
