import json
from pathlib import Path

from batch.retrain import open_request
from infra.contracts.codec import decode
from infra.contracts.identity import retrain_request_id
from infra.contracts.topics import RETRAIN_REQUESTS

GOLDEN = Path(__file__).parents[2] / "golden" / "v1" / f"{RETRAIN_REQUESTS}.jsonl"


def test_a_request_is_open_while_its_model_is_the_current_one() -> None:
    request = decode(RETRAIN_REQUESTS, GOLDEN.read_bytes())

    assert open_request([request], request.model_id) == request
    assert open_request([request], "lstm-of-another-day") is None
    assert open_request([request], None) is None
    assert open_request([], request.model_id) is None


def test_a_model_has_one_request_whatever_is_said_of_it() -> None:
    line = json.loads(GOLDEN.read_text())

    assert line["request_id"] == retrain_request_id(line["model_id"])
    assert retrain_request_id("lstm-1") != retrain_request_id("lstm-2")
