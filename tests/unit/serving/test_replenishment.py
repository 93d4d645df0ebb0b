from infra.contracts.replenishment import BaseStock, CategoryReplenishment, SegmentReplenishment
from infra.contracts.topics import ITEMS, POLICIES, STOCK_LEVELS
from tests.unit.serving.records import close_epoch, item, level, opened_shop, partition_of, policy, run
from tests.unit.serving.test_planner_stage import proposals, restarted


def test_an_items_own_policy_comes_before_its_categorys_its_segments_and_the_groups() -> None:
    own, candles, white, steady, group = (BaseStock(policy="base-stock", level=level) for level in range(5))
    log = opened_shop([])
    for sku, category, segment, replenishment in (
        ("A", "candles:white", "A/X/smooth", own),
        ("B", "candles:white:small", "A/X/smooth", None),
        ("C", "candles:red", None, None),
        ("D", "candlesticks", "A/X/smooth", None),
        ("E", "candlesticks", "C/Z/lumpy", None),
        ("F", "candlesticks", None, None),
    ):
        changed = item(sku, category=category, segment=segment, replenishment=replenishment)
        log.append(ITEMS, partition_of(sku), changed)
        log.append(STOCK_LEVELS, partition_of(sku), level(sku, 40))
    categories = [
        CategoryReplenishment(category=path, replenishment=each)
        for path, each in (("candles", candles), ("candles:white", white))
    ]
    segments = [SegmentReplenishment(segment="A/X/smooth", replenishment=steady)]
    said = {"replenishment": group, "categories": categories, "segments": segments}
    log.append(POLICIES, 0, policy(None).model_copy(update=said))
    list(close_epoch(log, "ABCDEF"))
    run(restarted(log), log, now=0.0)

    levels = {sku: each.inputs.replenishment for sku, each in proposals(log).items()}
    assert levels == {"A": own, "B": white, "C": candles, "D": steady, "E": group, "F": group}
