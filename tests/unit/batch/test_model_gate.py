from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from batch.forecaster.artifact import Weights
from batch.forecaster.config import ForecasterConfig
from batch.forecaster.fitting import calibrate, new_config, seasonal_effects
from batch.forecaster.panel import DemandPanel
from batch.forecaster.predictor import Predictor
from batch.forecaster.training import new_network
from batch.model_gate import compare, rolling_origins
from batch.model_report import comparison_table
from batch.train_forecaster import split
from infra.contracts.demand import HORIZON_DAYS
from infra.errors import StockstreamError


def noisy_panel(days: int) -> DemandPanel:
    yes = np.ones((3, days), dtype=np.bool_)
    return DemandPanel(
        series=(("a", "shop"), ("b", "shop"), ("c", "shop")),
        first_day=date(2010, 1, 4),
        units=np.random.default_rng(8).negative_binomial(2, 0.1, (3, days)).astype(np.float64),
        observed=yes,
        open=yes,
        location_open=yes,
        panel_hash="0" * 64,
    )


def untrained(panel: DemandPanel) -> tuple[ForecasterConfig, Weights]:
    seasons = seasonal_effects(panel, False)
    config = new_config(panel, seasons)
    network = new_network(config, seasons, 1)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return config, weights


def test_every_gate_origin_has_its_whole_horizon_before_the_panel_ends() -> None:
    panel = noisy_panel(400)
    origins = rolling_origins(panel, 6)
    assert origins == [301, 315, 329, 343, 357, 371]
    assert origins[-1] + HORIZON_DAYS == panel.units.shape[1] - 1


def test_no_gate_day_is_learned_from() -> None:
    parts = split(noisy_panel(400))
    assert parts.last_learned < min(parts.gate) + 1


def test_a_panel_too_short_for_the_gate_is_refused_with_the_days_needed() -> None:
    with pytest.raises(StockstreamError, match="panel has 300 days: 6 origins need at least 323"):
        rolling_origins(noisy_panel(300), 6)


def test_nothing_the_model_is_made_of_depends_on_gate_days() -> None:
    panel = noisy_panel(400)
    last = split(panel).last_learned
    changed = panel.units.copy()
    changed[:, last + 1 :] = 0.0
    altered = DemandPanel(**{**vars(panel), "units": changed})
    configs = []
    for one in (panel, altered):
        learned = one.until(last)
        configs.append(calibrate(learned, *untrained(learned)))
    assert configs[0] == configs[1]


def test_the_comparison_names_the_better_baseline_and_a_verdict() -> None:
    panel = noisy_panel(400)
    report = compare(panel, [301, 343], Predictor(*untrained(panel.until(301))), paths=100)
    best = min(report["pooled"][name]["wql"] for name in ("empirical_56_open_days", "seasonal_naive"))
    ratio = report["ratio_to_better_baseline"]
    assert ratio["wql"] == pytest.approx(report["pooled"]["lstm"]["wql"] / best)
    assert report["passes"] == all(value < 1 for value in ratio.values())
    assert "2 origins, 2010-11-01 to 2010-12-13" in comparison_table(report)


def cut_after(panel: DemandPanel, origin: int, series: int) -> DemandPanel:
    """The panel with a stock-out on the third day after the origin, in the first so many series."""
    observed, units = panel.observed.copy(), panel.units.copy()
    observed[:series, origin + 3], units[:series, origin + 3] = False, 0.0
    return replace(panel, units=units, observed=observed)


def test_what_a_stock_out_cut_is_no_outcome_of_the_gate() -> None:
    panel, origin = noisy_panel(400), 301
    model = Predictor(*untrained(panel.until(origin)))
    cut = cut_after(panel, origin, 1)
    units = cut.units.copy()
    units[0, origin + 3] = 5_000.0
    one, other = (compare(each, [origin], model, paths=100) for each in (cut, replace(cut, units=units)))
    whole = compare(panel, [origin], model, paths=100)
    assert one == other
    assert one["pooled"]["lstm"]["wql"] != whole["pooled"]["lstm"]["wql"]


def test_an_origin_without_a_known_sum_has_no_scores_and_a_gate_of_such_is_refused() -> None:
    panel = noisy_panel(400)
    model = Predictor(*untrained(panel.until(301)))
    cut = cut_after(panel, 343, 3)
    of_origins = compare(cut, [301, 343], model, paths=100)["per_origin"]["lstm"]
    assert of_origins[0] == compare(panel, [301], model, paths=100)["pooled"]["lstm"]
    assert of_origins[1] is None
    with pytest.raises(StockstreamError, match="after 2010-12-13 no series sold anything in 14 days without"):
        compare(cut, [343], model, paths=100)
