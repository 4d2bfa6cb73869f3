"""Generators whose streams never meet."""

import itertools

import numpy as np
import pytest

from biornn.tasks.seeds import generator


def draws(*args):
    return generator(*args).integers(0, 2**63, 4).tolist()


def test_purpose_and_seed_fix_the_stream():
    assert draws("training", 1, 2) == draws("training", 1, 2)
    assert draws("training", np.int64(1)) == draws("training", 1)
    # The same in every process and from version to version, or no run could be made again. numpy promises that the raw
    # numbers of a seeded generator never change.
    assert generator("training", 0).bit_generator.random_raw(2).tolist() == [13789693981467043906, 11911792540804164]


def test_streams_of_other_purposes_and_seeds_differ():
    every = list(itertools.product(("training", "validation", "recording"), range(5), range(5)))
    streams = [tuple(draws(*arguments)) for arguments in every]
    assert len(set(streams)) == len(every)


@pytest.mark.parametrize(("one", "other"), [((1,), (1, 0)), ((2**32 + 5,), (5, 1)), ((12,), (1, 2))])
def test_seeds_of_another_number_or_size_are_other_streams(one, other):
    assert draws("x", *one) != draws("x", *other)


def test_streams_do_not_correlate():
    first, second = (generator(purpose, 0).standard_normal(10_000) for purpose in ("training", "validation"))
    assert abs((first * second).mean()) < 4.5 / 100  # standard errors


@pytest.mark.parametrize("seed", [-1, True, 1.5])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises((TypeError, ValueError), match="seed: expected an integer of at least 0, got "):
        generator("training", seed)
