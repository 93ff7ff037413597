"""Tells outage from defect: whether what a call raised is recognisably infrastructure, and so retried without limit.

Everything else comes again however often the call is made (I14). The TypeScript worker has the same in
activities/failures/outage.ts.
"""

import errno
import re

import psycopg
from temporalio.service import RPCError, RPCStatusCode

# PostgreSQL's codes of what passes: connection, resources, intervention and timeouts, system errors; a server that
# takes no writes now, locks that are held, and transactions to be tried again.
_PASSING = re.compile(r"08|53|57|58|25006|25P0[34]|55006|55P03|40000|40001|40003|40P01")
_NETWORK = {
    errno.EADDRNOTAVAIL,
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETRESET,
    errno.ENETUNREACH,
    errno.EPIPE,
    errno.ETIMEDOUT,
}
# A machine that has no room, or whose disk does not answer.
_MACHINE = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EROFS,
    errno.ESTALE,
}
_GRPC = {
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.UNAVAILABLE,
}


def is_outage(error: BaseException) -> bool:
    """Whether the error, or one that it was raised from, says that something outside is out of order now."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if _says_outage(cause):
            return True
        seen.add(id(cause))
        cause = cause.__cause__
    return False


def _says_outage(error: BaseException) -> bool:
    match error:
        case psycopg.Error():
            return _is_database_outage(error)
        case ConnectionError() | TimeoutError():
            return True
        case OSError():
            # Names that cannot be resolved are errors of another numbering.
            return type(error).__name__ == "gaierror" or error.errno in _NETWORK | _MACHINE
        case RPCError():
            return error.status in _GRPC
        case _:
            return False


def _is_database_outage(error: psycopg.Error) -> bool:
    if error.sqlstate is not None:
        return _PASSING.match(error.sqlstate) is not None
    # Without a code: the server could not be reached, or the connection was lost.
    return isinstance(error, psycopg.OperationalError)
