"""`stockstream VERB ARGUMENTS`: each verb runs a module in this interpreter's environment."""

import os
import sys
from dataclasses import dataclass

from infra.errors import StockstreamError, exit_with_message
from infra.ray_directory import LOOPBACK_RAY


@dataclass(frozen=True)
class Verb:
    """What a verb runs: `python -m module [subcommand]`."""

    module: str
    summary: str
    subcommand: str | None = None


VERBS = {
    "demo": Verb("infra.local.demo", "run everything once, from history to decisions, and print the result"),
    "up": Verb("infra.local.stack", "start the local stack", "up"),
    "down": Verb("infra.local.stack", "stop the local stack", "down"),
    "status": Verb("infra.local.status", "show the stack's health; exit status 1 if something is wrong"),
    "token": Verb("infra.local.tokens", "print the local stack's API token of a role"),
    "topics": Verb("infra.contracts.table", "print the topics and their contracts"),
    "sizing": Verb("infra.sizing", "say what a shop of some size needs on Kubernetes"),
    "import": Verb("batch.bulk_import", "bring sales, stock and orders from CSV or Parquet into the archive"),
    "archive": Verb("batch.archive", "turn new archive files into deduplicated Parquet (Spark)"),
    "history": Verb("batch.demand_history", "turn the archive into the demand panel (Spark)"),
    "erase": Verb("batch.erase_user", "remove a person's pseudonym from the archive and the events"),
    "generate-demand": Verb("batch.demand_generator", "write simulated demand of which everything is known"),
    "train": Verb("batch.train_forecaster", "train a forecaster on the panel (Ray Train)"),
    "retrain": Verb("batch.retrain", "replace a model that forecasts worse than the fallback, if one does"),
    "backtest": Verb("batch.backtest", "score forecasters at past origins of any panel"),
    "promote": Verb(
        "batch.promote_model", "make a model the current one if it beats the baselines", "promote"
    ),
    "rollback": Verb("batch.promote_model", "make the previous model the current one", "rollback"),
    "features": Verb("streaming.demand_features_job", "run the features job (Flink)"),
    "serve": Verb("serving.app", "forecast and decide (Ray Serve)"),
    "heartbeat": Verb("infra.heartbeat", "tell every topic that event time has passed"),
    "shop": Verb("serving.simulation.shop", "replay the shop and its warehouse through the topics"),
    "simulate": Verb("serving.simulation.twin.simulate", "run ordering policies on any panel, side by side"),
    "explain": Verb("serving.explain", "say which drivers moved a SKU's forecast, in units"),
    "decision": Verb("serving.show_decision", "say in words why a decision orders what it orders"),
    "lost-sales-benchmark": Verb(
        "serving.lost_sales_benchmark", "what the best possible policy costs, and each named policy, exactly"
    ),
    "replay": Verb("serving.replay", "recompute published decisions from their inputs"),
}


def main() -> None:
    """Entry point of the console script."""
    exit_with_message(lambda: run(sys.argv[1:]))


def run(arguments: list[str]) -> None:
    """Replaces this process by the verb's module; prints the verbs where none is given.

    Raises:
        StockstreamError: there is no such verb.
    """
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(overview())
        return
    command = module_command(arguments)
    os.execve(command[0], command, LOOPBACK_RAY | os.environ)


def module_command(arguments: list[str]) -> list[str]:
    """The command line that a verb with its arguments stands for.

    Raises:
        StockstreamError: there is no such verb.
    """
    name, *rest = arguments
    if name not in VERBS:
        raise StockstreamError(f"no verb {name!r}; there are: {', '.join(VERBS)}")
    verb = VERBS[name]
    subcommand = [verb.subcommand] if verb.subcommand else []
    return [sys.executable, "-m", verb.module, *subcommand, *rest]


def overview() -> str:
    """All verbs, one line each."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items()]
    return "\n".join(
        ["stockstream VERB [ARGUMENTS]    (stockstream VERB --help for its options)", "", *lines]
    )
