"""A policy for each segment: chosen on the first half of the counted days, judged on the second.

A choice among many is lucky. So a policy takes all SKUs from the default, and then a segment from what is
best for all, only where it is significantly better over SKUs and seeds, with all that were tried allowed for
(Bonferroni); and what was chosen is simulated anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from batch.forecaster.segmentation import NEW, Names
from batch.forecaster.windows import Flags
from infra.contracts.replenishment import CoverUntilNextArrival, SegmentReplenishment
from infra.errors import StockstreamError
from serving.inventory.cover import Floats
from serving.simulation.twin.intervals import sum_interval
from serving.simulation.twin.policies import OWN, Policy, SegmentPolicies, Simulated
from serving.simulation.twin.runs import Result
from serving.simulation.twin.scores import METRICS, Sums

LEAST_SKUS = 10
"""SKUs below which a segment keeps the policy for all, and all keep the default."""
CHANCE = 0.05
DEFAULT = Policy(OWN, None)
_AS_BEFORE = CoverUntilNextArrival(policy="cover-until-next-arrival")
FIRST, SECOND = 0, 1

_TOTAL, _SHORTAGE, _FILL = (
    list(METRICS).index(name) for name in ("total_cost", "shortage_cost", "fill_rate")
)
_ACCEPTED = "cost, or fill-rate with a share above 0 and below 1, such as fill-rate:0.95"

Results = Mapping[Simulated, Sequence[Result]]


@dataclass(frozen=True)
class Goal:
    """What is least in the chosen policy.

    Without a fill rate total cost; with one the cost of holding, ordering and waste of those that reach it.
    """

    fill_rate: float | None

    @property
    def words(self) -> str:
        if self.fill_rate is None:
            return "least total cost"
        return f"least cost of holding, ordering and waste at a fill rate of {self.fill_rate:.1%}"

    def reaches(self, fill_rate: float) -> bool:
        """Whether a policy may be chosen."""
        return self.fill_rate is None or fill_rate >= self.fill_rate

    def costs(self, sums: Sums) -> Floats:
        """Money (rows,)."""
        total: Floats = sums.numerators[_TOTAL]
        return total if self.fill_rate is None else total - sums.numerators[_SHORTAGE]


@dataclass(frozen=True)
class Difference:
    """Cost of one policy less that of another one, mean over the seeds, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SegmentChoice:
    """The policy of some SKUs and why; what the best one cost less the one that had to be beaten."""

    segment: str
    skus: int
    policy: Policy
    why: str
    difference: Difference | None = None


@dataclass(frozen=True)
class Choice:
    """The policy for all SKUs, and that of every segment.

    Attributes:
        goal: what is least.
        whole: what a segment keeps unless another policy is better there.
        segments: by name.
        single: the best policy for all SKUs, significant or not.
        rows: the segment of each row.
    """

    goal: Goal
    whole: SegmentChoice
    segments: tuple[SegmentChoice, ...]
    single: Policy
    rows: tuple[str, ...]

    @property
    def keeps_default(self) -> bool:
        """Whether there is nothing to change."""
        return all(each.policy == DEFAULT for each in (self.whole, *self.segments))

    @property
    def policies(self) -> SegmentPolicies:
        """What was chosen, to be run and published; of segments only what differs from that for all."""
        said = tuple(
            SegmentReplenishment(segment=each.segment, replenishment=each.policy.of_any or _AS_BEFORE)
            for each in self.segments
            if each.policy != self.whole.policy
        )
        return SegmentPolicies(self.rows, self.whole.policy.of_any, said)


def parse_goal(text: str) -> Goal:
    """A goal from `cost` or `fill-rate:SHARE`.

    Raises:
        StockstreamError: it is neither; says what is accepted.
    """
    name, _, value = text.partition(":")
    try:
        fill_rate = float(value)
    except ValueError:
        fill_rate = float("nan")
    if text == "cost":
        return Goal(None)
    if name != "fill-rate" or not 0 < fill_rate < 1:
        raise StockstreamError(f"option --choose {text}: accepted are {_ACCEPTED}")
    return Goal(fill_rate)


def candidates_of(policies: Sequence[Policy]) -> list[Policy]:
    """The policies to choose from, the default first.

    Raises:
        StockstreamError: nobody can say one of them of a segment, or there is no other one than the default.
    """
    for policy in policies:
        if policy != DEFAULT and policy.of_any is None:
            raise StockstreamError(
                f"option --choose: {policy.label} cannot be set for a segment, as it depends on each item's "
                "cost or is not in production: leave it out"
            )
    found = list(dict.fromkeys([DEFAULT, *policies]))
    if len(found) == 1:
        raise StockstreamError(
            f"option --choose: there is only {OWN} to choose from: name more with --policy"
        )
    return found


def choose_policies(results: Results, candidates: Sequence[Policy], segment: Names, goal: Goal) -> Choice:
    """The policies of the segments, from the first half of runs with each candidate.

    Args:
        results: of every candidate.
        candidates: with the default.
        segment: (rows,) as known before the simulated days.
        goal: what is least.
    """
    first, every = Half(results, goal, FIRST), np.ones(len(segment), dtype=np.bool_)
    whole = _chosen(first, candidates, "all", every, DEFAULT)
    names = np.unique(segment[segment != NEW]).tolist()
    chosen = tuple(_chosen(first, candidates, name, segment == name, whole.policy) for name in names)
    single = first.best(candidates, every) or DEFAULT
    return Choice(goal, whole, chosen, single, tuple(segment.tolist()))


class Half:
    """Costs and fill rates of one half of the counted days, each on some rows."""

    def __init__(self, results: Results, goal: Goal, half: int) -> None:
        self._goal = goal
        self._sums = {policy: [run.halves[half] for run in runs] for policy, runs in results.items()}

    def costs(self, policy: Simulated, rows: Flags) -> Floats:
        """Money (seeds, rows)."""
        return np.stack([self._goal.costs(sums)[rows] for sums in self._sums[policy]])

    def fill_rate(self, policy: Simulated, rows: Flags) -> float:
        """Units served on their day / units wanted; 1 where nothing was."""
        served = sum(float(sums.numerators[_FILL, rows].sum()) for sums in self._sums[policy])
        wanted = sum(float(sums.denominators[_FILL, rows].sum()) for sums in self._sums[policy])
        return served / wanted if wanted else 1.0

    def best(self, candidates: Sequence[Policy], rows: Flags) -> Policy | None:
        """The cheapest that reaches the goal, of equal ones the first; None where none does."""
        reaching = [each for each in candidates if self._goal.reaches(self.fill_rate(each, rows))]
        return min(reaching, key=lambda each: float(self.costs(each, rows).sum()), default=None)

    def difference(self, one: Simulated, other: Simulated, rows: Flags, chance: float) -> Difference:
        less = self.costs(one, rows) - self.costs(other, rows)
        return Difference(float(less.sum(axis=1).mean()), *sum_interval(less, chance))


def _chosen(half: Half, candidates: Sequence[Policy], name: str, rows: Flags, kept: Policy) -> SegmentChoice:
    """The best policy on the rows, or the one that is kept unless another one is significantly better."""
    skus = int(rows.sum())
    if skus < LEAST_SKUS:
        return SegmentChoice(name, skus, kept, f"fewer than {LEAST_SKUS} SKUs")
    best = half.best(candidates, rows)
    if best is None:
        return SegmentChoice(name, skus, kept, "no policy reaches the fill rate")
    if best == kept:
        return SegmentChoice(name, skus, kept, "is best")
    less = half.difference(best, kept, rows, CHANCE / (len(candidates) - 1))
    if half.best([kept], rows) is None:
        return SegmentChoice(name, skus, best, f"reaches the fill rate, {kept.label} does not", less)
    if less.high < 0:
        return SegmentChoice(name, skus, best, f"is cheaper than {kept.label}", less)
    return SegmentChoice(name, skus, kept, f"{best.label} is not significantly cheaper", less)
