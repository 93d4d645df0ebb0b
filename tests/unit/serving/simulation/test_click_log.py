from pathlib import Path

import pandas as pd
import pytest

from infra.contracts.codec import decode, encode
from infra.contracts.topics import CLICKSTREAM
from infra.errors import StockstreamError
from serving.simulation.click_log import clicks, read_click_log

LOG = pd.DataFrame(
    {
        "user_id": [5, 5, 6, 7],
        "item_id": [80, 80, 81, 82],
        "behavior": ["buy", "pv", "fav", "cart"],
        "epoch_seconds": [1511658010, 1511658000, 1511658005, 1511658000],
    }
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.parquet"
    LOG.to_parquet(path)
    return path


def test_a_click_log_is_replayed_in_order_of_time_without_favourites(log: Path) -> None:
    events = list(clicks(read_click_log(log), "gb-main"))
    assert [(e.event_type, e.sku, e.user_id) for e in events] == [
        ("view", "80", "user-5"),
        ("add_to_cart", "82", "user-7"),
        ("purchase", "80", "user-5"),
    ]
    assert [e.event_time_ms for e in events] == [1511658000000, 1511658000000, 1511658010000]


def test_replayed_clicks_keep_the_contract_and_repeat_their_ids(log: Path) -> None:
    once, again = (list(clicks(read_click_log(log), "gb-main")) for _ in range(2))
    assert once == again
    assert all(decode(CLICKSTREAM, encode(CLICKSTREAM, event)) == event for event in once)


def test_a_price_that_is_not_known_is_none_of_any_currency(log: Path) -> None:
    (price,) = (e.unit_price for e in clicks(read_click_log(log), "gb-main") if e.event_type == "purchase")
    assert price is not None
    assert (price.amount, price.currency) == ("0", "XXX")


def test_an_unknown_behaviour_is_refused_by_name(tmp_path: Path) -> None:
    LOG.assign(behavior="stare").to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(StockstreamError, match="behavior has value 'stare': one of buy, cart, fav, pv"):
        read_click_log(tmp_path / "odd.parquet")


def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("not parquet")
    for path in (tmp_path / "text.parquet", tmp_path / "missing.parquet"):
        with pytest.raises(StockstreamError, match=r"a Parquet file with user_id, item_id"):
            read_click_log(path)
