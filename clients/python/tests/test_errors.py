import pytest

from durable_agentflow import (
    ApiError,
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    NotFound,
    NotOurApi,
    PermissionDenied,
    RateLimited,
    ServerFailed,
)


def test_an_error_has_all_that_the_api_says(stub, client):
    issues = [{"param": "steps", "message": "must be at least 1"}]
    told = stub.error(400, "invalid_config", param="steps", issues=issues, more_issues=3)
    told.headers["X-Request-Id"] = "req-1"
    stub.says(told)
    with pytest.raises(InvalidRequest, match=r"It is wrong\.") as raised:
        client.runs.create({"steps": 0})
    error = raised.value
    assert (error.status, error.type, error.code, error.param) == (400, "some_error", "invalid_config", "steps")
    assert (error.issues, error.more_issues, error.request_id) == (issues, 3, "req-1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (413, InvalidRequest),
        (418, InvalidRequest),
        (429, RateLimited),
        (500, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_each_status_has_its_kind(stub, client, status, kind):
    stub.otherwise = lambda received: stub.error(status)
    with pytest.raises(ApiError) as raised:
        client.runs.get("run-1")
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (404, b"<h1>Not Found</h1>", {"Content-Type": "text/html"}),
        (307, b"", {"Location": "http://elsewhere.test/"}),
        (200, b"<h1>Sign in</h1>", {"Content-Type": "text/html"}),
        (200, b'"text"', {"Content-Type": "application/json"}),
        (404, b'{"error": "some text"}', {"Content-Type": "application/json"}),
    ],
)
def test_another_program_at_the_address_is_told_apart_and_is_never_followed(stub, client, status, body, headers):
    stub.otherwise = lambda received: type(stub.error(1))(status, body, headers)
    with pytest.raises(NotOurApi, match=f"HTTP {status}"):
        client.runs.get("run-1")
    assert len(stub.received) == 1


def test_a_gateway_without_the_error_shape_is_an_error_of_the_server(stub, client):
    stub.otherwise = lambda received: type(stub.error(1))(502, b"<h1>Bad Gateway</h1>")
    with pytest.raises(ServerFailed, match="HTTP 502"):
        client.runs.get("run-1")


def test_the_key_is_sent_and_never_shown(stub, client):
    stub.says(stub.error(401))
    with pytest.raises(AuthenticationFailed) as raised:
        client.runs.get("run-1")
    assert stub.received[0].headers["Authorization"] == "Bearer af-secret"
    assert "af-secret" not in f"{client!r} {client.http.access!r} {raised.value!r}"


@pytest.mark.parametrize("id", ["", ".", ".."])
def test_an_id_that_a_url_takes_for_another_path_is_refused(stub, client, id):
    with pytest.raises(ValueError, match="is not an id"):
        client.runs.get(id)
    assert stub.received == []


def test_the_slashes_of_an_id_are_encoded(stub, client):
    stub.says({"object": "rollout"})
    client.rollouts.get("run-1/3/0/1")
    assert stub.received[0].path == "/v1/rollouts/run-1%2F3%2F0%2F1"
