"""Which requests are repeated, and after how long."""

import random

import httpx

ATTEMPTS = 5
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
"""Of those that grow by themselves. What the API asks for in Retry-After is waited for up to LONGEST_ASKED_S."""
LONGEST_ASKED_S = 60.0

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

PASSING = {429, 502, 503, 504}
"""Answers after which the same request may succeed. 500 is a defect: it would come again."""


def may_repeat(response: httpx.Response, repeatable: bool) -> bool:
    """429 is said before anything is done. The others may come after it: then only what is `repeatable` is repeated."""
    return response.status_code == 429 or (repeatable and response.status_code in PASSING)


def pause_before(attempt: int, response: httpx.Response | None = None) -> float:
    """Seconds before an attempt, the second being 2: as the API asks, else doubling, and less by chance."""
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.isdecimal():
        return min(float(asked), LONGEST_ASKED_S)
    longest = min(FIRST_PAUSE_S * 2 ** min(attempt - 2, 10), LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1)
