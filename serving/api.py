"""The read-only HTTP API: forecasts, positions and decisions, and whether the application is ready."""

from typing import Annotated, Literal, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from ray import serve
from ray.serve.schema import ApplicationStatus
from starlette.exceptions import HTTPException as StarletteHTTPException

from infra.contracts.demand import DemandForecast
from infra.contracts.inventory import Position, ReorderDecision
from infra.contracts.topics import DECISIONS, FORECASTS, POSITIONS
from infra.errors import StockstreamError
from infra.kafka import topic_partitions
from infra.settings import Settings
from serving.answers import Answers
from serving.partition_log import LogFollower
from serving.ray_meters import RayMeters
from serving.replica import REPLICA_OPTIONS, SILENT_SECONDS, FollowingReplica

Found = TypeVar("Found")

http = FastAPI(title="Stockstream", version="1")


def problem(status: int, detail: object) -> JSONResponse:
    """An error as RFC 9457 describes it."""
    body = {"type": "about:blank", "status": status, "detail": str(detail)}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _found(value: Found | None, problem_detail: str) -> Found:
    if value is None:
        raise HTTPException(404, problem_detail)
    return value


@http.exception_handler(StarletteHTTPException)
async def _http_problem(request: Request, error: StarletteHTTPException) -> JSONResponse:
    return problem(error.status_code, error.detail)


@http.exception_handler(RequestValidationError)
async def _validation_problem(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    return problem(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


@serve.deployment(num_replicas=1, **REPLICA_OPTIONS)
@serve.ingress(http)
class Api(FollowingReplica):
    """Answers from the output topics, which it follows itself."""

    def __init__(self, settings: Settings, *reported_on: object) -> None:
        self._answers = Answers()
        assigned = topic_partitions((FORECASTS, POSITIONS, DECISIONS), range(settings.partitions))
        meters = RayMeters()
        super().__init__(LogFollower("api", settings.bootstrap_servers, assigned, self._answers, meters))

    @http.get("/healthz")
    def healthz(self) -> dict[str, str]:
        """This replica answers."""
        return {"status": "ok"}

    @http.get("/readyz", response_model=None)
    def readyz(self) -> JSONResponse:
        """200 when every deployment is healthy and nothing contradicts itself, else 503 with the reasons."""
        reasons = self._not_ready()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def _not_ready(self) -> list[str]:
        reasons = []
        for name, application in serve.status().applications.items():
            if application.status != ApplicationStatus.RUNNING:
                reasons.append(f"application {name} is {application.status.value}")
            for deployment, state in application.deployments.items():
                if state.status.value != "HEALTHY":
                    reasons.append(f"{deployment} is {state.status.value}: {state.message}")
        if self._answers.conflicts:
            reasons.append(f"{self._answers.conflicts} decisions came twice with different content")
        try:
            self._follower.check(SILENT_SECONDS)
        except StockstreamError as error:
            reasons.append(str(error))
        return reasons

    @http.get("/v1/forecasts/{location}/{sku}")
    def forecast(self, location: str, sku: str) -> DemandForecast:
        """The latest forecast of a SKU."""
        return _found(self._answers.forecasts.get((sku, location)), f"no forecast of {sku} at {location}")

    @http.get("/v1/positions/{location}/{sku}")
    def position(self, location: str, sku: str) -> Position:
        """Stock and open orders of a SKU at the last day close."""
        return _found(self._answers.positions.get((sku, location)), f"no position of {sku} at {location}")

    @http.get("/v1/decisions")
    def decisions(
        self,
        location: str | None = None,
        sku: str | None = None,
        status: Literal["order", "no_order", "blocked"] | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[ReorderDecision]:
        """The latest decision of each SKU, by SKU and location."""
        chosen = [
            decision
            for key, decision in sorted(dict(self._answers.latest_decisions).items())
            if (sku is None or key[0] == sku)
            and (location is None or key[1] == location)
            and (status is None or decision.status == status)
        ]
        return chosen[:limit]

    @http.get("/v1/decisions/{decision_id}")
    def decision(self, decision_id: str) -> ReorderDecision:
        """A decision by its id."""
        return _found(self._answers.decisions.get(decision_id), f"no decision {decision_id}")
