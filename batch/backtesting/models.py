"""The models that `stockstream backtest` knows by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from batch.backtesting.deepar import DeepAR
from batch.backtesting.empirical import EmpiricalQuantiles, SeasonalNaive
from batch.backtesting.forecaster import Forecaster
from batch.backtesting.gradient_boosting import LightGBMQuantiles
from batch.backtesting.intermittent import ADIDA, TSB, CrostonSBA
from batch.backtesting.lstm import LSTM, PromotedModel
from batch.backtesting.state_space import AutoARIMA, AutoETS
from batch.forecaster.artifact import current_model, load_artifact
from infra.errors import StockstreamError
from infra.settings import Settings

NAIVE, EMPIRICAL = "seasonal-naive", "empirical-56"
BASELINES = (NAIVE, EMPIRICAL)
PROMOTED = "promoted"

NewForecaster = Callable[[], Forecaster]


@dataclass(frozen=True)
class Model:
    """How a model is made, and whether it runs when none is named."""

    new: NewForecaster
    by_default: bool


MODELS = {
    NAIVE: Model(SeasonalNaive, True),
    EMPIRICAL: Model(EmpiricalQuantiles, True),
    "croston-sba": Model(CrostonSBA, True),
    "tsb": Model(TSB, True),
    "adida": Model(ADIDA, True),
    "lightgbm": Model(LightGBMQuantiles, True),
    "lstm": Model(LSTM, True),
    "auto-ets": Model(AutoETS, False),
    "auto-arima": Model(AutoARIMA, False),
    "deepar": Model(DeepAR, False),
}


def chosen_models(names: Sequence[str], settings: Settings) -> dict[str, NewForecaster]:
    """The baselines, then the models named (`all`, or none: the default ones), each once.

    Raises:
        StockstreamError: no model has such a name, or what it needs is not there.
    """
    wanted = list(BASELINES)
    for name in names or [name for name, model in MODELS.items() if model.by_default]:
        wanted += _expanded(name)
    return dict(_named(name, settings) for name in dict.fromkeys(wanted))


def _expanded(name: str) -> list[str]:
    if name == "all":
        return [other for other in MODELS if other != "deepar" or find_spec("gluonts")]
    if name not in MODELS and name.partition(":")[0] != PROMOTED:
        known = ", ".join([*MODELS, PROMOTED, f"{PROMOTED}:MODEL_ID", "all"])
        raise StockstreamError(f"option --models: {name!r} is no model; accepted are {known}")
    if name == "deepar" and not find_spec("gluonts"):
        raise StockstreamError("option --models: 'deepar' needs the extra `peers` (gluonts, lightning)")
    return [name]


def _named(name: str, settings: Settings) -> tuple[str, NewForecaster]:
    """The model with its whole name: a promoted one carries its id."""
    if name in MODELS:
        return name, MODELS[name].new
    model_id = name.partition(":")[2] or current_model(settings.models_dir)
    if not model_id:
        raise StockstreamError(f"no model is promoted in {settings.models_dir}: run `stockstream train`")
    artifact = load_artifact(settings.models_dir, model_id)
    return f"{PROMOTED}:{model_id}", lambda: PromotedModel(artifact)
