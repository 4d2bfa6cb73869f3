"""Words of a report."""

from math import isnan


def plural(n: int, noun: str, several: str | None = None) -> str:
    """Count things: ``1 network``, ``1,200 networks``; `several` is a plural that is not the singular with an s.

    Examples
    --------
    >>> plural(2, "seed")
    '2 seeds'
    """
    return f"{n:,} {noun if n == 1 else several or f'{noun}s'}"


def p_text(p_value: float) -> str:
    """Write a p-value with two digits; NaN, where there is no test, is a dash.

    Examples
    --------
    >>> p_text(0.03125), p_text(0.00001)
    ('0.031', '< 0.001')
    """
    if isnan(p_value):
        return "–"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.2g}"
