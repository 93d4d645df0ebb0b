"""The HTTP API as an ASGI application, free of Ray and Kafka: a board to answer from and who may ask."""

from fastapi import Depends, FastAPI

from serving.api import (
    alerts,
    decisions,
    drivers,
    events,
    exceptions,
    export,
    forecasts,
    labels,
    override_value,
    planners,
    saying,
    scorecard,
    skus,
    system,
    what_if,
)
from serving.api.access import Guard, Holders, allows, authorise
from serving.api.alerts import Monitoring
from serving.api.drivers import Explain
from serving.api.problems import Problem, state_problems
from serving.api.speaking import Publish, Speaker
from serving.api.system import Readiness
from serving.board.board import Board
from serving.console.pages import mount_console

_ROUTERS = (
    skus,
    labels,
    forecasts,
    drivers,
    decisions,
    events,
    exceptions,
    export,
    planners,
    saying,
    scorecard,
    override_value,
    what_if,
    system,
    alerts,
)


def build_api(
    board: Board,
    holders: Holders,
    readiness: Readiness,
    publish: Publish,
    monitoring: Monitoring | None = None,
    explain: Explain | None = None,
) -> FastAPI:
    """The application; what its endpoints need is its state."""
    http = FastAPI(
        title="Stockstream",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(authorise)],
    )
    http.state.board, http.state.readiness = board, readiness
    http.state.monitoring, http.state.explain = monitoring or Monitoring(), explain
    http.state.speaker = Speaker(board, publish)
    for module in _ROUTERS:
        http.include_router(module.router)

    @http.get("/openapi.json", **allows("viewer"), response_model=None)
    async def openapi() -> dict[str, object]:
        """This API's description."""
        return described(http)

    mount_console(http)
    state_problems(http)
    http.add_middleware(Guard, holders=holders)
    return http


def described(http: FastAPI) -> dict[str, object]:
    """The OpenAPI document, with the one way to sign in."""
    document = http.openapi()
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    return document
