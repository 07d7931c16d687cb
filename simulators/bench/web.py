"""The bench's page and its API, on Flask: what a technician turns, and what is seen of it.

Who is not on this machine needs the key that the bench said when it started. A change is a POST of JSON,
which no other page can make a browser send here.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from collector.web.security import HEADERS
from simulators.bench import certificate, picture
from simulators.bench.api import ACTIONS, Actions
from simulators.bench.bench import LOOPBACK
from simulators.bench.failure import BenchError
from simulators.bench.steps import NotNowError
from simulators.bench.words import LANGUAGES, say
from simulators.clock import now_ms
from simulators.protocols.knobs import KnobError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Answer

    from simulators.bench.bench import Bench

COOKIE: Final = "vigia-bench"
KEY_HEADER: Final = "X-Bench-Key"
MAX_BODY: Final = 16 * 1024
# the certificate carries its own style, for it is kept and sent as one file
PAPER_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def create_app(bench: Bench, lang: str = LANGUAGES[0]) -> Flask:
    """Build the application for a running bench, in ``lang`` until somebody chooses another."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.jinja_env.undefined = StrictUndefined
    app.config["LANGUAGE"] = lang
    app.before_request(lambda: _admit(bench))
    app.after_request(_protect)
    for failure in (BenchError, KnobError, NotNowError):
        app.register_error_handler(failure, lambda error: (jsonify(error=str(error)), 409))
    app.register_error_handler(HTTPException, _refuse)
    _pages(app, bench)
    _actions(app, bench)
    return app


def _admit(bench: Bench) -> Answer | None:
    """Let in whoever is on this machine or has the key; refuse requests that another page may have caused."""
    host = request.host.rsplit(":", 1)[0].strip("[]").lower()
    loopback = bench.options.listen in LOOPBACK
    if loopback and host not in LOOPBACK:
        abort(403, "this bench is open to its own machine only")
    if request.method == "POST" and not request.is_json:
        abort(415, "JSON, please")
    if loopback:
        return None
    if _fits(request.args.get("key"), bench):
        answer = redirect("/")
        answer.set_cookie(COOKIE, bench.key, httponly=True, samesite="Strict", max_age=86_400)
        return answer
    if _fits(request.cookies.get(COOKIE), bench) or _fits(request.headers.get(KEY_HEADER), bench):
        return None
    return abort(403, "open the address with its key, as the bench said it")


def _fits(given: str | None, bench: Bench) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), bench.key.encode())


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _refuse(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description or error.name), error.code or 500


def _lang() -> str:
    asked = request.args.get("lang") or request.cookies.get("lang")
    return asked if asked in LANGUAGES else str(current_app.config["LANGUAGE"])


def _pages(app: Flask, bench: Bench) -> None:
    @app.get("/")
    def page() -> Response:
        lang = _lang()
        shown = bench_picture(lang)
        text = render_template(
            "bench.html", bench=shown, lang=lang, say=lambda table, key, **more: say(table, key, lang, **more)
        )
        answer = make_response(text)
        answer.set_cookie("lang", lang, samesite="Lax", max_age=31_536_000)
        return answer

    @app.get("/certificate")
    def paper() -> Response:
        lang = _lang()
        answer = make_response(bench.call(lambda: certificate.html(bench, lang, now_ms())))
        answer.headers["Content-Security-Policy"] = PAPER_POLICY
        return answer

    @app.get("/api/state")
    def state() -> Response:
        return jsonify(bench_picture(_lang()))

    def bench_picture(lang: str) -> dict[str, Any]:
        return bench.call(lambda: picture.of(bench, lang))


def _actions(app: Flask, bench: Bench) -> None:
    actions = Actions(bench)

    @app.post("/api/<what>")
    def act(what: str) -> Response:
        if what not in ACTIONS:
            abort(404, f"no such action; there are {', '.join(ACTIONS)}")
        given = request.get_json()
        if not isinstance(given, dict):
            abort(400, "a JSON object, please")
        ACTIONS[what](actions, given)
        return jsonify(ok=True)
