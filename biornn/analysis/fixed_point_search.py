"""The search for all fixed points of one network: in batches of starts, and when to stop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from biornn.analysis.fixed_point_starts import draw_between, draw_starts, in_steps, possible_rates, rates_in_box
from biornn.analysis.roots import MAX_STEPS, Candidates, MapBlocks, Proof, blocks_of, find_roots, rows_at_once
from biornn.analysis.run_to_rest import run_to_rest
from biornn.analysis.stationary import Stationary
from biornn.tasks.seeds import generator

_Array = NDArray[np.float64]

_QUIET_BATCHES, _QUIET_SHARE = 3, 0.2  # in a row without a new point, and their share of all: the last are rarest
_SMALLEST_PORTION = 8  # starts
_SHARE_BETWEEN = 0.75  # of a batch: starts between points that are known, once there are some
_FEW_STEPS = 20  # of these starts: nearly all that reach a root have by then; the others look for slow points, too
_IS_ROOT = 1e-12  # residual, over 1 + the length of the state
_SAME = 1e-6  # states that are this close, over 1 + their length, are proved to be one root, or not, together
_POINT = 1e-3  # size, over that of the states, below which roots that are not isolated are one point
_SINGULAR = 1e-6  # singular value, over the largest or 1, of a direction in which a manifold extends
_MIDDLE = 0.25  # of the distance of two states: how far their middle may be from the manifold that they are on
_RARE = 0.005  # share of runs that would end in an attractor not found yet, below which there are no more of them
_MOST_RUNS = 16  # batches of them
_LONGEST, _MOST_STEPS = 200, 5000  # of a run, in time constants and in steps
_SHORTEST = 10  # time constants of a run whose end says where the network ends
_IS_STILL = 1e-6  # speed of a network that stands still, over 1 + the length of its state


class Points(NamedTuple):
    """Fixed points or slow points of one network, a row each; one row stands for a manifold.

    Where no isolated fixed point is proved, `error_bound` is NaN, and its index in `indices` 0; `n_hits` counts the
    starts that led there.
    """

    state: _Array
    residual: _Array
    error_bound: _Array
    n_hits: NDArray[np.int_]
    indices: NDArray[np.int_]
    manifold_dim: NDArray[np.int_]


class Found(NamedTuple):
    """What a search found, and whether nothing says that a fixed point is missing."""

    points: Points
    is_slow: NDArray[np.bool_]
    n_unseen: float
    unseen_basin: float
    is_complete: bool
    usual_speed: float


def search(
    of: Stationary,
    given: _Array | None,
    n_starts: int,
    max_batches: int,
    slow: float,
    seed: int,
    map_blocks: MapBlocks = map,
) -> Found:
    """Search where the network ends, and then from batches of starts until some in a row find nothing new.

    Parameters
    ----------
    of
        The network.
    given
        Rates (row, unit) from which to start, such as those of its activity; None: it draws all starts.
    n_starts, max_batches
        Starts in a batch, and batches at most.
    slow
        Share of the usual speed, below which a minimum of the speed is a slow point; usual is the median of the given
        rates, or of rates in the box where there are none, or none that move.
    seed
        Of the starts.
    map_blocks
        As of `find_roots`; it does not change what is found.
    """
    rng = generator("fixed points", seed)
    known, doubtful, minima = _Known(of, map_blocks), [], []
    n_quiet = 0
    exact, is_exhaustive = of.known()
    attracted, unseen_basin = _attractors(of, known, n_starts, rng, map_blocks)
    doubtful.append(attracted)
    for number in range(max_batches):
        extra = exact if number == 0 else known.without_mirror() if of.is_odd else exact[:0]
        between = draw_between(known.state, known.n_hits, int(_SHARE_BETWEEN * n_starts), rng)
        starts = draw_starts(of, given, n_starts - len(between), rng, is_first=number == 0)
        n_before = len(known.state)
        portions = [(extra, MAX_STEPS)]
        portions += [(portion, MAX_STEPS) for portion in _portions(starts)]
        portions += [(portion, _FEW_STEPS) for portion in _portions(between)]
        for portion, max_steps in portions:
            found = find_roots(of.map, portion, known.near, max_steps, map_blocks)
            is_root = _is_root(of, found)
            if portion is exact:
                is_exhaustive &= bool(is_root.all())
            doubtful.append(known.add(_of(found, is_root)))
            minima.append(_of(found, found.is_stationary & ~is_root))
        n_quiet = 0 if len(known.state) > n_before else n_quiet + 1
        is_quiet = n_quiet >= max(_QUIET_BATCHES, _QUIET_SHARE * (number + 1))
        # Where there are points that are not isolated, the index says nothing, and more batches bring more of them.
        if is_quiet and (known.seem_complete or any(len(one.state) for one in doubtful)):
            break
    reference = 0.0 if given is None else of.usual_speed(given)
    reference = reference or of.usual_speed(rates_in_box(of, n_starts, generator("usual speed", seed)))
    manifolds = _manifolds(of, _together(doubtful))
    slow_points = _slow_points(of, _together(minima), slow * reference)
    groups = [known.points(), manifolds, slow_points]
    points = Points(*(np.concatenate(arrays) for arrays in zip(*groups, strict=True)))
    is_slow = np.repeat([False, False, True], [len(group.state) for group in groups])
    is_complete = not len(manifolds.state) and (is_exhaustive or (is_quiet and known.seem_complete))
    n_unseen, unseen_basin = (0.0, 0.0) if is_exhaustive else (known.n_unseen, unseen_basin)
    return Found(points, is_slow, n_unseen, unseen_basin, is_complete, reference)


def _portions(starts: _Array) -> list[_Array]:
    """Split starts into portions, each twice as large: later ones end early at the roots that earlier ones found.

    Those of small networks stay together: there many are worked on at once.
    """
    if rows_at_once(starts.shape[1]) >= _SMALLEST_PORTION:
        return [starts]
    ends = _SMALLEST_PORTION * (2 ** np.arange(1, len(starts).bit_length() + 1) - 1)
    return [portion for portion in np.split(starts, ends) if len(portion)] or [starts]


def _attractors(
    of: Stationary, known: _Known, n_starts: int, rng: np.random.Generator, map_blocks: MapBlocks
) -> tuple[Candidates, float]:
    """Run the network from possible rates until runs hardly end anywhere new, and add where they end.

    Returns the roots there that cannot be proved, and the share of such rates from which it would end anywhere else:
    that of the runs whose end no other run had (Good 1953, Biometrika 40, 237); NaN where runs are too short to end.
    """
    doubtful, n_steps = [], in_steps(of, _LONGEST, _MOST_STEPS)
    for number in range(1, _MOST_RUNS + 1):
        ends, stands_still = run_to_rest(of, of.state_of(possible_rates(of, n_starts, rng)), _IS_STILL, n_steps)
        for portion in _portions(ends[stands_still]):
            found = find_roots(of.map, portion, known.near, map_blocks=map_blocks)
            doubtful.append(known.add(_of(found, _is_root(of, found))))
        n_rare = _RARE * number * n_starts
        if n_rare >= 1 and known.n_once <= n_rare:  # of fewer runs, none needs to be among those that are rare
            break
    is_short = _MOST_STEPS * np.median(of.leak) < _SHORTEST
    return _together(doubtful), np.nan if is_short else known.n_once / (number * n_starts)


class _Known:
    """The isolated fixed points that are proved, each once."""

    def __init__(self, of: Stationary, map_blocks: MapBlocks = map) -> None:
        self._of, self._map_blocks = of, map_blocks
        self.state = np.empty((0, of.n_numbers))
        self._residual, self._error, self._unique = np.empty(0), np.empty(0), np.empty(0)
        self.n_hits, self._index = np.empty(0, int), np.empty(0, int)

    def add(self, found: Candidates) -> Candidates:
        """Add what is new of roots, count the rest as hits, and return those that cannot be proved."""
        left = self._hit(found)
        if not len(left.state):
            return left
        label = _components(left.state, _SAME * (1 + np.linalg.norm(left.state, axis=1)))
        order = np.lexsort((left.residual, label))
        best = order[np.unique(label[order], return_index=True)[1]]  # that of each group with the smallest residual
        proof = self._prove(left.state[best], left.residual[best])
        proved = np.flatnonzero(proof.unique_within > 0)
        state, error = left.state[best[proved]], proof.error_bound[proved]
        # Where the balls in which two roots are meet, they are one: the one that was found first.
        is_known = (self._of.apart(state, self.state) <= self._error + error[:, np.newaxis]).any(axis=1)
        meets = self._of.apart(state, state) <= error + error[:, np.newaxis]
        new: list[int] = []
        for row in np.flatnonzero(~is_known):
            if not meets[row, new].any():
                new.append(int(row))
        self.state = np.concatenate([self.state, state[new]])
        self._residual = np.append(self._residual, left.residual[best[proved[new]]])
        self._error = np.append(self._error, error[new])
        self._unique = np.append(self._unique, proof.unique_within[proved[new]])
        self.n_hits = np.append(self.n_hits, np.zeros(len(new), int))
        self._index = np.append(self._index, self._of.index(state[new]))
        return self._hit(left)

    def _prove(self, state: _Array, residual: _Array) -> Proof:
        found = self._map_blocks(lambda block: self._of.prove(state[block], residual[block]), blocks_of(state))
        return Proof(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def _hit(self, found: Candidates) -> Candidates:
        """Count the roots that lie well within the distance at which a known one is the only one; return the others."""
        if not len(self.state) or not len(found.state):
            return found
        apart = self._of.apart(found.state, self.state)
        is_hit = apart <= np.minimum(self._unique / 2, self._largest_reach)
        nearest = np.where(is_hit, apart, np.inf).argmin(axis=1)
        any_hit = np.asarray(is_hit.any(axis=1))
        np.add.at(self.n_hits, nearest[any_hit], 1)
        return _of(found, ~any_hit)

    def near(self, state: _Array) -> _Array:
        """Return the root to which Newton's method leads from each state (row, n_numbers); NaN where that is not known.

        It does so from within ``2 / (3 b L)`` (Rheinboldt 1974, Banach Cent. Publ. 3, 129), with b and L as in a proof,
        whose uniqueness ends at ``2 / (b L)``; a sixth of that leaves room for b, which is that of a state nearby.
        """
        roots = np.full_like(state, np.nan)
        if len(self.state):
            apart = self._of.apart(state, self.state)
            is_near = apart + self._error <= self._unique / 6
            nearest = np.where(is_near, apart, np.inf).argmin(axis=1)
            any_near = is_near.any(axis=1)
            roots[any_near] = self.state[nearest[any_near]]
        return roots

    def without_mirror(self) -> _Array:
        """Return the mirror images of those that have none yet."""
        apart = _apart(-self.state, self.state).min(axis=1, initial=np.inf)
        return -self.state[apart > self._largest_reach]

    @property
    def _largest_reach(self) -> _Array:
        """How far from each of them a state counts as that one, at most."""
        return 1e3 * _SAME * (1 + np.linalg.norm(self.state, axis=1))

    @property
    def n_once(self) -> int:
        """How many of them one start led to."""
        return int(np.sum(self.n_hits == 1))

    @property
    def n_unseen(self) -> float:
        once, twice = self.n_once, int(np.sum(self.n_hits == 2))
        return once * (once - 1) / (2 * (twice + 1))

    @property
    def seem_complete(self) -> bool:
        """Whether nothing says that some are missing: neither the index, nor how many were found once."""
        return self.n_unseen == 0 and (not self._of.is_bounded or int(self._index.sum()) == 1)

    def points(self) -> Points:
        """Return them, in the order in which they were found."""
        no_dims = np.zeros(len(self.state), int)
        error = self._of.own_error(self.state, self._error)
        return Points(self.state, self._residual, error, self.n_hits, self._index, no_dims)


def _manifolds(of: Stationary, doubtful: Candidates) -> Points:
    """Make one row of each manifold, or point, of roots that are not isolated."""
    if not len(doubtful.state):
        return _no_points(of.n_numbers)
    same = _components(doubtful.state, _SAME * (1 + np.linalg.norm(doubtful.state, axis=1)))
    first = np.unique(same, return_index=True)[1]
    state, residual, n_same = doubtful.state[first], doubtful.residual[first], np.bincount(same)
    tree = scipy.sparse.csgraph.minimum_spanning_tree(_apart(state, state)).tocoo()
    ends = state[tree.row], state[tree.col]
    half = (ends[0] + ends[1]) / 2
    middle = find_roots(of.map, half)
    moved = np.linalg.norm(middle.state - half, axis=1)
    linked = (moved <= _MIDDLE * tree.data) & _is_root(of, middle)
    # Around a point where a bifurcation begins all states are roots up to rounding, and Newton's steps go far.
    linked |= _is_root(of, Candidates(half, np.linalg.norm(of.values(half), axis=1), np.zeros(len(half), bool)))
    if len(middle.state):  # a root that is alone is on no manifold
        linked &= of.prove(middle.state, middle.residual).unique_within == 0
    edges = tree.row[linked], tree.col[linked]
    graph = scipy.sparse.coo_matrix((np.ones(int(linked.sum())), edges), shape=tree.shape)
    label = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    chosen, dims = [], []
    for group in (np.flatnonzero(label == one) for one in range(label.max() + 1)):
        center = state[group].mean(axis=0)
        distance = np.linalg.norm(state[group] - center, axis=1)
        chosen.append(group[distance.argmin()])
        values = np.linalg.svd(of.map.derivatives(state[chosen[-1:]])[0], compute_uv=False)
        is_point = distance.max() <= _POINT * (1 + np.linalg.norm(center))
        dims.append(0 if is_point else max(1, int(np.sum(values <= _SINGULAR * max(1.0, values[0])))))
    hits = np.bincount(label, n_same).astype(int)
    return _unproved(state[chosen], residual[chosen], hits, np.array(dims))


def _slow_points(of: Stationary, minima: Candidates, slowest: float) -> Points:
    """Keep one of each minimum of the speed that is slow enough."""
    kept = _of(minima, of.speed(minima.state) <= slowest)
    if not len(kept.state):
        return _no_points(of.n_numbers)
    label = _components(kept.state, 1e-3 * (1 + np.linalg.norm(kept.state, axis=1)))
    order = np.lexsort((kept.residual, label))
    best = order[np.unique(label[order], return_index=True)[1]]
    return _unproved(kept.state[best], kept.residual[best], np.bincount(label), np.zeros(len(best), int))


def _is_root(of: Stationary, found: Candidates) -> NDArray[np.bool_]:
    """Say where the residual is as small as rounding lets it be, and rates are within their limits."""
    smallest = np.maximum(_IS_ROOT * (1 + np.linalg.norm(found.state, axis=1)), of.rounding(found.state))
    rates, (low, high) = of.rates(found.state), of.limits
    is_possible = np.all((rates >= low - _SAME) & (rates <= high + _SAME), axis=1)
    return np.asarray(is_possible & (found.residual <= smallest))


def _no_points(n_numbers: int) -> Points:
    return _unproved(np.empty((0, n_numbers)), np.empty(0), np.empty(0, int), np.empty(0, int))


def _unproved(state: _Array, residual: _Array, n_hits: NDArray[np.int_], manifold_dim: NDArray[np.int_]) -> Points:
    return Points(state, residual, np.full(len(state), np.nan), n_hits, np.zeros(len(state), int), manifold_dim)


def _of(found: Candidates, kept: NDArray[np.bool_]) -> Candidates:
    return Candidates(found.state[kept], found.residual[kept], found.is_stationary[kept])


def _together(parts: list[Candidates]) -> Candidates:
    state, residual, is_stationary = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Candidates(state, residual, is_stationary)


def _apart(a: _Array, b: _Array) -> _Array:
    return scipy.spatial.distance.cdist(a, b)


def _components(state: _Array, within: _Array) -> NDArray[np.int_]:
    """Label the groups of states (row, unit) that are linked by distances of at most `within` (row,)."""
    close = scipy.sparse.csr_matrix(_apart(state, state) <= within[:, np.newaxis])
    labels: NDArray[np.int_] = scipy.sparse.csgraph.connected_components(close, directed=False)[1]
    return labels
