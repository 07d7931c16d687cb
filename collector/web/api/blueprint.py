"""flask-smorest's blueprint with types, which it does not publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import flask_smorest  # type: ignore[import-untyped] # no type information published
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from marshmallow import Schema

F = TypeVar("F")


class StrictParser(FlaskParser):
    """Refuses parameters that nobody described, instead of ignoring a misspelt one."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE, "json": RAISE}  # noqa: RUF012 - as webargs has it


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc] # its base has no types
    """A part of the API. A view gets the checked arguments first, then those of the path."""

    ARGUMENTS_PARSER = StrictParser()

    def route(self, rule: str, **options: Any) -> Callable[[F], F]:
        """Register a view."""
        registered: Callable[[F], F] = super().route(rule, **options)
        return registered

    def arguments(self, schema: type[Schema], *, location: str = "json") -> Callable[[F], F]:
        """Check what is given; 422 names what is wrong."""
        checked: Callable[[F], F] = super().arguments(schema, location=location)
        return checked

    def response(self, status: int, schema: type[Schema] | dict[str, Any], **more: Any) -> Callable[[F], F]:
        """Dump what the view returns."""
        dumped: Callable[[F], F] = super().response(status, schema, **more)
        return dumped
