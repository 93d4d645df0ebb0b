"""The champion of each segment: which forecaster lost least at past origins that none had learned from.

A baseline takes a segment from the model only where it was better by both scores, of the days and of the
sums that orders rest on, at every origin. And the table is used only if tables chosen so on earlier
origins did better at the origin that came next: a choice among many is lucky otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from batch.copula_fit import PATHS, TAUS, fit_copula, summed_quantiles
from batch.forecaster.champions import FALLBACK, MODEL, Champions, Rule, SegmentChampion, baselines
from batch.forecaster.fitting import can_validate
from batch.forecaster.intermittent import OpenDays, Smoothing, best_smoothing
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.scores import pinball
from batch.forecaster.segmentation import NEW, Names, panel_segments
from batch.forecaster.windows import Flags, Floats
from batch.model_gate import CUMULATIVE_DAYS, WINDOW_DAYS, Outcomes, daily_forecasts, rolling_origins
from infra.contracts.demand import HORIZON_DAYS, QUANTILE_LEVELS, Copula, Forecaster

LEAST_SERIES = 10
"""Series below which a segment says nothing."""
LEAST_ORIGINS = 3
"""Origins that a table is chosen on at least."""

_FIT_ORIGINS, _FIT_SPACING_DAYS = 5, 7
_FIT_SERIES = 260

Losses = Mapping[Forecaster, Floats]
"""(2, origins, series) by forecaster: pinball loss of the days, and of the first 14 summed."""


@dataclass(frozen=True)
class Choice:
    """The table, None where the model serves all; and JSON-ready, what it was chosen on and how it did."""

    table: Champions | None
    record: dict[str, Any]


def choose_champions(
    panel: DemandPanel,
    rows: slice,
    origins: Sequence[int],
    predictor: Predictor,
    served: Mapping[tuple[str, str], str],
) -> Choice:
    """The champions at the origins, of which the baselines learn nothing after the first.

    Args:
        panel: all series, whose segments depend on each other.
        rows: the series that are scored.
        origins: the gate's.
        predictor: the model.
        served: the segment of every (sku, location) that is to be forecast, as of the panel's end.
    """
    known = panel.until(origins[0])
    segment, scored = panel_segments(known)[rows], panel.rows(rows)
    smoothing, copulas = fit_baselines(known.rows(rows), predictor)
    rules: dict[Forecaster, Rule] = baselines(smoothing)
    rules[MODEL] = partial(predictor.predict, series=scored.series)
    losses = {
        name: losses_of(scored, origins, rule, copulas.get(name, predictor.config.copula))
        for name, rule in rules.items()
    }
    ratios = later_ratios(losses, segment)
    chosen = champions_of(losses, segment)
    record = {
        "segments": {name: each.model_dump() for name, each in chosen.items()},
        "origins_scored_after_choosing": len(origins) - LEAST_ORIGINS,
        "ratio_to_model_there": ratios,
        "used": all(ratio < 1 for ratio in ratios) and any(c.champion != MODEL for c in chosen.values()),
    }
    if not record["used"]:
        return Choice(None, record)
    return Choice(Champions(segments=chosen, series=_by_location(served, chosen), copulas=copulas,
                            smoothing=smoothing), record)  # fmt: skip


def fit_baselines(known: DemandPanel, predictor: Predictor) -> tuple[Smoothing, dict[Forecaster, Copula]]:
    """TSB's constants and the dependence of each baseline's days, learned before all origins."""
    last = known.units.shape[1] - 1
    smoothing = best_smoothing(OpenDays.of(known.window(last, WINDOW_DAYS, 0)))
    usual = predictor.config.fallback_copula
    copulas: dict[Forecaster, Copula] = dict.fromkeys(baselines(smoothing), usual)
    if not can_validate(known):
        return smoothing, copulas
    origins, sample = rolling_origins(known, _FIT_ORIGINS, _FIT_SPACING_DAYS), known.sample(_FIT_SERIES)
    outcome = Outcomes.of(sample, origins)
    if not outcome.has_sums(min(TAUS)):
        return smoothing, copulas
    for name, rule in baselines(smoothing).items():
        if name != FALLBACK:  # fitted with the model
            made = np.concatenate(daily_forecasts(sample, origins, rule))
            copulas[name] = fit_copula(made, *outcome.of_all_origins, predictor.config.counts)
    return smoothing, copulas


def losses_of(panel: DemandPanel, origins: Sequence[int], rule: Rule, copula: Copula) -> Floats:
    """(2, origins, series); days and sums that a stock-out may have cut count as 0 for every forecaster."""
    levels, near = np.array(QUANTILE_LEVELS), slice(0, CUMULATIVE_DAYS)
    losses = np.zeros((2, len(origins), len(panel.series)))
    for place, origin in enumerate(origins):
        (made,), actual = daily_forecasts(panel, [origin], rule), panel.actual(origin, HORIZON_DAYS)
        scored = _ahead(panel, origin, HORIZON_DAYS)
        losses[0, place] = (pinball(made, actual, levels).mean(axis=2) * scored).sum(axis=1)
        sums = summed_quantiles(made[:, near], copula, PATHS)
        total = pinball(sums, actual[:, near].sum(axis=1), levels).mean(axis=1)
        losses[1, place] = total * _whole(panel, origin)
    return losses


def _ahead(panel: DemandPanel, origin: int, days: int) -> Floats:
    """(series, days) 1.0 where sales are demand."""
    ahead = slice(origin + 1, origin + 1 + days)
    return (panel.observed & panel.open)[:, ahead].astype(np.float64)


def _whole(panel: DemandPanel, origin: int) -> Flags:
    """(series,) true where no stock-out cuts the sum of the next days, and the series is launched."""
    ahead = slice(origin + 1, origin + 1 + CUMULATIVE_DAYS)
    closed = ~panel.location_open[:, ahead]
    known = (panel.observed & panel.open)[:, ahead]
    whole: Flags = (known | closed).all(axis=1) & known.any(axis=1)
    return whole


def champions_of(losses: Losses, segment: Names) -> dict[str, SegmentChampion]:
    """The champion and its fallback in every segment with enough series and demand."""
    found = {}
    for name in np.unique(segment[segment != NEW]).tolist():
        rows = segment == name
        summed = {forecaster: loss[:, :, rows].sum(axis=2) for forecaster, loss in losses.items()}
        if rows.sum() >= LEAST_SERIES and summed[MODEL].sum(axis=1).all():
            found[name] = _champion(summed)
    return found


def _champion(losses: Losses) -> SegmentChampion:
    """From losses (2, origins): both scores weigh the same, each in multiples of the model's."""
    own = losses[MODEL].sum(axis=1)
    rest = sorted(losses.keys() - {MODEL}, key=lambda name: ((losses[name].sum(axis=1) / own).sum(), name))
    best, next_best = rest[:2]
    if (losses[best] < losses[MODEL]).all():
        return SegmentChampion(champion=best, fallback=next_best)
    return SegmentChampion(champion=MODEL, fallback=best)


def later_ratios(losses: Losses, segment: Names) -> tuple[float, float]:
    """Losses of tables chosen on the origins before, by the model's there: of the days, of the sums."""
    origins = losses[MODEL].shape[1]
    ours, models = np.zeros(2), np.zeros(2)
    for later in range(LEAST_ORIGINS, origins):
        before = {name: loss[:, :later] for name, loss in losses.items()}
        now = losses[MODEL][:, later].copy()
        models += now.sum(axis=1)
        for name, chosen in champions_of(before, segment).items():
            rows = segment == name
            now[:, rows] = losses[chosen.champion][:, later, rows]
        ours += now.sum(axis=1)
    ratios = np.divide(ours, models, out=np.ones(2), where=models > 0)
    return float(ratios[0]), float(ratios[1])


def _by_location(
    served: Mapping[tuple[str, str], str], chosen: Mapping[str, SegmentChampion]
) -> dict[str, dict[str, str]]:
    by_location: dict[str, dict[str, str]] = {}
    for (sku, location), segment in sorted(served.items()):
        if segment in chosen:
            by_location.setdefault(location, {})[sku] = segment
    return by_location


def as_text(choice: Choice) -> str:
    """What was chosen, in one line."""
    segments, ratios = choice.record["segments"], choice.record["ratio_to_model_there"]
    taken = [f"{each['champion']} in {name}" for name, each in segments.items() if each["champion"] != MODEL]
    if not taken:
        return f"champions: the model in each of {len(segments)} segments"
    verdict = "used" if choice.table else "not used: the model serves all"
    return (
        f"champions: {', '.join(taken)}; so chosen earlier, they had {ratios[0]:.3f} of the model's "
        f"loss of days and {ratios[1]:.3f} of sums at the next ones: {verdict}"
    )
