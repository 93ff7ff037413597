"""OpenAI's error objects, and which failure becomes which."""

from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse

from flow_grpo.base_model import UnknownModel
from flow_grpo.policy_server.engine import EngineStopped
from flow_grpo.policy_server.policies import PolicyNotLoaded, PolicyShaRequired
from flow_grpo.policy_server.sampling import NonFiniteLogits


@dataclass
class ApiError(Exception):
    """An error answer: HTTP status and the fields of OpenAI's error object."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None

    @property
    def type(self) -> str:
        """OpenAI's class of error."""
        return "invalid_request_error" if self.status < 500 else "server_error"

    def response(self) -> JSONResponse:
        """The HTTP answer."""
        error = {"message": self.message, "type": self.type, "code": self.code, "param": self.param}
        return JSONResponse({"error": error}, self.status)


def context_length_exceeded(prompt_tokens: int, max_tokens: int, context: int) -> ApiError:
    """The prompt and what may be sampled do not fit the model's context."""
    return ApiError(
        400,
        f"the model's context is {context} tokens; the prompt has {prompt_tokens} and max_tokens is {max_tokens}",
        code="context_length_exceeded",
        param="max_tokens",
    )


def invalid_request(errors: list[dict[str, Any]]) -> ApiError:
    """What pydantic found wrong in a request, as one error that names the first field."""
    first = errors[0]
    path = [str(part) for part in first["loc"] if part != "body"]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return ApiError(400, f"the body is not JSON: {first['ctx']['error']}", code="invalid_json")
    if not path:
        return ApiError(400, message, code="invalid_value")
    return ApiError(400, f"{'.'.join(path)}: {message}", code="invalid_value", param=path[0])


def from_exception(error: Exception) -> ApiError:
    """The answer to a failure while serving a request."""
    match error:
        case ApiError():
            return error
        case PolicyNotLoaded():
            return ApiError(409, str(error), code="policy_not_loaded", param="model")
        case UnknownModel():
            return ApiError(404, str(error), code="model_not_found", param="model")
        case PolicyShaRequired():
            return ApiError(400, str(error), code="policy_sha256_required", param="policy_sha256")
        case EngineStopped():
            return ApiError(503, str(error), code="shutting_down")
        case NonFiniteLogits():
            return ApiError(500, str(error), code="non_finite_logits")
        case _:
            return ApiError(500, f"{type(error).__name__}: {error}", code="internal_error")
