"""The project's network: fitted on the history it is given, or as it was promoted."""

from batch.backtesting.forecaster import Forecast, History
from batch.copula_fit import cumulative_sums
from batch.forecaster.artifact import Artifact
from batch.forecaster.fitting import fit_forecaster
from batch.forecaster.predictor import Predictor, load_predictor
from batch.forecaster.training import TrainingPlan
from infra.errors import StockstreamError

PATHS = 1000
SUMS = f"{PATHS} joint paths"


class LSTM:
    """The network, trained anew on each history it is fitted on."""

    sums = SUMS

    def __init__(self, plan: TrainingPlan | None = None) -> None:
        self._plan = plan or TrainingPlan()
        self._predictor: Predictor | None = None

    def fit(self, history: History) -> None:
        self._predictor = fit_forecaster(history.panel, self._plan)

    def forecast(self, history: History) -> Forecast:
        if self._predictor is None:
            raise ValueError("forecast before fit")
        return _forecast(self._predictor, history)


class PromotedModel:
    """A model of the run directory, as it is; origins before the end of its training were seen by it."""

    sums = SUMS

    def __init__(self, artifact: Artifact) -> None:
        self._predictor = load_predictor(artifact)

    def fit(self, history: History) -> None:
        """Nothing is learned."""

    def forecast(self, history: History) -> Forecast:
        return _forecast(self._predictor, history)


def _forecast(predictor: Predictor, history: History) -> Forecast:
    config = predictor.config
    if history.horizon > config.horizon_days:
        raise StockstreamError(
            f"horizon is {history.horizon} days: the network forecasts at most {config.horizon_days}"
        )
    window = history.window(config.history_days, config.horizon_days)
    daily = predictor.predict(window, history.panel.series)[:, : history.horizon]
    return Forecast(daily, cumulative_sums(daily, config.copula, PATHS, history.taus))
