"""The demonstration's own parts; the demonstration as a whole is played by tests/e2e."""

from __future__ import annotations

import http.client
import json

import pytest

from collector import config
from simulators import ports
from simulators.demo import layout, verdict, workdir
from simulators.demo.failure import DemoError
from simulators.demo.story import SCENES, Outcome
from simulators.demo.webhook import Webhook

CHOSEN = workdir.Ports(1, 2, 3, 4)


def post(webhook, data):
    address = webhook.url.removeprefix("json://").split("/")[0]
    connection = http.client.HTTPConnection(address)
    connection.request("POST", "/vigia", data, {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_webhook_sorts_messages_by_incident():
    with Webhook() as webhook:
        body = {"version": "1.0", "title": "Mercado: sin luz", "message": "... #12 ...", "type": "failure"}
        assert post(webhook, json.dumps(body)) == 204
        assert post(webhook, json.dumps({"title": "#7 x", "message": ""})) == 204
        assert post(webhook, "not json") == 400

        assert [message.type for message in webhook.messages(12)] == ["failure"]
        assert [message.title for message in webhook.messages(7)] == ["#7 x"]
        assert webhook.messages(1) == []


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # Apprise imports it on Python 3.11
def test_apprise_reaches_the_webhook():
    import apprise  # the filter must hold when it is imported

    with Webhook() as webhook:
        sender = apprise.Apprise()
        assert sender.add(webhook.url)
        assert sender.notify(title="Alerta #3", body="Se fue la luz")
        [message] = webhook.messages(3)

    assert (message.title, message.body) == ("Alerta #3", "Se fue la luz")


def item(name="a", **values):
    return {"id": name, "last_arrival_ms": 1, "frames_stored": 1, "missing": 0} | values


@pytest.mark.parametrize(
    ("items", "complete", "said"),
    [
        ([item()], True, []),
        ([], False, ["a: is not known to the collector"]),
        ([item(last_arrival_ms=None)], False, ["a: never reported"]),
        ([item(frames_stored=0)], False, ["a: never reported"]),
        ([item(missing=2)], False, []),
        ([item(missing=2)], True, ["a: 2 frames are missing"]),
    ],
)
def test_which_devices_are_silent(items, complete, said):
    assert said == verdict.silent(items, ["a"], complete=complete)


def played(index, number, *causes, trouble=""):
    return Outcome(
        SCENES[index],
        incident=number,
        delivered=True,
        cleared=not trouble,
        recovery_delivered=not trouble,
        causes=list(causes),
        trouble=trouble,
    )


def test_figures_of_a_good_run():
    outcomes = [
        played(0, 1, "mains-site", "mains-site"),
        played(1, 2, "backhaul-site", "backhaul-provider"),
        played(2, 3, None, None),
    ]
    figures = verdict.figures(44, outcomes, [], 61.24)

    assert [line for outcome in outcomes for line in verdict.trouble(outcome)] == []
    assert json.loads(figures.line()) == {
        "devices": 44,
        "alerts_raised": 3,
        "alerts_delivered": 3,
        "alerts_cleared": 3,
        "wrong_cause": 0,
        "seconds": 61.2,
        "ok": True,
    }


def test_a_wrong_cause_and_a_stranger_are_named():
    outcomes = [played(1, 2, "unknown", "backhaul-site")]
    [wrong] = verdict.trouble(outcomes[0])
    stranger = {"id": 9, "site": "b", "condition": "outage", "subject": "", "cause": "device"}
    [said] = verdict.unexpected([stranger, {**stranger, "id": 2}], outcomes)

    assert "cause unknown then backhaul-site, should be backhaul-provider or backhaul-site" in wrong
    assert said.startswith("#9 b: outage")
    assert verdict.figures(44, outcomes, [wrong], 1.0).wrong_cause == 1
    assert not verdict.figures(44, outcomes, [wrong], 1.0).ok


def test_the_story_happens_where_there_is_a_ups():
    """The router must live on through what happens, or the story would tell something else."""
    places = {place.id: place for place in layout.places()}
    for scene in SCENES:
        place = places[scene.site]
        router = place.part(f"{scene.site}-router")
        assert router.fed_by == place.way_out(router).fed_by == f"ups:{layout.UPS_ID}"


def test_the_collector_takes_the_configuration(tmp_path):
    place = workdir.prepare(tmp_path / "demo")
    workdir.configure(place, CHOSEN, layout.Pace(), "json://127.0.0.1:5/vigia", None)
    loaded = config.load(place.config)

    assert (loaded.broker.embedded, loaded.broker.port, loaded.broker.device_port) == (True, 2, 1)
    assert loaded.store.kind == "embedded"
    assert loaded.web.port == 3
    assert loaded.registry.sites_file == place.path / "sites.csv"
    assert loaded.alerts.channels["webhook"].url_file == place.path / "webhook.url"
    assert (place.path / "webhook.url").read_text() == "json://127.0.0.1:5/vigia\n"


def test_the_collector_takes_the_configuration_with_influx(tmp_path):
    place = workdir.prepare(tmp_path / "demo")
    workdir.configure(place, CHOSEN, layout.Pace(), "json://x", tmp_path / "influxd")
    loaded = config.load(place.config)

    assert loaded.store.kind == "influx"
    assert loaded.store.influx.command == str(tmp_path / "influxd")
    assert loaded.store.influx.url == "http://127.0.0.1:4"


def test_the_thresholds_are_in_the_catalogue():
    from collector.rules import catalogue

    catalogue.resolve(layout.Pace().thresholds)


def test_every_device_is_enrolled(tmp_path):
    place = workdir.prepare(tmp_path)
    sites = [one for one in layout.places() if one.id in {"alcaldia", "mercado-santa-fe"}]
    workdir.enrol(place, CHOSEN, sites)

    found = {}
    for enrolment in (place.pki / "enrolments").glob("*.json"):
        said = json.loads(enrolment.read_text())
        found[enrolment.stem] = said["site"], said["feed"], said["modem_feed"]
        assert (place.pki / "devices" / enrolment.stem / "agent.json").is_file()
    assert found == {
        "alcaldia-router": ("alcaldia", "ups:ups", "ups:ups"),
        "alcaldia-pi": ("alcaldia", "ups:ups", "ups:ups"),
        "mercado-santa-fe-router": ("mercado-santa-fe", "ups:ups", "ups:ups"),
    }


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("work of years")
    with pytest.raises(DemoError, match="not made by vigia-demo"):
        workdir.prepare(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_an_earlier_demonstration_is_replaced(tmp_path):
    old = workdir.prepare(tmp_path / "demo")
    old.log.write_text("old")
    assert not workdir.prepare(tmp_path / "demo").log.exists()


def test_free_ports_differ_and_a_taken_one_is_seen():
    found = ports.free(5)

    assert len(set(found)) == 5
    assert all(ports.is_free(port) for port in found)
    with Webhook() as webhook:
        taken = int(webhook.url.split(":")[2].split("/")[0])
        assert not ports.is_free(taken)
