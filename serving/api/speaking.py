"""What planners say becomes one event on Kafka each, however often the request is repeated."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request

from infra.api_tokens import Holder
from infra.contracts import identity
from infra.contracts.inventory import Policy
from infra.contracts.planning import DecisionAction, Override
from infra.contracts.topics import DECISION_ACTIONS, OVERRIDES, POLICIES
from serving.api.access import holder_in
from serving.board.board import Board
from serving.board.planners_log import Said
from serving.partition_log import Outgoing

Publish = Callable[[Sequence[Outgoing]], None]
"""Writes messages and returns when every one is acknowledged; raises if one is not."""

Make = Callable[[int, str], Said]
"""The event that a request asks for, at an event time (ms) and with a request id."""

IdempotencyKey = Annotated[
    str, Header(pattern=r"^[A-Za-z0-9._:-]{8,64}$", description="the same for repetitions of one request")
]


class Speaker:
    """Publishes what requests ask for, one request after the other."""

    def __init__(self, board: Board, publish: Publish) -> None:
        self._board, self._publish = board, publish
        self._one_at_a_time = Lock()

    def say(self, request_ids: Sequence[str], makes: Sequence[Make]) -> list[Said]:
        """The events, acknowledged; those that a repeated request has become already are not said again.

        Raises:
            HTTPException: 409, the same key came with something else; or what making an event raises.
        """
        with self._one_at_a_time:
            now = self._board.progress.shop_time_ms()
            said = [self._once(id_, make, now) for id_, make in zip(request_ids, makes, strict=True)]
            new = [each for each, is_new in said if is_new]
            if new:
                self._publish([_outgoing(each) for each in new])
            for each in new:
                self._board.planners.apply(each)
        return [each for each, _ in said]

    def knows(self, request_id: str) -> bool:
        """Whether a request has become an event already."""
        return self._board.planners.answered(request_id) is not None

    def _once(self, request_id: str, make: Make, now: int) -> tuple[Said, bool]:
        known = self._board.planners.answered(request_id)
        if known is None:
            return make(now, request_id), True
        if make(known.event_time_ms, request_id) != known:
            raise HTTPException(409, "Idempotency-Key: it came before, with another request")
        return known, False


def _outgoing(said: Said) -> Outgoing:
    match said:
        case Override():
            return Outgoing(OVERRIDES, f"{said.scope}|{said.override_id}".encode(), said)
        case DecisionAction():
            return Outgoing(DECISION_ACTIONS, said.decision_id.encode(), said)
        case Policy():
            return Outgoing(POLICIES, said.policy_id.encode(), said)


class Speaking:
    """Somebody who asks to say something, with the key of the request."""

    def __init__(self, request: Request, key: str) -> None:
        self.holder: Holder = holder_in(request)
        self._speaker: Speaker = request.app.state.speaker
        self._path, self._key = request.url.path, key

    def say(self, make: Make) -> Said:
        """One event."""
        return self._speaker.say([self._id("")], [make])[0]

    def say_each(self, makes: dict[str, Make]) -> list[Said]:
        """One event for each part of the request."""
        return self._speaker.say([self._id(part) for part in makes], list(makes.values()))

    def said_before(self, part: str) -> bool:
        """Whether this part of the request has become an event already."""
        return self._speaker.knows(self._id(part))

    def _id(self, part: str) -> str:
        return identity.request_id(self.holder.name, self._path, f"{self._key}|{part}")


async def _speaking(request: Request, idempotency_key: IdempotencyKey) -> Speaking:
    return Speaking(request, idempotency_key)


Somebody = Annotated[Speaking, Depends(_speaking)]
