from datetime import date

import numpy as np
import pytest
import torch

from batch.forecaster.config import ForecasterConfig
from batch.forecaster.errors import ForecastRejected, ModelRejected
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.network import DemandNetwork
from batch.forecaster.predictor import Predictor, check_quantiles
from batch.forecaster.windows import DemandWindow, Floats, empirical_quantiles
from infra.contracts.demand import QUANTILE_LEVELS

DAYS, HORIZON = 476, 28
SKUS = tuple(f"sku{i}" for i in range(130))
CONFIG = ForecasterConfig(
    series=tuple((sku, "shop") for sku in SKUS),
    bent_share=0.5,
    locations=("shop",),
    pooled_quantiles=tuple(np.linspace(0.01, 5, len(QUANTILE_LEVELS))),
)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(2)
    weights = {name: value.numpy().copy() for name, value in DemandNetwork(CONFIG).state_dict().items()}
    rng = np.random.default_rng(3)
    for head in ("mixture.weight", "bent.weight"):
        weights[head] = rng.normal(0, 0.3, weights[head].shape).astype("f4")
    return Predictor(CONFIG, weights)


def random_window(rows: int) -> DemandWindow:
    rng = np.random.default_rng(9)
    open_days = np.broadcast_to(np.arange(DAYS) % 7 != 5, (rows, DAYS))
    return DemandWindow(
        last_day=date(2011, 9, 18),
        units=rng.negative_binomial(1, 0.05, (rows, DAYS)) * open_days.astype(float),
        observed=rng.random((rows, DAYS)) < 0.95,
        open=open_days,
        future_open=np.broadcast_to(np.arange(HORIZON) % 7 != 5, (rows, HORIZON)),
    )


def only(window: DemandWindow, rows: list[int]) -> DemandWindow:
    return DemandWindow(
        window.last_day,
        window.units[rows],
        window.observed[rows],
        window.open[rows],
        window.future_open[rows],
    )


SERIES = [(sku, "shop") for sku in SKUS]


@pytest.mark.parametrize("row", [0, 1, 63, 127, 128, 129])
def test_a_forecast_is_the_same_bytes_alone_and_among_others(predictor: Predictor, row: int) -> None:
    window = random_window(len(SKUS))
    together = predictor.predict(window, SERIES)[row]
    alone = predictor.predict(only(window, [row]), [SERIES[row]])[0]
    assert together.tobytes() == alone.tobytes()


def test_quantiles_never_cross_and_are_zero_on_closed_days(predictor: Predictor) -> None:
    window = random_window(20)
    quantiles = predictor.predict(window, SERIES[:20])
    for one in quantiles:
        check_quantiles(one)
    assert (quantiles[~window.future_open] == 0).all()
    assert (quantiles[window.future_open][:, -1] > 0).all()


def test_an_untrained_network_repeats_the_empirical_quantiles() -> None:
    torch.manual_seed(2)
    weights = {name: value.numpy() for name, value in DemandNetwork(CONFIG).state_dict().items()}
    window = random_window(1)
    bent = CONFIG.model_copy(update={"bent_share": 1.0})
    quantiles = Predictor(bent, weights).predict(window, SERIES[:1])[0]
    opened = quantiles[window.future_open[0]]
    assert np.allclose(opened, opened[0], rtol=1e-5)


def test_recent_quantiles_alone_are_the_mean_of_the_empirical_ones_of_each_window() -> None:
    torch.manual_seed(2)
    weights = {name: value.numpy() for name, value in DemandNetwork(CONFIG).state_dict().items()}
    window = random_window(3)
    recent = Predictor(CONFIG.model_copy(update={"recent_share": 1.0}), weights)
    known = window.observed & window.open
    expected = np.mean(
        [empirical_quantiles(window.units, known, QUANTILE_LEVELS, days) for days in CONFIG.base_days], axis=0
    )
    found = recent.predict(window, SERIES[:3])
    np.testing.assert_allclose(found, expected[:, None] * window.future_open[..., None], rtol=1e-5, atol=1e-6)


def test_recent_quantiles_are_weighed_against_both_heads_together(predictor: Predictor) -> None:
    window, weights = random_window(4), predictor.weights
    none, some, all_of_it = (
        Predictor(CONFIG.model_copy(update={"recent_share": share}), weights).predict(window, SERIES[:4])
        for share in (0.0, 0.25, 1.0)
    )
    np.testing.assert_allclose(some, 0.75 * none + 0.25 * all_of_it, rtol=1e-9)


def test_an_unknown_sku_is_forecast_too(predictor: Predictor) -> None:
    check_quantiles(predictor.predict(random_window(1), [("new", "elsewhere")])[0])


def test_a_sku_without_any_history_gets_a_finite_forecast(predictor: Predictor) -> None:
    nothing = np.zeros((1, DAYS))
    window = DemandWindow(date(2011, 9, 18), nothing, nothing > 0, nothing > 0, np.ones((1, HORIZON), bool))
    check_quantiles(predictor.predict(window, [("new", "shop")])[0])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([[0.0, np.nan]]), "not finite"),
        (np.array([[-1.0, 2.0]]), "negative quantile: -1"),
        (np.array([[3.0, 2.0]]), "descend"),
    ],
)
def test_a_broken_forecast_is_rejected_with_a_reason(bad: Floats, message: str) -> None:
    with pytest.raises(ForecastRejected, match=message):
        check_quantiles(bad)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ModelRejected, match="weights do not fit"):
        Predictor(CONFIG, {"bent.weight": np.zeros((1, 1), np.float32)})


def test_the_fallback_uses_the_last_56_open_days_in_stock() -> None:
    window = random_window(2)
    known = window.units[0][window.observed[0] & window.open[0]][-56:]
    forecast = empirical_forecast(window)
    opened = forecast[0][window.future_open[0]]
    assert np.allclose(opened, np.quantile(known, QUANTILE_LEVELS))
    assert (forecast[~window.future_open] == 0).all()
