"""Forecast messages from windows: each series' champion, or its fallback with the reason why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from batch.forecaster.champions import (
    MODEL,
    MODELS_OWN,
    WITHOUT_MODEL,
    Champions,
    Role,
    baselines,
)
from batch.forecaster.champions import Rule as WindowRule
from batch.forecaster.cold_start import ColdStart
from batch.forecaster.intermittent import USUAL_SMOOTHING
from batch.forecaster.kept_state import KeptStates
from batch.forecaster.predictor import Predictor
from batch.forecaster.sampling import cumulative_quantiles, sample_paths
from batch.forecaster.windows import DemandWindow, Floats
from infra.contracts import identity
from infra.contracts.demand import (
    EVALUATED_DAYS,
    HORIZON_DAYS,
    QUANTILE_LEVELS,
    Copula,
    DemandForecast,
    Forecaster,
    Recalibration,
    Shadow,
)
from infra.contracts.shop import Item
from serving.demand_context import context_digests
from serving.inventory.ledger import Key
from serving.made_quantiles import (
    Correction,
    Made,
    MadeBy,
    Rule,
    Suspended,
    cold_start_made,
    made_of,
    publishable,
)
from serving.model_record import ModelRecord
from serving.new_items import NewItem, forecast_new_items

FALLBACK_HISTORY_DAYS = 476
"""As many as a model reads, so that the first one to be promoted serves without a restart."""

FALLBACK_COPULA = Copula(level=0.15, decay=0.4)
"""Where no model carries a fitted dependence; what was fitted to the empirical quantiles of the sample."""

NOBODY: Suspended = {}


SAMPLED_AT_ONCE = 64
"""Series whose joint paths are in memory at a time."""


@dataclass(frozen=True)
class Joint:
    """What joins the days of one series: the dependence, the seed of the paths, the quantiles of the sums."""

    copula: Copula
    seed: int
    cumulative: Floats


@dataclass(frozen=True)
class ForecastSource:
    """A model that may serve, with its champions, or the reason why there is none; and the panel's hash."""

    predictor: Predictor | None
    model_id: str
    fallback_reason: str | None
    panel_hash: str
    paths: int
    cold_start: ColdStart | None = None
    training: ModelRecord | None = None
    champions: Champions | None = None

    @property
    def history_days(self) -> int:
        """Days of context a forecast reads."""
        return self.predictor.config.history_days if self.predictor else FALLBACK_HISTORY_DAYS

    @property
    def horizon_days(self) -> int:
        """Days ahead that a forecast covers."""
        return self.predictor.config.horizon_days if self.predictor else HORIZON_DAYS

    def roles(self, keys: Sequence[Key]) -> list[Role]:
        """Who forecasts each series."""
        if self.predictor is None:
            return [WITHOUT_MODEL] * len(keys)
        if self.champions is None:
            return [MODELS_OWN] * len(keys)
        return [self.champions.role(key) for key in keys]

    def forecast(
        self,
        window: DemandWindow,
        keys: Sequence[Key],
        origin_ms: int,
        correction: Correction,
        suspended: Suspended = NOBODY,
        states: KeptStates | None = None,
        items: Sequence[Item | None] = (),
    ) -> list[DemandForecast]:
        """One message per series; a series that its champion fails on gets the fallback and the reason.

        A new item of the catalogue is forecast from comparable items (`serving.new_items`).

        Args:
            window: what is known of the series.
            keys: (sku, location) of each row.
            origin_ms: the midnight after the window's last day.
            correction: what matured scores say about any forecaster's quantiles.
            suspended: champions that must not serve; their forecasts are published as shadows then.
            states: the model's states after earlier days of the same series; the same bytes with and without.
            items: what the catalogue says of each series; empty where there is none.
        """
        roles = self.roles(keys)
        made = self.made(window, keys, correction, suspended, states)
        digests = context_digests(window)
        for new in self._new_items(window, keys, items):
            made[new.row], roles[new.row] = Made(cold_start_made(new), None, new.reason), WITHOUT_MODEL
            digests[new.row] = identity.digest([digests[new.row], new.attributes_digest])
        joint = self._joint([identity.seed(*key, origin_ms, self.model_id) for key in keys], made)
        return [
            self._message(
                keys[row], origin_ms, digests[row], made[row], joint[row], roles[row].segment, correction
            )
            for row in range(len(keys))
        ]

    def made(
        self,
        window: DemandWindow,
        keys: Sequence[Key],
        correction: Correction,
        suspended: Suspended = NOBODY,
        states: KeptStates | None = None,
    ) -> list[Made]:
        """What `forecast` says of each series, new items apart, without the messages."""
        return made_of(window, keys, self.roles(keys), self._rules(states), correction, suspended)

    def _rules(self, states: KeptStates | None) -> Mapping[Forecaster, Rule]:
        smoothing = USUAL_SMOOTHING if self.champions is None else self.champions.smoothing
        rules: dict[Forecaster, Rule] = {
            name: partial(_of_window, rule) for name, rule in baselines(smoothing).items()
        }
        if self.predictor is not None:
            rules[MODEL] = (states or KeptStates(self.predictor)).predict
        return rules

    def _new_items(
        self, window: DemandWindow, keys: Sequence[Key], items: Sequence[Item | None]
    ) -> list[NewItem]:
        if self.cold_start is None:
            return []
        learned = self.predictor.config.indices(keys)[0] if self.predictor else [0] * len(keys)
        return forecast_new_items(self.cold_start, window, keys, items, [index > 0 for index in learned])

    def _message(
        self,
        key: Key,
        origin_ms: int,
        digest: str,
        made: Made,
        joint: Joint,
        segment: str | None,
        correction: Correction,
    ) -> DemandForecast:
        served = made.served
        return DemandForecast(
            sku=key[0],
            location=key[1],
            origin_ms=origin_ms,
            forecaster=served.forecaster,
            fallback_reason=made.reason or self.fallback_reason,
            model_id=self.model_id,
            panel_hash=self.panel_hash,
            context_digest=digest,
            quantile_levels=list(QUANTILE_LEVELS),
            quantiles=served.quantiles.tolist(),
            cumulative=joint.cumulative.tolist(),
            copula=joint.copula,
            seed=joint.seed,
            paths=self.paths,
            segment=segment,
            recalibration=_recalibration(correction.matured_ms, served.shifts),
            shadow=None if made.shadow is None else _shadow(made.shadow),
        )

    def _copula(self, forecaster: Forecaster) -> Copula:
        if self.predictor is None:
            return FALLBACK_COPULA
        config = self.predictor.config
        if forecaster == MODEL:
            return config.copula
        return config.fallback_copula if self.champions is None else self.champions.copulas[forecaster]

    def _joint(self, seeds: Sequence[int], made: Sequence[Made]) -> list[Joint]:
        """Of each series; those of one copula are sampled together, some at a time."""
        alike: dict[Copula, list[int]] = defaultdict(list)
        for row, each in enumerate(made):
            alike[each.served.copula or self._copula(each.served.forecaster)].append(row)
        joint: dict[int, Joint] = {}
        for copula, rows in alike.items():
            for some in np.array_split(rows, -(-len(rows) // SAMPLED_AT_ONCE)):
                quantiles = np.stack([made[row].served.quantiles for row in some])
                tables = self._cumulative(quantiles, copula, [seeds[row] for row in some])
                for row, table in zip(some, tables, strict=True):
                    joint[int(row)] = Joint(copula, seeds[row], table)
        return [joint[row] for row in range(len(made))]

    def _cumulative(self, quantiles: Floats, copula: Copula, seeds: Sequence[int]) -> Floats:
        paths = sample_paths(QUANTILE_LEVELS, quantiles, copula, seeds, self.paths)
        tables = publishable(cumulative_quantiles(paths, QUANTILE_LEVELS))
        ascending: Floats = np.maximum.accumulate(tables, axis=2)
        return ascending


def _of_window(rule: WindowRule, window: DemandWindow, _: Sequence[Key]) -> Floats:
    return rule(window)


def _recalibration(matured_ms: int, shifts: Floats) -> Recalibration | None:
    if not shifts.any():
        return None
    return Recalibration(matured_ms=matured_ms, days=list(EVALUATED_DAYS), shifts=shifts.tolist())


def _shadow(made: MadeBy) -> Shadow:
    days = [day for day in EVALUATED_DAYS if day <= len(made.quantiles)]
    quantiles = [made.quantiles[day - 1].tolist() for day in days]
    return Shadow(forecaster=made.forecaster, days=days, quantiles=quantiles)
