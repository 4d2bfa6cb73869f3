"""How errors are told: in one line."""


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
