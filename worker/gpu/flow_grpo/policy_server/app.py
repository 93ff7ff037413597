"""The HTTP API."""

import asyncio
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from flow_grpo.policy_server.answers import chat_answer, completion_answer
from flow_grpo.policy_server.api_errors import ApiError, from_exception, invalid_request
from flow_grpo.policy_server.api_types import ChatRequest, CompletionRequest
from flow_grpo.policy_server.service import GenerationService, Served

logger = logging.getLogger(__name__)

# What nginx answers and logs when the client has gone; nobody reads it.
CLIENT_CLOSED_REQUEST = 499

# The server listens on loopback and has no key: no web page may ask it for anything. A page that makes its own name
# point here (DNS rebinding) still sends that name as the host; any other page sends its origin, be it `null`, with all
# that it can send without asking first.
HOSTS = ["127.0.0.1", "localhost"]


def create_app(service: GenerationService, model: str) -> FastAPI:
    """The application. `model` is the registered name of the model that was loaded at start."""
    app = FastAPI(title="AgentFlow policy server", docs_url=None, redoc_url=None)
    _handle_errors(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app.add_middleware(_WithoutPages)

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "model": model, "model_sha256": service.policies.base(model).sha256}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        entries = [
            {
                "id": policy.name,
                "object": "model",
                "created": 0,
                "owned_by": "agentflow",
                "policy_sha256": policy.sha256,
            }
            for policy in service.policies.loaded()
        ]
        return {"object": "list", "data": entries}

    @app.post("/v1/chat/completions")
    async def chat_completions(body: ChatRequest, request: Request) -> Response:
        served = await _serve(service, body, request)
        return _gone() if served is None else _answer(chat_answer, "chatcmpl", served, body)

    @app.post("/v1/completions")
    async def completions(body: CompletionRequest, request: Request) -> Response:
        served = await _serve(service, body, request)
        return _gone() if served is None else _answer(completion_answer, "cmpl", served, body)

    return app


def _answer(build: Any, prefix: str, served: Served, body: ChatRequest | CompletionRequest) -> JSONResponse:
    identifier = f"{prefix}-{served.policy.sha256[:8]}-{body.seed:016x}"
    return JSONResponse(build(served.policy, identifier, served.prompt, served.generation, bool(body.logprobs)))


async def _serve(service: GenerationService, body: ChatRequest | CompletionRequest, request: Request) -> Served | None:
    """Generate until done or until the client goes: then the row is dropped, and the answer is None."""
    generating = asyncio.ensure_future(service.generate(body))
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((generating, leaving), return_when=asyncio.FIRST_COMPLETED)
        return generating.result() if generating.done() else None
    except Exception as error:
        raise from_exception(error) from error
    finally:
        generating.cancel()
        leaving.cancel()


async def _disconnected(request: Request) -> None:
    # The body has been read, so the next message is the end of the connection.
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _gone() -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


class _WithoutPages:
    """Refuses what a web page asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None:
            await self.app(scope, receive, send)
        else:
            await ApiError(403, f"a web page ({origin}) may not use this server").response()(scope, receive, send)


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> JSONResponse:
        if error.status >= 500:
            logger.error("%s: %s", error.code, error.message)
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
        return invalid_request(list(error.errors())).response()

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return ApiError(error.status_code, f"{request.method} {request.url.path}: {error.detail}").response()
