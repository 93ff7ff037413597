"""Everything that this package raises is an AgentFlowError, but for arguments that Python itself refuses."""

from typing import Any

import httpx


class AgentFlowError(Exception):
    """What went wrong, and what to do, in the message."""


class NoApiKey(AgentFlowError):
    """Neither arguments, environment nor a local stack say where the API is and which key to use."""


class ApiUnreachable(AgentFlowError):
    """Nothing answers at the API's address, or not in time, or not to the end."""


class NotOurApi(AgentFlowError):
    """Another program answers at the API's address."""


class WaitTimeout(AgentFlowError, TimeoutError):
    """It has not ended within the seconds that `wait` was given. It goes on, and can be waited for again."""


class NotCompleted(AgentFlowError):
    """It has ended, or rests, without having been completed.

    `submission` is the run, flow, evaluation, export or dataset.
    """

    def __init__(self, message: str, submission: Any) -> None:
        super().__init__(message)
        self.submission = submission


class DownloadFailed(AgentFlowError):
    """Something is in the way of a download, or what arrived is not what the API tells of."""


class ApiError(AgentFlowError):
    """The API refused a request, or failed at it. The message is its own.

    `status` is HTTP's, `code` the API's stable word for programs, `param` the parameter at fault, and `issues` what is
    wrong with a body, as `{"param", "message"}` each. `more_issues` says how many are not listed.
    """

    def __init__(self, status: int, error: dict[str, Any], request_id: str | None = None) -> None:
        super().__init__(error["message"])
        self.status = status
        self.type: str | None = error.get("type")
        self.code: str | None = error.get("code")
        self.message: str = error["message"]
        self.param: str | None = error.get("param")
        self.issues: list[dict[str, str]] = error.get("issues") or []
        self.more_issues: int = error.get("more_issues") or 0
        self.request_id = request_id


class InvalidRequest(ApiError):
    """400, 413, 415 and other refusals of a request as it is."""


class AuthenticationFailed(ApiError):
    """401: the key is not known, was revoked or has expired."""


class PermissionDenied(ApiError):
    """403: the key lacks a scope."""


class NotFound(ApiError):
    """404: it is not there, or belongs to another project."""


class Conflict(ApiError):
    """409: what it is now does not allow the request."""


class RateLimited(ApiError):
    """429, after it was tried again."""


class ServerFailed(ApiError):
    """5xx, after it was tried again if that was safe."""


KINDS: dict[int, type[ApiError]] = {
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def refusal(response: httpx.Response) -> AgentFlowError:
    """What an answer that is no success is raised as. Its body has been read."""
    status = response.status_code
    error = error_of(response)
    if error is None and status < 500:
        return not_ours(response)
    told = error or {"message": f"The API at {origin(response)} answered with HTTP {status}."}
    kind = KINDS.get(status, ServerFailed if status >= 500 else InvalidRequest)
    return kind(status, told, response.headers.get("x-request-id"))


def error_of(response: httpx.Response) -> dict[str, Any] | None:
    try:
        error = response.json()["error"]
    except (ValueError, TypeError, KeyError):
        return None
    return error if isinstance(error, dict) and isinstance(error.get("message"), str) else None


def not_ours(response: httpx.Response) -> NotOurApi:
    target = response.headers.get("location")
    what = f"a redirection to {target}" if target else response.headers.get("content-type", "no content type")
    return NotOurApi(
        f"Another program answers at {origin(response)}, not the API of AgentFlow: it answered "
        f"{response.request.method} {response.request.url.path} with HTTP {response.status_code}, {what}. "
        "AGENTFLOW_API_URL, or the argument url, names another address."
    )


def unreachable(url: str, error: Exception) -> ApiUnreachable:
    why = str(error) or type(error).__name__
    return ApiUnreachable(f"The API does not answer at {url} ({why}). Is the stack up? Start it with: npm run up")


def origin(response: httpx.Response) -> str:
    url = response.request.url
    return f"{url.scheme}://{url.netloc.decode()}"
