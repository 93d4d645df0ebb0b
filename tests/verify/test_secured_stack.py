"""The whole loop on a secured stack: every component with its own user and no right too many."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from infra.contracts.topics import DECISIONS
from infra.kafka_security import PREFIX
from infra.local.secured_broker import OPERATOR, SHOP, USERS
from infra.local.stack import Stack
from tests.e2e.topic_log import messages_of
from tests.e2e.verbs import FIRST_DAY, MAPPING, patience, run_verb

DAYS, SKUS = 8, 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A secured stack through which the shop has run for a week, until after its first review."""
    run_dir = tmp_path_factory.mktemp("secured-stack")
    run_verb(run_dir, "import", "--mapping", str(MAPPING), "--until", FIRST_DAY)
    run_verb(run_dir, "history")
    run_verb(run_dir, "train", timeout=900)
    stack = Stack(run_dir)
    with patience(), pytest.MonkeyPatch.context() as environment:
        try:
            stack.start_broker(secure=True)
            stack.start_features()
            stack.start_serving()
            as_user(environment, stack, SHOP)
            run_verb(run_dir, "shop", "--days", str(DAYS))
            yield stack
        finally:
            stack.stop()
            shutil.rmtree(run_dir, ignore_errors=True)


def as_user(environment: pytest.MonkeyPatch, stack: Stack, user: str) -> None:
    for name, value in stack.security.environment(user).items():
        environment.setenv(name, value)


def test_every_sku_is_decided_and_every_decision_replays(
    secured: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, secured, OPERATOR)
    decided = Counter(message.sku for message in messages_of(secured.settings(), DECISIONS))

    assert len(decided) == SKUS
    assert set(decided.values()) == {1}
    assert f"{SKUS} decisions reproduced exactly" in run_verb(secured.run_dir, "replay")


def test_a_verb_without_its_user_says_what_is_missing(
    secured: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)

    with pytest.raises(AssertionError, match=f"refuses plain text; {PREFIX}SECURITY_PROTOCOL says"):
        run_verb(secured.run_dir, "replay")


def test_a_wrong_password_is_refused(secured: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, secured, OPERATOR)
    monkeypatch.setenv(f"{PREFIX}PASSWORD", "wrong")

    with pytest.raises(AssertionError, match="refused user 'operator' or its password"):
        run_verb(secured.run_dir, "replay")


def test_no_password_is_in_any_file_but_its_own(secured: Stack) -> None:
    passwords = [secured.security.environment(user)[f"{PREFIX}PASSWORD"].encode() for user in USERS]
    files = [path for path in secured.run_dir.rglob("*") if path.is_file() and path.parent.name != "secure"]

    assert [path for path in files if any(password in path.read_bytes() for password in passwords)] == []
