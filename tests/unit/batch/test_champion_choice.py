from collections.abc import Mapping

import numpy as np
import pytest

from batch.champion_choice import LEAST_SERIES, champions_of, later_ratios, losses_of
from batch.forecaster.champions import FALLBACK, MODEL
from batch.forecaster.fallback import empirical_forecast
from batch.forecaster.windows import Floats
from infra.contracts.demand import HORIZON_DAYS, Copula, Forecaster
from tests.unit.batch.test_model_gate import noisy_panel

ORIGINS = 6
OTHERS: tuple[Forecaster, ...] = (FALLBACK, "seasonal_naive", "croston_sba", "tsb")
FAST = np.array(["A/X/smooth"] * LEAST_SERIES)
SLOW = np.array(["C/Z/lumpy"] * LEAST_SERIES)


def losses(tsb: Floats | None = None) -> Mapping[Forecaster, Floats]:
    """Losses (2, origins, series) of 1 for the model and of 2 for all others, but for TSB if given."""
    usual: dict[Forecaster, Floats] = dict.fromkeys(OTHERS, np.full((2, ORIGINS, 2 * LEAST_SERIES), 2.0))
    usual[MODEL] = np.ones((2, ORIGINS, 2 * LEAST_SERIES))
    return usual if tsb is None else {**usual, "tsb": tsb}


def better_for_slow(loss: float = 0.8) -> Floats:
    made = np.full((2, ORIGINS, 2 * LEAST_SERIES), 1.5)
    made[:, :, LEAST_SERIES:] = loss
    return made


def test_each_segment_gets_what_lost_least_there_and_the_best_of_the_rest_as_fallback() -> None:
    chosen = champions_of(losses(tsb=better_for_slow()), np.concatenate([FAST, SLOW]))

    assert (chosen["A/X/smooth"].champion, chosen["A/X/smooth"].fallback) == (MODEL, "tsb")
    assert (chosen["C/Z/lumpy"].champion, chosen["C/Z/lumpy"].fallback) == ("tsb", "croston_sba")


@pytest.mark.parametrize("score", [0, 1])
def test_one_origin_or_one_score_that_the_model_wins_keeps_the_segment_with_the_model(score: int) -> None:
    once_worse = better_for_slow()
    once_worse[score, 4] = 1.2

    chosen = champions_of(losses(tsb=once_worse), np.concatenate([FAST, SLOW]))

    assert (chosen["C/Z/lumpy"].champion, chosen["C/Z/lumpy"].fallback) == (MODEL, "tsb")


def test_a_segment_of_few_series_or_of_unknown_ones_says_nothing() -> None:
    few = np.concatenate([SLOW, FAST[1:], ["new"]])

    assert champions_of(losses(), few).keys() == {"C/Z/lumpy"}


def test_a_table_is_judged_at_origins_that_it_was_not_chosen_on() -> None:
    segment = np.concatenate([FAST, SLOW])
    lucky = better_for_slow()
    lucky[:, 3:, LEAST_SERIES:] = 3.0  # better at the first three origins, worse ever after

    assert later_ratios(losses(tsb=better_for_slow()), segment) == pytest.approx((0.9, 0.9))
    # taken after three origins, found out at the fourth: (1 + 3) / 2 there, the model's own after that
    assert later_ratios(losses(tsb=lucky), segment) == pytest.approx((4 / 3, 4 / 3))


def test_what_a_stock_out_may_have_cut_is_no_loss_of_anybody() -> None:
    panel, origin = noisy_panel(400), 371
    observed = panel.observed.copy()
    observed[0, origin + 5] = False
    cut = type(panel)(**{**vars(panel), "observed": observed})

    whole, less = (
        losses_of(each, [origin], empirical_forecast, Copula(level=0, decay=0)) for each in (panel, cut)
    )

    assert less[1, 0, 0] == 0 < whole[1, 0, 0]
    assert less[0, 0, 0] < whole[0, 0, 0]
    np.testing.assert_array_equal(less[:, :, 1:], whole[:, :, 1:])
    assert origin + HORIZON_DAYS == panel.units.shape[1] - 1
