"""What the HTTP API knows: a view of the topics, written by the log thread and read by requests.

Memory is bounded per SKU and location: see `kept_skus` and `day_history` for what is kept; about 35 kB each.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from infra.contracts.demand import DemandAccuracy, DemandFeatures, DemandForecast, RetrainRequest
from infra.contracts.inventory import (
    AllocationRun,
    Policy,
    Position,
    Proposal,
    ReorderDecision,
)
from infra.contracts.planning import DecisionAction, Override
from infra.contracts.shop import Item, LocationCalendar, StockLevel
from infra.contracts.topics import (
    ACCURACY,
    ALLOCATION_RUNS,
    CALENDARS,
    DECISION_ACTIONS,
    DECISIONS,
    FEATURES,
    FORECASTS,
    ITEMS,
    OVERRIDES,
    POLICIES,
    POSITIONS,
    PROPOSALS,
    RETRAIN_REQUESTS,
    STOCK_LEVELS,
)
from serving.board.day_history import DayHistory
from serving.board.forecast_scores import ForecastScores
from serving.board.kept_skus import KeptSku
from serving.board.models_seen import ModelsSeen
from serving.board.news import News
from serving.board.orderings import Orderings
from serving.board.planners_log import PlannersLog
from serving.board.progress import Progress
from serving.board.risks import assess
from serving.board.row_values import decision_values, item_values, level_values, position_values
from serving.board.service_days import ServiceDays
from serving.board.table import SkuTable
from serving.inventory.ledger import Key
from serving.inventory.local_days import midnight_after
from serving.partition_log import Entry, Outgoing

TOPICS_READ = (
    ITEMS, CALENDARS, STOCK_LEVELS, FEATURES, FORECASTS, ACCURACY, RETRAIN_REQUESTS, POSITIONS, PROPOSALS,
    ALLOCATION_RUNS, DECISIONS, OVERRIDES, DECISION_ACTIONS, POLICIES,
)  # fmt: skip
_PLANNER_SAID = (Override, DecisionAction, Policy)


class Board:
    """Every SKU's row, history, forecast and decisions, and what planners said."""

    def __init__(self) -> None:
        self.table = SkuTable()
        self.orderings = Orderings(self.table)
        self.days = DayHistory()
        self.scores = ForecastScores()
        self.service = ServiceDays()
        self.planners = PlannersLog()
        self.models = ModelsSeen()
        self.progress = Progress()
        self.news = News()
        self.calendars: dict[str, LocationCalendar] = {}
        self.runs: dict[str, AllocationRun] = {}
        self.conflicts = 0
        self._skus: dict[Key, KeptSku] = defaultdict(KeptSku)
        self._decided: dict[str, Key] = {}
        self._overridden: set[str] = set()
        self._changed: set[int] = set()

    def sku(self, key: Key) -> KeptSku | None:
        """What is kept of a SKU; None if no record has named it."""
        return self._skus.get(key)

    def decision(self, decision_id: str) -> ReorderDecision | None:
        """A decision by its id, if it is still kept."""
        key = self._decided.get(decision_id)
        return None if key is None else self._skus[key].read_decision(decision_id)

    def overridden(self) -> list[ReorderDecision]:
        """Every decision kept that used an override, in the order of their epochs."""
        found = (self.decision(each) for each in sorted(self._overridden))
        return sorted((each for each in found if each), key=lambda each: (each.epoch_ms, each.decision_id))

    def key_of(self, decision_id: str) -> Key | None:
        """The SKU and location of a decision."""
        return self._decided.get(decision_id)

    def apply(self, entry: Entry) -> None:
        """Takes a record; repeating one changes nothing."""
        message = entry.message
        self.progress.note(entry)
        if isinstance(message, _PLANNER_SAID):
            self.planners.apply(message)
        elif isinstance(message, LocationCalendar):
            self.calendars[message.location] = message
        elif isinstance(message, AllocationRun):
            known = self.runs.get(message.planning_group)
            if known is None or known.epoch_ms < message.epoch_ms:
                self.runs[message.planning_group] = message
        elif isinstance(message, RetrainRequest):
            self.models.note_request(message)
        elif hasattr(message, "sku"):
            self._apply_to_sku(message)

    def _apply_to_sku(self, message: object) -> None:
        match message:
            case Item():
                self._apply_item(message)
            case StockLevel():
                self._apply_level(message)
            case DemandFeatures(is_final=True):
                self._apply_final_row(message)
            case DemandForecast():
                self._apply_forecast(message)
            case Position():
                self._apply_position(message)
            case Proposal():
                self._skus[message.sku, message.location].keep_proposal(message)
            case ReorderDecision():
                self._apply_decision(message)
            case DemandAccuracy():
                self.scores.add(self.table.row((message.sku, message.location)), message)
                self.service.note_score(message)

    def _touch(self, key: Key) -> int:
        row = self.table.row(key)
        self._changed.add(row)
        return row

    def _apply_item(self, item: Item) -> None:
        key = (item.sku, item.location)
        row = self._touch(key)
        self._skus[key].keep_item(item)
        self.table.put(row, **item_values(item))
        renamed = item.description != self.table.text(row, "description")
        self.table.label(
            row,
            description=item.description,
            category=item.category,
            supplier=item.supplier,
            currency=item.unit_cost.currency,
        )
        if renamed:
            self.orderings.note_new_texts()

    def _apply_level(self, level: StockLevel) -> None:
        key = (level.sku, level.location)
        row = self._touch(key)
        known_ms = self.table.number(row, "on_hand_ms")
        if known_ms is None or known_ms <= level.event_time_ms:
            self.table.put(row, **level_values(level))
        if level.event_type == "snapshot":
            self._note_count(level, self.table.number(row, "unit_cost") or 0.0)

    def _note_count(self, level: StockLevel, unit_cost: float) -> None:
        """A count stands for the start of its local day, where the time zone is known."""
        calendar, start_ms = self.calendars.get(level.location), level.event_time_ms
        if calendar is not None:
            start_ms = midnight_after(start_ms, 0, calendar.time_zone)
        if self.days.note_stock((level.sku, level.location), start_ms, level.on_hand):
            self.service.note_stock(level.location, start_ms, level.on_hand * unit_cost)

    def _apply_final_row(self, final: DemandFeatures) -> None:
        key = (final.sku, final.location)
        if self.days.note_features(final):
            expected = self.days.expected_units(key, final.window_start_ms)
            cost = self.table.number(self.table.row(key), "unit_cost") or 0.0
            self.service.note_day(final, expected, cost)

    def _apply_forecast(self, forecast: DemandForecast) -> None:
        key = (forecast.sku, forecast.location)
        row = self._touch(key)
        self.days.note_forecast(forecast)
        self.models.note(forecast)
        if self._skus[key].keep_forecast(forecast):
            self.table.forecast(row, forecast.cumulative)
            self.table.put(row, fallback=forecast.is_fallback)
            self.table.label(row, forecaster=forecast.forecaster)

    def _apply_position(self, position: Position) -> None:
        key = (position.sku, position.location)
        row, kept = self._touch(key), self._skus[key]
        kept.keep_position(position)
        self.table.put(row, **position_values(position, kept.read_decision()))

    def _apply_decision(self, decision: ReorderDecision) -> None:
        key = (decision.sku, decision.location)
        row, kept = self._touch(key), self._skus[key]
        self.conflicts += not kept.keep_decision(decision)
        if decision.decision_id not in self._decided:
            self.news.add(decision.decision_id)
        self._decided[decision.decision_id] = key
        if decision.inputs.overrides:
            self._overridden.add(decision.decision_id)
        if kept.latest_decision_id() == decision.decision_id:
            self.table.put(row, **decision_values(decision))
            self.table.label(row, status=decision.status)
            if position := kept.read_position():
                self.table.put(row, **position_values(position, decision))

    def due(self, now: float) -> Iterator[list[Outgoing]]:
        """Publishes nothing; derives what has changed since the last call, and forgets what nothing needs."""
        changed, self._changed = self._changed, set()
        for row in changed:
            for forgotten in self._skus[self.table.keys[row]].forget():
                self._decided.pop(forgotten, None)
                self._overridden.discard(forgotten)
        if changed:
            assess(self.table, np.array(sorted(changed)))
            self.orderings.note_change()
        return iter(())
