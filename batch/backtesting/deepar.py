"""DeepAR of gluonts, a peer for development: the extra `peers` has what it needs.

Whole units are negative binomial; where demand has fractions it is gluonts' own default, Student's t.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch.backtesting.forecaster import Forecast, History, of_paths
from infra.contracts.demand import QUANTILE_LEVELS

PATHS = 200
SEED = 1


class DeepAR:
    """Autoregressive LSTM; sees price, promotion, open days, category; days not known are missing."""

    sums = f"{PATHS} sample paths"

    def __init__(
        self, epochs: int = 20, batches: int = 50, seconds: float | None = None, paths: int = PATHS
    ) -> None:
        self._epochs, self._batches, self._seconds, self._paths = epochs, batches, seconds, paths
        self._predictor: Any = None
        self._categories = 1

    def fit(self, history: History) -> None:
        from lightning import seed_everything

        self._categories = int(history.category.max()) + 1
        with _quiet_lightning() as folder:
            seed_everything(SEED, verbose=False)
            self._predictor = self._estimator(history, folder).train(
                _dataset(history, history.category, ahead=False)
            )

    def forecast(self, history: History) -> Forecast:
        from lightning import seed_everything

        with _quiet_lightning():
            seed_everything(SEED, verbose=False)
            category = np.minimum(history.category, self._categories)  # one for all that are new
            dataset = _dataset(history, category, ahead=True)
            made = list(self._predictor.predict(dataset, num_samples=self._paths))
        paths = np.stack([one.samples for one in made]).astype(np.float64)
        return of_paths(paths, history.future_open, history.taus, QUANTILE_LEVELS)

    def _estimator(self, history: History, folder: str) -> Any:
        from gluonts.torch import DeepAREstimator
        from gluonts.torch.distributions import NegativeBinomialOutput, StudentTOutput

        limit = {} if self._seconds is None else {"max_time": {"seconds": self._seconds}}
        return DeepAREstimator(
            freq="D",
            prediction_length=history.horizon,
            context_length=2 * history.horizon,
            num_feat_dynamic_real=3,
            num_feat_static_cat=int(self._categories > 1),
            cardinality=[self._categories + 1],
            distr_output=NegativeBinomialOutput() if history.panel.counts else StudentTOutput(),
            batch_size=64,
            num_batches_per_epoch=self._batches,
            trainer_kwargs={
                "max_epochs": self._epochs,
                "accelerator": "cpu",
                "enable_progress_bar": False,
                "enable_model_summary": False,
                "logger": False,
                "default_root_dir": folder,
                **limit,
            },
        )


def _dataset(history: History, category: NDArray[np.int64], ahead: bool) -> Any:
    from gluonts.dataset.common import ListDataset

    panel = history.panel
    target = np.where(history.known | ~panel.open, panel.units, np.nan)
    features = [
        np.concatenate(pair, axis=1)
        for pair in (
            (panel.price, history.future_price),
            (panel.promotion, history.future_promotion),
            (panel.open.astype(float), history.future_open.astype(float)),
        )
    ]
    days = panel.units.shape[1] + (history.horizon if ahead else 0)
    first = np.argmax(panel.open, axis=1)
    entries = [
        {
            "start": np.datetime64(panel.day(int(start)), "D").astype(str),
            "target": target[row, start:],
            "feat_dynamic_real": np.stack([feature[row, start:days] for feature in features]),
            "feat_static_cat": [int(category[row])],
        }
        for row, start in enumerate(first)
    ]
    return ListDataset(entries, freq="D")


@contextmanager
def _quiet_lightning() -> Iterator[str]:
    """A folder for checkpoints; lightning's advice and gluonts' deprecations are kept off the terminal."""
    for name in ("lightning.pytorch", "pytorch_lightning", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield folder
