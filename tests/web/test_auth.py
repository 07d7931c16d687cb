"""Who may what: sessions, tokens, CSRF, roles, headers, and the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from collector.storage.state import User
from collector.web import users
from tests.web.conftest import PASSWORDS, csrf

if TYPE_CHECKING:
    from tests.web.conftest import Web

OPEN = ("/login", "/healthz", "/readyz", "/metrics", "/static/style.css")


@pytest.mark.parametrize("path", OPEN)
def test_open_without_signing_in(web: Web, path):
    with web.client().get(path) as answer:
        assert answer.status_code == 200


def test_everything_else_is_closed(web: Web):
    """Every route of the application, so that a new one cannot be left open by mistake."""
    client = web.client()
    for rule in web.app.url_map.iter_rules():
        path = (
            rule.rule.replace("<site_id>", "x")
            .replace("<int:incident_id>", "1")
            .replace("<path:filename>", "x")
        )
        if path in OPEN or rule.endpoint in {"static", "login.language"} or "GET" not in (rule.methods or ()):
            continue
        answer = client.get(path)
        if path.startswith("/api/"):
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        else:
            assert answer.status_code == 302, path
            assert answer.location.startswith("/login"), path


def test_signing_in_leads_to_the_page_that_was_wanted(web: Web):
    client = web.client()
    assert client.get("/incidents?state=all").location == "/login?next=/incidents?state%3Dall"
    form = {"name": "vera", "password": PASSWORDS["vera"], "csrf_token": csrf(client)}
    answer = client.post("/login", data=form | {"next": "/incidents?state=all"})
    assert (answer.status_code, answer.location) == (303, "/incidents?state=all")


@pytest.mark.parametrize(
    "evil", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", "/a\nb"]
)
def test_never_sent_to_another_host(web: Web, evil):
    client = web.client()
    form = {"name": "vera", "password": PASSWORDS["vera"], "csrf_token": csrf(client), "next": evil}
    assert client.post("/login", data=form).location == "/"


def test_a_wrong_password_says_so_and_keeps_the_name(web: Web):
    client = web.client()
    form = {"name": "vera", "password": "no es esta", "csrf_token": csrf(client)}
    answer = client.post("/login", data=form)
    assert answer.status_code == 401
    assert 'value="vera"' in answer.text
    assert "El nombre o la contraseña no son correctos." in answer.text


def test_too_many_attempts_must_wait(web: Web, clock):
    client = web.client()
    form = {"name": "vera", "password": "no es esta", "csrf_token": csrf(client)}
    codes = [client.post("/login", data=form).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    form["password"] = PASSWORDS["vera"]
    assert client.post("/login", data=form).status_code == 429
    clock.ms += 301_000
    assert client.post("/login", data=form).status_code == 303


def test_a_session_begins_anew_when_signing_in(web: Web):
    client = web.client()
    before = csrf(client)
    client.post("/login", data={"name": "vera", "password": PASSWORDS["vera"], "csrf_token": before})
    client.get("/")
    with client.session_transaction() as session:
        assert session["csrf"] != before


def test_leaving_ends_the_session(web: Web):
    client = web.client("vera")
    client.get("/")
    with client.session_transaction() as session:
        token = session["csrf"]
    client.post("/logout", data={"csrf_token": token})
    assert client.get("/").status_code == 302


def test_a_new_password_or_a_removed_user_ends_sessions(web: Web):
    vera, carla = web.client("vera"), web.client("carla")
    with Session(web.engine) as session:
        users.add_user(session, "vera", "ya cambió todo", "viewer")
        session.delete(session.get_one(User, "carla"))
        session.commit()
    assert vera.get("/").status_code == 302
    assert carla.get("/").status_code == 302


def test_bearer_tokens_open_the_api(web: Web):
    client = web.client()
    assert client.get("/api/v1/status", headers=web.bearer("viewer")).status_code == 200
    assert client.get("/api/v1/status", headers={"Authorization": "Bearer nope"}).status_code == 401
    assert client.get("/api/v1/status", headers={"Authorization": "Basic dmVyYTp4"}).status_code == 401


def test_a_wrong_token_is_not_saved_by_a_session(web: Web):
    assert (
        web.client("vera").get("/api/v1/status", headers={"Authorization": "Bearer nope"}).status_code == 401
    )


@pytest.mark.parametrize("path", ["/incidents/3/acknowledge", "/api/v1/incidents/3/acknowledge", "/logout"])
def test_changes_need_the_csrf_token(web: Web, path):
    client = web.client("carla")
    sent: dict[str, Any] = {"json": {}} if path.startswith("/api") else {"data": {}}
    assert client.post(path, **sent).status_code == 403
    wrong = {"X-CSRF-Token": "wrong"}
    assert client.post(path, headers=wrong, **sent).status_code == 403


def test_the_login_form_needs_it_too(web: Web):
    form = {"name": "vera", "password": PASSWORDS["vera"]}
    assert web.client().post("/login", data=form).status_code == 403


def test_the_api_takes_the_csrf_token_as_a_header(web: Web):
    client = web.client("carla")
    headers = {"X-CSRF-Token": csrf_of(client)}
    assert (
        client.post("/api/v1/incidents/3/note", json={"note": "ya voy"}, headers=headers).status_code == 200
    )


def csrf_of(client) -> str:
    client.get("/")
    with client.session_transaction() as session:
        return str(session["csrf"])


def test_a_bearer_token_needs_no_csrf_token(web: Web):
    answer = web.client().post("/api/v1/incidents/3/note", json={"note": "x"}, headers=web.bearer("crew"))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{prefix}/incidents/3/{action}"
        for prefix in ("", "/api/v1")
        for action in ("acknowledge", "start", "resolve", "note")
    ],
)
def test_viewers_change_nothing(web: Web, path):
    body = {"note": "x", "cause_code": "other"} if path.endswith("resolve") else {"note": "x"}
    answer = web.client().post(path, json=body, headers=web.bearer("viewer"))
    assert answer.status_code == 403
    left: Any = web.client().get("/api/v1/incidents/3", headers=web.bearer("viewer"))
    assert left.json["status"] == "notified"


def test_only_crews_see_contacts_and_keys(web: Web):
    path = "/api/v1/sites/mercado-olivar-del-conde"
    seen: Any = web.client().get(path, headers=web.bearer("viewer")).json
    assert "contacts" not in seen
    assert "keys_and_hours" not in seen
    seen = web.client().get(path, headers=web.bearer("crew")).json
    assert "1234" in seen["contacts"]
    page = "/sites/mercado-olivar-del-conde"
    assert "tel:5512345678" not in web.client("vera").get(page).text
    assert "tel:5512345678" in web.client("carla").get(page).text


@pytest.mark.parametrize("path", ["/login", "/nope", "/api/v1/status", "/static/style.css", "/healthz"])
def test_headers_that_protect(web: Web, path):
    with web.client().get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in headers


def test_behind_https_cookies_and_hsts_are_strict(make_web):
    web = make_web(public_url="https://vigia.example")
    answer = web.client().get("/login")
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    cookie = answer.headers["Set-Cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(web: Web):
    client = web.client("carla")
    for path in ("/", "/sites/mercado-olivar-del-conde", "/incidents", "/incidents/3", "/nope"):
        text = client.get(path).text
        assert "style=" not in text, path
        assert "<style" not in text, path
        assert " onclick" not in text, path
        assert "http://" not in text, path
        assert "https://" not in text, path
        for script in text.split("<script")[1:]:
            assert " src=" in script.split(">")[0], path
