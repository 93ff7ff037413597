"""Client of durable AgentFlow for Python. `Client` is for notebooks and scripts, `AsyncClient` for asyncio and trio."""

from ._async.client import AsyncClient
from ._async.datasets import AsyncDataset
from ._async.exports import AsyncExport
from ._async.submissions import AsyncEvaluation, AsyncFlow, AsyncRun
from ._sync.client import Client
from ._sync.datasets import Dataset
from ._sync.exports import Export
from ._sync.submissions import Evaluation, Flow, Run
from .errors import (
    AgentFlowError,
    ApiError,
    ApiUnreachable,
    AuthenticationFailed,
    Conflict,
    DownloadFailed,
    InvalidRequest,
    NoApiKey,
    NotCompleted,
    NotFound,
    NotOurApi,
    PermissionDenied,
    RateLimited,
    ServerFailed,
    WaitTimeout,
)

__all__ = [
    "AgentFlowError",
    "ApiError",
    "ApiUnreachable",
    "AsyncClient",
    "AsyncDataset",
    "AsyncEvaluation",
    "AsyncExport",
    "AsyncFlow",
    "AsyncRun",
    "AuthenticationFailed",
    "Client",
    "Conflict",
    "Dataset",
    "DownloadFailed",
    "Evaluation",
    "Export",
    "Flow",
    "InvalidRequest",
    "NoApiKey",
    "NotCompleted",
    "NotFound",
    "NotOurApi",
    "PermissionDenied",
    "RateLimited",
    "Run",
    "ServerFailed",
    "WaitTimeout",
]
