import json
from pathlib import Path

import pandas as pd
import pytest

from batch.panel_files import panel_hash, publish_panel, read_panel


@pytest.fixture
def panel() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sku": ["A", "A", "B"],
            "location": "gb-main",
            "date": pd.to_datetime(["2011-07-01", "2011-07-02", "2011-07-01"]),
            "units": [3.0, 0.0, 1.0],
            "order_lines": [2, 0, 1],
            "bulk_units": 0.0,
            "returned_units": 0.0,
            "revenue": [7.65, 0.0, 2.0],
            "mean_price": [2.55, None, 2.0],
            "open": True,
            "available": [None, 0.5, 1.0],
            "suspected_stockout": False,
        }
    )


def write(panel: pd.DataFrame, folder: Path, parts: int) -> Path:
    folder.mkdir(parents=True)
    for part in range(parts):
        panel.iloc[part::parts].to_parquet(folder / f"part-{part}.parquet")
    return folder


def test_a_panel_has_the_same_hash_however_its_rows_are_ordered_and_split(
    panel: pd.DataFrame, tmp_path: Path
) -> None:
    shuffled = panel.iloc[[2, 0, 1]]
    expected = panel_hash(panel)
    assert panel_hash(shuffled) == expected
    assert panel_hash(read_panel(write(shuffled, tmp_path / "split", 2))) == expected


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("units", 4.0),
        ("sku", "A2"),
        ("date", pd.Timestamp("2011-06-30")),
        ("open", False),
        ("available", 0.0),
    ],
)
def test_any_changed_cell_changes_the_hash(panel: pd.DataFrame, column: str, value: object) -> None:
    cells = [value, *panel[column].tolist()[1:]]
    assert panel_hash(panel.assign(**{column: cells})) != panel_hash(panel)


def test_a_new_panel_becomes_current_and_the_former_one_stays(panel: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("a" * 64, "b" * 64):
        publish_panel(tmp_path, write(panel, tmp_path / ".panel-staging", 1), {"panel_hash": name})
        assert json.loads((tmp_path / "panel" / "_manifest.json").read_text())["panel_hash"] == name
    assert sorted(path.name for path in (tmp_path / "panels").iterdir()) == ["a" * 16, "b" * 16]


def test_the_same_panel_published_again_is_kept_as_it_is(panel: pd.DataFrame, tmp_path: Path) -> None:
    for _ in range(2):
        publish_panel(tmp_path, write(panel, tmp_path / ".panel-staging", 1), {"panel_hash": "a" * 64})
    assert len(read_panel(tmp_path / "panel")) == len(panel)
    assert not (tmp_path / ".panel-staging").exists()
