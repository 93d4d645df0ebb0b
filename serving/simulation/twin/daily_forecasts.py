"""The Forecaster and the Evaluator of a run: every day forecast, scored when it matures, and recalibrated.

Quantiles, scores, shifts and verdicts come from the code in production; what is left out are the messages
that no decision reads: those of days without a review.
"""

from collections.abc import Iterator

import numpy as np

from batch.forecaster.kept_state import KeptStates
from batch.forecaster.windows import DemandWindow, Flags
from infra.contracts.demand import EVALUATED_DAYS, DemandForecast
from serving.forecast_feedback import ForecastFeedback
from serving.forecast_source import FALLBACK_HISTORY_DAYS, ForecastSource
from serving.made_quantiles import Correction, Made, MadeBy, Suspended, learned
from serving.matured_days import Outcome
from serving.matured_forecasts import Awaited, Matured, accuracy_record, scores_of
from serving.simulation.twin.loop import Review
from serving.simulation.twin.world import World


class DailyForecasts:
    """What the Forecaster publishes at the reviews of one run, which come in order.

    Args:
        world: its items, calendars and days; never its demand.
        source: the Forecaster's.
    """

    def __init__(self, world: World, source: ForecastSource) -> None:
        locations = sorted({item.location for item in world.items})
        self._places = [_Place(world, source, location) for location in locations]

    def at(self, review: Review) -> list[DemandForecast]:
        """One message per row at the review's midnight, from what was sold and seen until then."""
        return [message for place in self._places for message in place.at(review)]


class _Place:
    """The rows of one location, which share verdicts and a part of the shifts."""

    def __init__(self, world: World, source: ForecastSource, location: str) -> None:
        self._world, self._source = world, source
        self._rows = [row for row, item in enumerate(world.items) if item.location == location]
        self._keys = [(world.items[row].sku, location) for row in self._rows]
        self._feedback = ForecastFeedback()
        self._states = KeptStates(source.predictor) if source.predictor else None
        self._made: dict[int, list[Made]] = {}
        self._next = world.start + 1

    def at(self, review: Review) -> list[DemandForecast]:
        for column in range(self._next, review.column + 1):
            self._score_day(review, column - 1)
            self._forecast_day(review, column)
        self._next = review.column + 1
        return self._source.forecast(
            self._window(review, review.column),
            self._keys,
            self._world.midnight_ms(review.column),
            self._correction(review.column),
            self._suspended(review.column),
            self._states,
        )

    def _forecast_day(self, review: Review, column: int) -> None:
        window, correction = self._window(review, column), self._correction(column)
        made = self._source.made(window, self._keys, correction, self._suspended(column), self._states)
        self._made[column] = made
        self._made.pop(column - max(EVALUATED_DAYS), None)

    def _score_day(self, review: Review, day: int) -> None:
        """Scores what earlier days forecast of a day that has closed."""
        matured = [
            each
            for horizon in EVALUATED_DAYS
            if day + 1 - horizon in self._made
            for each in self._matured(review, day + 1 - horizon, horizon)
        ]
        scores = scores_of([(each, "day", each.outcomes["day"]) for each in matured])
        for each, made in zip(matured, scores, strict=True):
            self._feedback.apply(accuracy_record(each, {"day": made}))

    def _matured(self, review: Review, origin: int, horizon: int) -> Iterator[Matured]:
        day, origin_ms = origin + horizon - 1, self._world.midnight_ms(origin)
        matured_ms, sells = self._world.midnight_ms(day + 1), self._world.location_open[:, day]
        for place, (row, made) in enumerate(zip(self._rows, self._made[origin], strict=True)):
            if sells[row] and self._world.launched[row, origin - 1]:
                outcome = Outcome(float(review.sold[row, day]), not review.observed[row, day])
                for by, served in ((made.served, True), (made.shadow, False)):
                    if by is not None:
                        awaited = self._awaited(place, origin_ms, horizon, by, served)
                        yield Matured(awaited, matured_ms, {"day": outcome})

    def _awaited(self, place: int, origin_ms: int, horizon: int, by: MadeBy, served: bool) -> Awaited:
        quantiles, model_id = by.quantiles[horizon - 1].tolist(), self._source.model_id
        key = self._keys[place]
        return Awaited(key, origin_ms, horizon, by.forecaster, model_id, served, {"day": quantiles})

    def _correction(self, column: int) -> Correction:
        """What the scores say that had matured the day before a column's midnight, as for the Forecaster."""
        return learned(self._feedback, self._source.model_id, self._world.midnight_ms(column - 1))

    def _suspended(self, column: int) -> Suspended:
        location, known_ms = self._keys[0][1], self._world.midnight_ms(column - 1)
        roles, model_id = self._source.roles(self._keys), self._source.model_id
        verdicts = self._feedback.verdicts(roles, location, model_id, known_ms)
        return {pair: verdict.reason for pair, verdict in verdicts.items()}

    def _window(self, review: Review, column: int) -> DemandWindow:
        world = self._world
        days = max(self._source.history_days, FALLBACK_HISTORY_DAYS)
        missing, past = max(0, days - column), slice(max(0, column - days), column)
        front = ((0, 0), (missing, 0))
        launched: Flags = world.launched[self._rows, past]
        return DemandWindow(
            last_day=world.day(column - 1),
            units=np.pad(review.sold[self._rows, past], front),
            observed=np.pad(review.observed[self._rows, past] & launched, front),
            open=np.pad(world.location_open[self._rows, past] & launched, front),
            future_open=world.open_ahead(column)[self._rows],
        )
