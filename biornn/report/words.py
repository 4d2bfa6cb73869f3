"""Words of a report."""


def plural(n: int, noun: str) -> str:
    """Count things: ``1 network``, ``1,200 networks``.

    Parameters
    ----------
    n
        How many.
    noun
        What, in the singular.

    Examples
    --------
    >>> plural(2, "seed")
    '2 seeds'
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
