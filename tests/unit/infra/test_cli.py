import sys

import pytest

from infra.cli import VERBS, module_command, overview
from infra.errors import StockstreamError


def test_a_verb_runs_its_module_with_the_arguments_given() -> None:
    command = module_command(["train", "--epochs", "3"])

    assert command == [sys.executable, "-m", "batch.train_forecaster", "--epochs", "3"]


def test_verbs_that_share_a_module_name_their_subcommand() -> None:
    assert module_command(["rollback"]) == [sys.executable, "-m", "batch.promote_model", "rollback"]


def test_an_unknown_verb_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(StockstreamError, match=r"no verb 'trian'; there are: .*train"):
        module_command(["trian"])


def test_the_overview_names_every_verb() -> None:
    first_words = {line.split()[0] for line in overview().splitlines() if line}

    assert set(VERBS) <= first_words
