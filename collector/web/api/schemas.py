"""Shapes of the API's questions and answers. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from collector.model import Cause, Severity
from collector.web.actions import CAUSE_CODES
from collector.web.words import STATUS_ORDER

MAX_ID = 2**63 - 1  # of the state's 64-bit keys
MAX_MS = 253_402_300_799_999  # the last moment of the year 9999
NAME = validate.Regexp(r"^[A-Za-z0-9_.:/-]+\Z")


def time(**more: object) -> fields.Integer:
    """Describe a time in milliseconds since 1970 UTC."""
    return fields.Integer(validate=validate.Range(0, MAX_MS), **more)  # type: ignore[arg-type] # keywords of the field


class Asked(Schema):
    """What a query may hold; an unknown parameter is an error, not ignored."""

    lang = fields.String(validate=validate.OneOf(("es", "en")), metadata={"description": "Language of texts"})


class IncidentsAsked(Asked):
    """Which incidents."""

    state = fields.String(load_default="open", validate=validate.OneOf(("open", "closed", "all")))
    site = fields.String(validate=validate.Length(1, 64))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    before = fields.Integer(
        validate=validate.Range(1, MAX_ID),
        metadata={"description": "Only those with a lower id: the next page"},
    )


class SeriesAsked(Asked):
    """Which numbers over which time."""

    measurement = fields.String(required=True, validate=[NAME, validate.Length(1, 64)])
    fields_ = fields.String(
        required=True,
        data_key="fields",
        validate=validate.Regexp(r"^[a-z0-9_]{1,64}(,[a-z0-9_]{1,64}){0,15}\Z"),
        metadata={"description": "1 to 16 names, separated by commas"},
    )
    start_ms = time(metadata={"description": "Default: a day before stop_ms"})
    stop_ms = time(metadata={"description": "Default: now"})
    device = fields.String(validate=validate.Regexp(r"^[a-z0-9][a-z0-9-]{0,62}\Z"))
    instance = fields.String(validate=validate.Length(1, 128))
    every_ms = fields.Integer(
        validate=validate.Range(1000, 31 * 86_400_000),
        metadata={"description": "Average over this; absent: as stored"},
    )

    @validates_schema
    def ordered(self, data: dict[str, int], **_more: object) -> None:
        """Refuse an empty window."""
        if "start_ms" in data and "stop_ms" in data and data["start_ms"] >= data["stop_ms"]:
            raise ValidationError("must be before stop_ms", "start_ms")


class NoteGiven(Schema):
    """A person's words about an incident."""

    note = fields.String(required=True, validate=[validate.Length(1, 2000), validate.Regexp(r"[\s\S]*\S")])


class StepGiven(Schema):
    """A step, perhaps with a word."""

    note = fields.String(validate=validate.Length(0, 2000))


class ResolveGiven(StepGiven):
    """What was found."""

    cause_code = fields.String(required=True, validate=validate.OneOf(CAUSE_CODES))


class StatusSchema(Schema):
    """The whole in numbers."""

    title = fields.String(required=True)
    version = fields.String(required=True)
    now_ms = fields.Integer(required=True)
    sites = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    devices = fields.Integer(required=True)
    open_incidents = fields.Integer(required=True)


class SiteSchema(Schema):
    """A facility and how it is."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    name_es = fields.String(required=True)
    name_en = fields.String(required=True)
    kind = fields.String(required=True)
    address = fields.String(allow_none=True)
    lat = fields.Float(allow_none=True)
    lon = fields.Float(allow_none=True)
    priority = fields.Integer(required=True)
    sample = fields.Boolean(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUS_ORDER))
    since_ms = fields.Integer(allow_none=True)
    open_incidents = fields.Integer(required=True)
    devices = fields.Integer(required=True)


class DeviceSchema(Schema):
    """A device and its reception."""

    id = fields.String(required=True)
    site = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True)
    feed = fields.String(allow_none=True)
    last_arrival_ms = fields.Integer(required=True, allow_none=True)
    sample_ms = fields.Integer(required=True, allow_none=True)
    session = fields.String(required=True)
    frames_stored = fields.Integer(required=True)
    seq = fields.Integer(required=True, allow_none=True)
    missing = fields.Integer(required=True, allow_none=True)
    clock_trusted = fields.Boolean(allow_none=True)
    hello = fields.Dict(required=True)


class FactSchema(Schema):
    """One piece of evidence."""

    code = fields.String(required=True)
    params = fields.Dict(required=True)
    text = fields.String(required=True)


class IncidentSchema(Schema):
    """A condition of a facility with a life of its own."""

    id = fields.Integer(required=True)
    site = fields.String(required=True)
    site_name = fields.String(required=True)
    condition = fields.String(required=True)
    subject = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(tuple(Severity)))
    cause = fields.String(required=True, allow_none=True, validate=validate.OneOf(tuple(Cause)))
    confidence = fields.Float(required=True, allow_none=True)
    final = fields.Boolean(required=True)
    found_on_return = fields.Boolean(required=True)
    started_ms = fields.Integer(required=True)
    opened_ms = fields.Integer(required=True)
    cleared_ms = fields.Integer(required=True, allow_none=True)
    closed_ms = fields.Integer(required=True, allow_none=True)
    owner = fields.String(required=True, allow_none=True)
    cause_code = fields.String(required=True, allow_none=True)
    facts = fields.List(fields.Nested(FactSchema), required=True)


class StepSchema(Schema):
    """One step of an incident's history."""

    id = fields.Integer(required=True)
    at_ms = fields.Integer(required=True)
    kind = fields.String(required=True)
    by = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    cause = fields.String(required=True, allow_none=True)
    cause_code = fields.String(required=True, allow_none=True)
    facts = fields.List(fields.Nested(FactSchema), required=True)


class DeliverySchema(Schema):
    """One message to one channel."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    channel = fields.String(required=True)
    status = fields.String(required=True)
    due_ms = fields.Integer(required=True)
    attempts = fields.Integer(required=True)
    delivered_ms = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class MemberSchema(Schema):
    """An incident while an area speaks for it; ``reason`` says why it left."""

    site = fields.String(required=True)
    site_name = fields.String(required=True)
    incident = fields.Integer(required=True)
    joined_ms = fields.Integer(required=True)
    left_ms = fields.Integer(required=True, allow_none=True)
    reason = fields.String(required=True)


class IncidentDetailSchema(IncidentSchema):
    """An incident with its history and messages; of an area also its members."""

    area = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The area that speaks for it, or did last"}
    )
    members = fields.List(fields.Nested(MemberSchema), required=True)

    history = fields.List(fields.Nested(StepSchema), required=True)
    advice = fields.String(required=True, metadata={"description": "What to do and what to bring"})
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)


class WeightSchema(Schema):
    """What a fact says of a cause: for it (+) or against it (-), in natural logarithms of odds."""

    cause = fields.String(required=True)
    why = fields.String(required=True)
    weight = fields.Float(required=True)


class WeighedFactSchema(FactSchema):
    """A fact of a step; ``change`` against the step before: ``new``, ``changed``, ``same`` or ``gone``."""

    change = fields.String(required=True)
    weights = fields.List(fields.Nested(WeightSchema), required=True)
    because = fields.String(
        required=True, allow_none=True, metadata={"description": "Why it weighs so, as the table has it"}
    )
    no_longer_counts = fields.String(
        required=True, allow_none=True, metadata={"description": "What made it weigh nothing, in words"}
    )


class PossibleSchema(Schema):
    """A cause with the sum of what was said of it and its share of all odds."""

    cause = fields.String(required=True)
    why = fields.String(required=True)
    score = fields.Float(required=True)
    share = fields.Float(required=True)


class WhyStepSchema(Schema):
    """What the rules said once; ``table_changed``: today's table would have said otherwise."""

    at_ms = fields.Integer(required=True)
    kind = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    cause = fields.String(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    confidence = fields.Float(required=True, allow_none=True)
    final = fields.Boolean(required=True)
    facts = fields.List(fields.Nested(WeighedFactSchema), required=True)
    causes = fields.List(fields.Nested(PossibleSchema), required=True)
    table_changed = fields.Boolean(required=True)


class WhySchema(Schema):
    """How the verdict of an incident came about."""

    incident = fields.Integer(required=True)
    what = fields.String(required=True)
    cause = fields.String(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    confidence = fields.Float(required=True, allow_none=True)
    final = fields.Boolean(required=True)
    steps = fields.List(fields.Nested(WhyStepSchema), required=True)


class SiteDetailSchema(SiteSchema):
    """A facility with everything known; contacts and keys only for crews."""

    service = fields.String(allow_none=True)
    nominal_v = fields.Float(required=True)
    provider = fields.String(allow_none=True)
    provider_circuit = fields.String(allow_none=True)
    circuit = fields.String(allow_none=True)
    utility_service = fields.String(allow_none=True)
    meter_number = fields.String(allow_none=True)
    safety_note = fields.String(allow_none=True)
    keys_and_hours = fields.String(allow_none=True)
    contacts = fields.String(allow_none=True)
    device_list = fields.List(fields.Nested(DeviceSchema), required=True)
    incidents = fields.List(fields.Nested(IncidentSchema), required=True)


class RowSchema(Schema):
    """The newest row of one series."""

    device = fields.String(required=True)
    measurement = fields.String(required=True)
    instance = fields.String(required=True, allow_none=True)
    time_ms = fields.Integer(required=True)
    fields_ = fields.Dict(required=True, data_key="fields", attribute="fields")
    units = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class SeriesSchema(Schema):
    """One field over time: pairs of time (ms) and number."""

    device = fields.String(required=True)
    measurement = fields.String(required=True)
    instance = fields.String(required=True, allow_none=True)
    field = fields.String(required=True)
    unit = fields.String(required=True)
    points = fields.Raw(
        required=True,
        metadata={"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    )


def listed(schema: type[Schema]) -> type[Schema]:
    """Return the shape of a list answer: ``{"items": [...]}``."""
    name = schema.__name__.removesuffix("Schema")
    return Schema.from_dict({"items": fields.List(fields.Nested(schema), required=True)}, name=f"{name}List")
