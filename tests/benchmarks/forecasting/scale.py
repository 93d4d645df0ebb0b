"""30,000 series x 2 years from sales files to forecasts: import, Spark, Ray Train, forecasts with their sums.

Simulated sales (`batch.demand_generator`), imported month by month as a shop would export them. Memory is
that of all processes of a step together, pages shared by several counted once, read twice a second.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from batch.demand_generator import FIRST_DAY, LOCATION, GeneratedDemand, GeneratorPlan, generate
from infra.local.process_table import is_marked, live_processes, memory_share_bytes
from infra.local.verify import ROOT
from tests.benchmarks.figures import Figure, measured

SERIES, DAYS = 30_000, 730
LIMIT_SECONDS = 3600.0
MAPPING = {
    "kind": "sales",
    "format": "parquet",
    "time_zone": "Europe/London",
    "currency": "GBP",
    "columns": {
        "sku": "sku", "location": "location", "time": "time", "quantity": "units", "unit_price": "price",
    },
}  # fmt: skip


def figures() -> list[Figure]:
    """All figures at full size."""
    return measure(SERIES, DAYS)


def measure(series: int, days: int) -> list[Figure]:
    """Seconds and peak memory of each step; a step that fails ends the benchmark."""
    how = f"simulated, {series:,} series x {days} days at one location, on this machine alone"
    made = []
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        generated = generate(GeneratorPlan(series=series, days=days, future_days=0, seed=3))
        mappings = _write_sales(generated, Path(folder))
        del generated
        verbs = {
            "import": [["stockstream", "import", "--mapping", str(mapping)] for mapping in mappings],
            "history": [["stockstream", "history"]],
            "train": [["stockstream", "train"]],
            "forecast": [["python", "-m", "tests.benchmarks.forecasting.forecast_all"]],
        }
        for step, commands in verbs.items():
            used = [_run(command, run_dir) for command in commands]
            seconds, peak = sum(each[0] for each in used), max(each[1] for each in used)
            print(f"{step}: {seconds:.0f} s, {peak:.1f} GiB", flush=True)
            made += [
                measured(f"scale_{step}_seconds", [seconds], "s", how),
                measured(f"scale_{step}_peak", [peak], "GiB", how),
            ]
    return made


def _write_sales(generated: GeneratedDemand, folder: Path) -> list[Path]:
    """A file of sales and its mapping per month; the mappings' paths."""
    days = np.datetime64(FIRST_DAY, "D") + np.arange(generated.units.shape[1])
    months, skus = days.astype("datetime64[M]"), np.array([sku for sku, _ in generated.series])
    mappings = []
    for month in np.unique(months):
        columns = np.flatnonzero(months == month)
        row, column = np.nonzero(generated.units[:, columns])
        sold = {
            "sku": skus[row],
            "location": LOCATION,
            "time": pd.to_datetime(days[columns[column]]) + timedelta(hours=12),
            "units": generated.units[row, columns[column]],
            "price": 1.0,
        }
        pd.DataFrame(sold).to_parquet(folder / f"{month}.parquet")
        mappings.append(folder / f"{month}.yaml")
        mappings[-1].write_text(yaml.safe_dump({**MAPPING, "file": f"{month}.parquet"}))
    return mappings


def _run(command: list[str], run_dir: Path) -> tuple[float, float]:
    """Seconds and peak GiB of a command with all its processes."""
    mark = f"STOCKSTREAM_RUN_DIR={run_dir}"
    zones = f'{{"Europe/London": ["{LOCATION}"]}}'
    environment = {**os.environ, "STOCKSTREAM_RUN_DIR": str(run_dir), "STOCKSTREAM_ZONES": zones}
    began, peak = time.monotonic(), 0
    path = str(Path(sys.executable).parent / command[0])
    with subprocess.Popen([path, *command[1:]], env=environment, cwd=ROOT) as process:
        while process.poll() is None:
            if time.monotonic() - began > LIMIT_SECONDS:
                process.kill()
            marked = (entry.pid for entry in live_processes() if is_marked(entry.pid, mark))
            peak = max(peak, sum(memory_share_bytes(pid) for pid in marked))
            time.sleep(0.5)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.monotonic() - began, peak / 2**30
