"""What matured scores teach the Forecaster: shifts of quantiles, and whether its model may serve.

Everything is as of an instant: scores that matured later change nothing before it, and a restart that reads
the same records comes to the same shifts and verdicts.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from batch.forecaster.champions import Role
from infra.contracts.demand import EVALUATED_DAYS, DemandAccuracy, Forecaster
from infra.contracts.identity import forecaster_name
from infra.contracts.shop import LocationCalendar
from serving.calibration.evidence import WINDOW_DAYS, Comparison, compare
from serving.calibration.recalibration import LEVELS, Floats, own_excess, own_shift, shared_shift
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after

SUSPENSION_DAYS = 14
"""Matured days that a verdict against a model lasts at least."""
SHIFT_DECIMALS = 4

Pair = tuple[Forecaster, Forecaster]
"""A champion and its fallback."""

_NEVER = -1
_MILLIONTHS = 1_000_000


@dataclass
class _Own:
    """One SKU's scores of one forecaster."""

    excess: Floats = field(default_factory=lambda: np.zeros((len(EVALUATED_DAYS), len(LEVELS))))
    scored: Floats = field(default_factory=lambda: np.zeros(len(EVALUATED_DAYS)))
    waiting: list[tuple[int, int, float]] = field(default_factory=list)

    def advance(self, until_ms: int) -> None:
        """Counts what had matured by an instant, in the order of maturity."""
        known = bisect_right(self.waiting, (until_ms, len(EVALUATED_DAYS), 0.0))
        for _, anchor, pit in self.waiting[:known]:
            self.excess[anchor] = own_excess(self.excess[anchor], pit)
            self.scored[anchor] += 1
        del self.waiting[:known]


@dataclass
class _Shared:
    """The scores of a location's SKUs of one forecaster at one horizon, by day of maturity."""

    shift: Floats = field(default_factory=lambda: np.zeros(len(LEVELS)))
    waiting: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def advance(self, until_ms: int, horizon_days: int) -> None:
        for matured_ms in sorted(day for day in self.waiting if day <= until_ms):
            pits = np.array(self.waiting.pop(matured_ms))
            above = (pits[:, None] > LEVELS).sum(axis=0)
            self.shift = shared_shift(self.shift, above, len(pits), horizon_days)


class ForecastFeedback:
    """Scores of every SKU that the Forecaster reads, folded up to the instant that is asked for."""

    def __init__(self) -> None:
        self._own: dict[tuple[Key, str], _Own] = defaultdict(_Own)
        self._shared: dict[tuple[str, str, int], _Shared] = defaultdict(_Shared)
        self._halves: dict[tuple[Key, int], DemandAccuracy] = {}
        self._losses: dict[tuple[str, str, str], dict[int, tuple[int, int]]] = defaultdict(dict)
        self._origins: dict[str, dict[Key, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._scored: dict[tuple[Key, int, str], int] = {}
        self._last_row: dict[Key, int] = {}

    def note_row(self, key: Key, window_end_ms: int) -> None:
        """A SKU's day closed, so that what matured by then is about to be scored."""
        self._last_row[key] = max(self._last_row.get(key, _NEVER), window_end_ms)

    def note_forecast(self, key: Key, origin_ms: int) -> None:
        """A forecast was published and will be scored at every horizon."""
        origins = self._origins[key[1]][key]
        if origin_ms not in origins:
            insort(origins, origin_ms)

    def has_forecast(self, key: Key, origin_ms: int) -> bool:
        """Whether a forecast was published that may still be scored."""
        return origin_ms in self._origins[key[1]].get(key, [])

    def apply(self, scored: DemandAccuracy) -> None:
        """Takes a score; repeating one changes nothing."""
        key, days = (scored.sku, scored.location), scored.horizon_days
        if days not in EVALUATED_DAYS:
            return
        name = forecaster_name(scored.forecaster, scored.model_id)
        if scored.origin_ms <= self._scored.get((key, days, name), _NEVER):
            return
        self._scored[(key, days, name)] = scored.origin_ms
        if scored.served:
            self._scored[(key, days, "")] = scored.origin_ms
        if scored.day is not None:
            anchor = EVALUATED_DAYS.index(days)
            insort(self._own[(key, name)].waiting, (scored.matured_ms, anchor, scored.day.pit))
            self._shared[(scored.location, name, days)].waiting[scored.matured_ms].append(scored.day.pit)
            self._pair(key, scored)

    def _pair(self, key: Key, scored: DemandAccuracy) -> None:
        """Adds both losses to the day once both are there; whole millionths, so that no order matters."""
        other = self._halves.pop((key, scored.horizon_days), None)
        if other is None or other.origin_ms != scored.origin_ms:
            self._halves[(key, scored.horizon_days)] = scored
            return
        names, pinball = zip(*sorted(map(_named_loss, (scored, other)), key=itemgetter(0)), strict=True)
        if all(loss is not None for loss in pinball):
            losses = self._losses[(key[1], names[0], names[1])]
            before = losses.get(scored.matured_ms, (0, 0))
            add = [round(each * _MILLIONTHS) for each in pinball]
            losses[scored.matured_ms] = before[0] + add[0], before[1] + add[1]

    def is_complete(self, location: str, until_ms: int, calendar: LocationCalendar) -> bool:
        """Whether every score of the location has come that matured by an instant.

        A SKU whose days have not closed so far is not waited for.
        """
        zone = calendar.time_zone
        latest = [midnight_after(until_ms, -days, zone) for days in EVALUATED_DAYS]
        return all(
            self._has_scores(key, origins, latest)
            for key, origins in self._origins[location].items()
            if self._last_row.get(key, _NEVER) >= until_ms
        )

    def _has_scores(self, key: Key, origins: list[int], latest: Sequence[int]) -> bool:
        for days, limit in zip(EVALUATED_DAYS, latest, strict=True):
            known = bisect_right(origins, limit)
            if known and origins[known - 1] > self._scored.get((key, days, ""), _NEVER):
                return False
        return True

    def shifts(self, keys: Sequence[Key], name: str, until_ms: int) -> Floats:
        """Shifts (series, evaluated days, levels) of SKUs of one location, as of an instant."""
        shared = [self._shared_shift(keys[0][1], name, days, until_ms) for days in EVALUATED_DAYS]
        own = [self._own[(key, name)] for key in keys]
        for each in own:
            each.advance(until_ms)
        beyond = own_shift(np.stack([each.excess for each in own]), np.stack([each.scored for each in own]))
        return np.round(np.stack(shared) + beyond, SHIFT_DECIMALS)

    def _shared_shift(self, location: str, name: str, days: int, until_ms: int) -> Floats:
        shared = self._shared[(location, name, days)]
        shared.advance(until_ms, days)
        return shared.shift

    def verdicts(
        self, roles: Iterable[Role], location: str, model_id: str, until_ms: int
    ) -> dict[Pair, Comparison]:
        """The champions of one location's SKUs that are worse than their fallbacks by an instant."""
        found = {}
        for champion, fallback in sorted({(each.champion, each.fallback) for each in roles if each.fallback}):
            names = [forecaster_name(name, model_id) for name in (champion, fallback)]
            verdict = self.against(location, names[0], names[1], until_ms)
            if verdict is not None:
                found[champion, fallback] = verdict
        return found

    def against(self, location: str, champion: str, fallback: str, until_ms: int) -> Comparison | None:
        """The latest verdict against a champion that is not older than `SUSPENSION_DAYS` matured days.

        Args:
            location: where.
            champion: its name (`infra.contracts.identity.forecaster_name`).
            fallback: that of the forecaster it is compared with.
            until_ms: as of when.
        """
        first, second = sorted((champion, fallback))
        sides = (0, 1) if first == champion else (1, 0)
        losses = self._losses[(location, first, second)]
        days = sorted(day for day in losses if day <= until_ms)[-(WINDOW_DAYS + SUSPENSION_DAYS) :]
        for end in range(len(days), max(len(days) - SUSPENSION_DAYS, 0), -1):
            window = [losses[day] for day in days[max(end - WINDOW_DAYS, 0) : end]]
            verdict = compare(*([each[side] / _MILLIONTHS for each in window] for side in sides))
            if verdict.is_worse:
                return verdict
        return None

    def forget(self, location: str, until_ms: int, calendar: LocationCalendar) -> None:
        """Drops what no later instant can ask for."""
        oldest = midnight_after(until_ms, -2 * (WINDOW_DAYS + SUSPENSION_DAYS), calendar.time_zone)
        for key, origins in self._origins[location].items():
            self._origins[location][key] = origins[bisect_right(origins, oldest) :]
        for (place, *_), losses in self._losses.items():
            for day in [day for day in losses if place == location and day < oldest]:
                del losses[day]


def _named_loss(scored: DemandAccuracy) -> tuple[str, float | None]:
    name = forecaster_name(scored.forecaster, scored.model_id)
    return name, scored.day.pinball if scored.day else None
