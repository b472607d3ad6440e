"""The vendors' own clients, pointed at the server that the first argument names.

Needs what `requirements.txt` lists: `vendors.py http://HOST:PORT` prints `well`.
"""

import sys

import opsgenie_sdk
import pdpyras

HOME = sys.argv[1]


def pagerduty_events():
    # Its successor `pagerduty` takes only https:// addresses.
    client = pdpyras.EventsAPISession("0123456789abcdef0123456789abcdef")
    client.url = HOME
    key = client.trigger("disk full", "node-1", severity="critical", dedup_key="disk-1")
    assert key == "disk-1", key
    assert client.acknowledge("disk-1") == "disk-1"
    assert client.resolve("disk-1") == "disk-1"
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
opsgenie_alerts()
print("well")
