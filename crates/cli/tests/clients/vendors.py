"""The vendors' own clients, pointed at two servers: one that speaks HTTP, one that speaks HTTPS.

Needs what `requirements.txt` lists: `vendors.py http://HOST:PORT https://HOST:PORT` prints `well`. The
authority of the second one's certificate is trusted with `SSL_CERT_FILE`.
"""

import datetime
import json
import sys
import urllib.request

import opsgenie_sdk
import pagerduty
import pdpyras

HOME, TLS_HOME = sys.argv[1:]
KEY = "0123456789abcdef0123456789abcdef"


def ask(home, path):
    with urllib.request.urlopen(home + path) as answer:
        return json.load(answer)


def firing(home, key):
    """The names of the alerts with this `dedup_key`."""
    alerts = ask(home, "/api/v2/alerts")
    return [alert["labels"]["alertname"] for alert in alerts if alert["labels"].get("dedup_key") == key]


def pagerduty_over_tls():
    """The official client, which takes only https:// addresses."""
    client = pagerduty.EventsApiV2Client(KEY, base_url=TLS_HOME)
    key = client.trigger("tls is cut", "node-3", dedup_key="tls-1", links=[{"href": "https://example.org"}])
    assert key == "tls-1", key
    assert len(firing(TLS_HOME, "tls-1")) == 1
    # Its `acknowledge` sends a resolve; the event says what is meant.
    assert client.send_event("acknowledge", "tls-1") == "tls-1"
    assert len(firing(TLS_HOME, "tls-1")) == 1
    assert client.resolve("tls-1") == "tls-1"
    assert firing(TLS_HOME, "tls-1") == []
    # Without a time of ours it fails before it sends.
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    client.submit("release 7 is out", source="ci", custom_details={"commit": "abc"}, timestamp=now)
    changes = ask(TLS_HOME, "/api/v1/changes")["items"]
    assert [change["summary"] for change in changes] == ["release 7 is out"], changes


def pagerduty_events():
    """The client before it, still in wide use."""
    client = pdpyras.EventsAPISession(KEY)
    client.url = HOME
    key = client.trigger("disk full", "node-1", severity="critical", dedup_key="disk-1")
    assert key == "disk-1", key
    assert client.acknowledge("disk-1") == "disk-1"
    assert len(firing(HOME, "disk-1")) == 1
    assert client.resolve("disk-1") == "disk-1"
    assert firing(HOME, "disk-1") == []
    chosen = client.trigger("cpu hot", "node-2", severity="warning")
    assert chosen, "the server chooses a key"


def opsgenie_alerts():
    configuration = opsgenie_sdk.Configuration()
    configuration.host = HOME
    configuration.api_key["Authorization"] = "any-key-will-do"
    api = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))

    created = api.create_alert(
        opsgenie_sdk.CreateAlertPayload(
            message="queue is long", alias="queue-1", priority="P2", tags=["web"]
        )
    )
    status = api.get_request_status(created.request_id).data
    assert status.is_success and status.alias == "queue-1", status
    alert = api.get_alert("queue-1", identifier_type="alias").data
    assert (alert.status, alert.priority, alert.tags) == ("open", "P2", ["web"]), alert
    assert api.get_alert(alert.id).data.tiny_id == alert.tiny_id

    named = {"identifier_type": "alias"}
    api.acknowledge_alert(
        "queue-1", acknowledge_alert_payload=opsgenie_sdk.AcknowledgeAlertPayload(user="ada"), **named
    )
    assert api.get_alert("queue-1", **named).data.owner == "ada"
    api.add_note("queue-1", opsgenie_sdk.AddNoteToAlertPayload(note="looking"), **named)
    assert api.list_notes("queue-1", **named).data[0].note == "looking"
    api.add_tags("queue-1", opsgenie_sdk.AddTagsToAlertPayload(tags=["slow"]), **named)
    assert api.list_alerts(query="status: open AND tag: slow").data[0].alias == "queue-1"
    assert api.count_alerts(query="status: open").data.count == 1
    api.un_acknowledge_alert(
        "queue-1", un_acknowledge_alert_payload=opsgenie_sdk.UnAcknowledgeAlertPayload(), **named
    )
    api.close_alert("queue-1", close_alert_payload=opsgenie_sdk.CloseAlertPayload(), **named)
    assert api.get_alert("queue-1", **named).data.status == "closed"


pagerduty_events()
pagerduty_over_tls()
opsgenie_alerts()
print("well")
