"""A real Prometheus beside the stack, where set-up could fetch its binary."""

from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from infra.errors import StockstreamError
from infra.local.processes import Component
from infra.prometheus.rules import RULES_FILE

BINARY = Path(__file__).parents[2] / ".run" / "prometheus" / "usr" / "bin" / "prometheus"
_START_TIMEOUT_SECONDS = 30.0
_INTERVAL = "5s"


class PrometheusServer:
    """Scrapes the stack's metric ports; its data and log live in the run directory."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "prometheus"
        self.component = Component("prometheus", run_dir)

    @staticmethod
    def is_installed() -> bool:
        return BINARY.exists()

    def start(self, port: int, targets: dict[str, int], rules: Path = RULES_FILE) -> None:
        """Starts the server; returns when it is ready to scrape.

        Args:
            port: loopback port of its own pages.
            targets: metric port by job name.
            rules: the rules file; alerts with other waits where a stack lives for minutes.

        Raises:
            StockstreamError: set-up found no binary, or it did not come up; shows the last log lines.
        """
        if not self.is_installed():
            raise StockstreamError(f"no Prometheus in {BINARY}: 'make setup' could not fetch it")
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(scrape_config(targets, rules)))
        self.component.start(
            [
                str(BINARY),
                f"--config.file={config}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ]
        )
        self.component.wait_until_ready(
            lambda: answers(f"http://127.0.0.1:{port}/-/ready"), _START_TIMEOUT_SECONDS
        )


def scrape_config(targets: dict[str, int], rules: Path) -> dict[str, object]:
    """Prometheus configuration that scrapes each loopback port under its job name and has the alerts."""
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in targets.items()
    ]
    intervals = {"scrape_interval": _INTERVAL, "evaluation_interval": _INTERVAL}
    return {"global": intervals, "rule_files": [str(rules)], "scrape_configs": jobs}


def answers(url: str) -> bool:
    """Whether the address answers a GET with success within a second."""
    try:
        with urlopen(url, timeout=1.0) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
