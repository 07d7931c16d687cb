"""What messages and pages say, in English; the same codes as ``phrases_es``."""

from __future__ import annotations

from typing import Final

CONDITIONS: Final = {
    "supply_lost": "No mains supply",
    "on_battery": "Running on battery",
    "battery_low": "Battery almost empty",
    "battery_replace": "Battery needs replacing",
    "ups_contact_lost": "No contact with the UPS",
    "ups_self_test": "UPS self-test",
    "outage": "Site out of reach",
    "area": "Failure of several sites",
    "device_silent": "Device out of reach",
    "security": "Identity of a device in doubt",
}

CAUSES: Final = {
    "mains-area": "power cut in the area",
    "mains-site": "no power in the building",
    "backhaul-provider": "fault at the Internet provider",
    "backhaul-site": "fault of the building's Internet line",
    "device": "device failed",
    "removed": "device taken away",
    "collector": "fault at our own centre",
    "planned": "planned stop",
    "unknown": "cause not known yet",
}

FACTS: Final = {
    # power
    "input_measured": "The UPS measures {volts} V at its input ({pu} of nominal).",
    "no_input": "The UPS measures no voltage at its input.",
    "input_not_measured": "The UPS left the line; its input has not been measured since.",
    "battery_charge": "Battery charge: {percent} %.",
    "battery_runtime": "The battery has about {minutes} minutes left.",
    "ups_load": "Load on the UPS: {percent} %.",
    "battery_reported_bad": "The UPS itself asks for a new battery.",
    "contact_lost_why": "Why contact was lost: {why}.",
    "last_seen_on_battery": "When last seen it was on battery, {age} ago.",
    "last_seen_on_line": "When last seen it was on line, {age} ago.",
    # before a silence
    "supply_lost_before": "Before the silence UPS {ups} measured no input ({age} earlier).",
    "on_battery_before": "Before the silence UPS {ups} was on battery ({age} earlier).",
    "battery_low_before": "The battery of UPS {ups} was nearly empty.",
    "contact_lost_before": "Contact with UPS {ups} was lost shortly before.",
    "mains_good_carried": "UPS {ups} was on line {age} earlier, and carries device and modem.",
    "mains_good_not_carried": "UPS {ups} was on line {age} earlier, but does not carry the whole way out.",
    "device_not_carried": "The device is not known to be on a UPS: without mains it falls silent at once.",
    "modem_not_carried": "The modem is not known to be on a UPS: without mains the link is lost.",
    "wan_down_before": "The link between device and modem was already down.",
    "probes_failed_before": "Before the silence nothing beyond the modem answered any more.",
    "planned_stop": "The device said that it was being stopped in order.",
    "ups_alone_before": "UPS {ups} had no input while the building had mains: its plug, socket or breaker.",
    "mains_good_spent": "UPS {ups} was on line {age} earlier and carries device and modem, but its "
    "battery is spent.",
    "line_closed": "The device itself ended its connection: machine and Internet line were alive.",
    "box_opened": "The box of {device} had been opened {age} earlier.",
    # who else
    "others_speak": "Other devices of the same site do speak ({count}).",
    "silent_together": "{count} devices of the site fell silent at the same time.",
    "neighbours_without_supply": "{dark} of {watched} premises near by lost their supply as well.",
    "neighbours_dark": "{dark} of {watched} premises near by fell silent as well.",
    "neighbour_dark": "One of the premises near by fell silent as well ({watched} heard of).",
    "neighbours_fine": "{fine} of {watched} premises near by have supply.",
    "circuit_dark": "{dark} of {watched} premises on the same circuit of the utility fell.",
    "circuit_fine": "The other premises on the same circuit have supply: {fine}.",
    "premises_dark": "Another site in the same building fell as well.",
    "premises_fine": "Another site in the same building has supply.",
    "provider_dark": "{dark} of {watched} premises with the same provider fell silent.",
    "provider_fine": "{fine} of {watched} premises with the same provider have a way out.",
    "fell_together_before": "It fell together with {name} before: {times} of {of} times.",
    "area_members": "It covers {count} sites: {names}.",
    "did_not_come_back": "The area has been back for {age}; this site has not.",
    "planned_window": "It began during announced work ({what}).",
    "window_overrun": "The announced work should have ended {age} ago.",
    "centre_broker_down": "The centre did not even receive its own messages: the broker was down.",
    "centre_uplink_down": "The centre had no way out: none of its targets outside answered.",
    "silent_behind": "{count} devices that go out through {device} fell silent with it.",
    # on return
    "restarted": "On return {device} had restarted; that alone does not say why.",
    "restarted_carried": "On return {device} had restarted although a UPS carries it.",
    "restarted_together": "On return {count} devices had restarted together: they lost power at once.",
    "kept_running_on_mains": "{device} kept running on the building's mains: there was power.",
    "kept_running": "{device} kept running and measuring: only the way out was gone.",
    "agent_restarted": "{device} kept running, but its program failed or was started again.",
    "agent_stopped": "{device} kept running, but its program stood still.",
    "story_supply_lost": "Its records show no input voltage during the silence.",
    "story_on_battery": "Its records show the UPS on battery during the silence.",
    "story_mains_good": "Its records show the UPS on line during the silence.",
    "story_wan_down": "Its records show the link between device and modem down.",
    "story_wan_up": "Its records show the link to the modem up: the fault lay beyond it.",
    "another_unit": "Another unit came back in the place of {device}.",
    "upgraded": "{device} came back with another version of its programs.",
    "restarted_alone": "{device} had restarted while others with the same supply ran on.",
    "ran_before_restart": "{device} ran on for {minutes} minutes after its last word; it restarted later.",
    "cold_start": "{device} knows that it had been without power.",
    "warm_start": "{device} knows that it restarted without losing power.",
    "machine_failed": "{device} reports that its watchdog, heat or a crash ended the run before.",
    "battery_untouched": "The UPS's battery is as full as before ({percent} %): it was not used.",
    "battery_drained": "The UPS's battery went from {from} % to {to} %: it was used.",
    "story_supply_lost_later": "Its records show the supply failing long after the silence began.",
    # who speaks
    "security_bad_signature": "Messages whose signature is not that of the device: {count}.",
    "security_wrong_device": "Messages signed with another device's key: {count}.",
    "security_revoked_key": "Messages signed with a key that was revoked: {count}.",
    "security_seq_reused": "Messages that reuse a number with other content: {count}.",
    "security_clone": "Two units speak with the same key; signs of it: {count}.",
}

REASONS: Final = {
    "server_lost": "the NUT server does not answer",
    "unknown_ups": "the NUT server does not know this UPS",
    "driver_lost": "the driver is not connected",
    "data_stale": "its data are stale",
    "waiting": "the driver has no data yet",
    "reader": "the device's reader fails",
    "unknown": "not known",
}

ADVICE: Final = {
    "supply_lost": "Ask in the building whether there is power. If only it is without, check the service "
    "entrance, main switch and breakers. Bring a multimeter, a lamp and insulating gloves.",
    "on_battery": "Call the building and ask whether there is power. If so, check the UPS's socket, plug and "
    "breaker. Bring a multimeter.",
    "battery_low": "Service ends in minutes unless power returns. Tell the person in charge.",
    "battery_replace": "Plan the replacement. Bring a battery for this UPS; recycle the old one.",
    "ups_contact_lost": "Check the USB cable between UPS and device. Bring a spare USB cable.",
    "ups_self_test": "Nothing to do.",
    "area": "Send no crew site by site. Ask whom the cause concerns: the utility, the provider or our own "
    "centre.",
    "device_silent": "Check the device's supply and network cable. Bring a spare adapter and cable.",
    "outage": "First call the building: is there power? Bring a multimeter and a spare device.",
    "security": "Do not send a crew yet. Find out who has the unit or its card; if it was copied or stolen, "
    "revoke its key and issue a new one.",
}
OUTAGE_ADVICE: Final = {
    "mains-area": "Send no crew. Ask the utility and wait for the power to return.",
    "mains-site": "Confirm by telephone whether there is power. If only this building is without, check main "
    "switch and breakers. Bring a multimeter, a lamp and insulating gloves.",
    "backhaul-provider": "Send no crew. Report the fault to the Internet provider.",
    "backhaul-site": "Check the modem, its supply and the cable to the device. Bring an adapter "
    "and a network cable.",
    "device": "Check the device and its adapter. Bring a spare device, configured.",
    "removed": "Do not go alone. Confirm with the person in charge and follow the procedure for theft.",
    "collector": "Send no crew. Check the monitoring centre and its uplink.",
    "planned": "Nothing to do for now.",
    "unknown": "First call the building: ask whether there is power and whether the modem is on.",
}

AREA_PLACE: Final = "{place} and {more} more"
KINDS: Final = {"alert": "Alert", "update": "Update", "recovery": "Recovered"}
WORDS: Final = {
    "cause": "Cause",
    "provisional": "provisional",
    "final": "final",
    "confidence": "{percent} % sure",
    "device": "Device",
    "since": "Since",
    "until": "Until",
    "lasted": "Lasted",
    "facts": "What is known",
    "advice": "What to do",
    "address": "Address",
    "keys": "Keys and hours",
    "contacts": "Contact",
    "safety": "Take care",
    "late": "Found when the device returned.",
    "link": "See",
    "closing": "Thank you, there is no need to go for this.",
}
UNITS: Final = {"s": "{n} s", "min": "{n} min", "h": "{n} h", "d": "{n} d"}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TIME: Final = "{day} {month} {year}, {clock} (Mexico City time)"
