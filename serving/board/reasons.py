"""Why a SKU is an exception, in one line."""

from infra.contracts.inventory import ReorderDecision
from serving.board.table import SkuTable


def reason(table: SkuTable, row: int, kind: str, decision: ReorderDecision | None) -> str:
    """One line that a planner can act on."""

    def of(name: str) -> float:
        return table.number(row, name) or 0.0

    on_hand = f"{of('on_hand'):.0f} on hand" + "".join(
        f", {of(name):.0f} {name}" for name in ("backordered", "reserved") if of(name)
    )
    match kind:
        case "stock_out_ahead":
            return (
                f"{of('stock_out_risk'):.0%} chance to run out before an order of today arrives"
                f" in {of('lead_days'):.0f} days; {on_hand}, {of('due_units'):.0f} due"
            )
        case "overstock":
            days = table.number(row, "days_of_cover")
            cover = "no demand is forecast" if days is None else f"{days:.0f} days of demand"
            return f"{on_hand}: {cover}, more than 28 days sell with 95 % chance"
        case "late_supplier":
            supplier = table.text(row, "supplier")
            return (
                f"{of('late_units'):.0f} units of {supplier} are {of('late_days'):.0f} days later than usual"
            )
        case "budget_cut":
            return (
                f"the budget left out {of('budget_cut'):.0f} of {of('budget_cut') + of('quantity'):.0f} units"
            )
        case "model_fallback":
            return _detail(decision, "FORECAST_FALLBACK", "the fallback forecasts this SKU, not the model")
        case "input_stale":
            return _detail(decision, "INPUT_STALE", "decided at the deadline, before all input had come")
        case _:
            blocked = [step.detail for step in decision.adjustments if step.detail] if decision else []
            return "no decision: " + ("; ".join(blocked) or "an input is missing")


def _detail(decision: ReorderDecision | None, code: str, otherwise: str) -> str:
    steps = decision.adjustments if decision else []
    return next((step.detail for step in steps if step.reason == code and step.detail), otherwise)
