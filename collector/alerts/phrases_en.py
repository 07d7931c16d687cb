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
    "battery_aged": "Aged battery",
    "battery_not_charging": "The battery does not charge",
    "runtime_low": "Short runtime with a full battery",
    "overload": "UPS overloaded",
    "ups_hot": "UPS too hot",
    "wiring_fault": "Socket wired wrongly",
    "undervoltage": "Low voltage",
    "overvoltage": "High voltage",
    "voltage_hazard": "DANGER: very high voltage",
    "frequency": "Frequency of the mains out of range",
    "repeated_transfers": "UPS goes to battery again and again",
    "regulating": "UPS corrects the voltage for much of the day",
    "bad_connection": "Loose connection in the wiring",
    "open_neutral": "Open neutral",
    "circuit_dead": "Circuit without voltage",
    "board_undervoltage": "Weak supply of the board",
    "restarts": "Device restarts although there is power",
    "clock_wrong": "Clock of the device is wrong",
    "tamper": "Box opened",
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
    "charge_stalled": "The charge has not risen above {percent} % for {hours} h, with mains.",
    "runtime_lost": "At the same load the runtime fell by {percent} %: from {before} to {minutes} minutes.",
    "outage_outlasts": "Half of this site's outages last {minutes} minutes or more: it will not carry them.",
    "outage_carried": "Half of this site's outages last up to {minutes} minutes: it still carries them.",
    "ups_temperature": "Temperature inside the UPS: {degrees} °C.",
    "wiring_reported": "The UPS itself says that its socket is wired wrongly: live and neutral swapped, "
    "or no earth.",
    "transfers_counted": "It went to battery {count} times in {hours} hours.",
    "transfer_reason": "The reason that the UPS gives: “{reason}”.",
    "regulated": "In the last 24 hours it corrected the voltage for {hours} hours.",
    "frequency_measured": "Frequency measured: {hertz} Hz.",
    "check_neutral": "Unstable or high voltage in the building: check the neutral.",
    "meter_measured": "Meter {meter} shows {volts} V ({pu} of nominal).",
    "meter_live": "Meter {meter} shows {volts} V: the building has power.",
    "meter_zero": "Meter {meter} measures no voltage.",
    "meter_silent": "Meter {meter} stopped answering when the UPS went to battery or fell silent.",
    "mains_fed_on_air": "{device} hangs on the mains and is still on the air: the building has power.",
    "mains_fed_off_air": "{device} hangs on the mains and is not on the air any more.",
    "mains_fed_speaks": "{device} hangs on the mains and goes on speaking: the building has power.",
    "legs_apart": "One leg shows {low} V and another one {high} V: they move apart, as without a neutral.",
    "resistance_measured": "Meter {meter}: the connection has {ohm} ohm; the voltage falls as current rises.",
    "resistance_usual": "Usual for this connection: {ohm} ohm.",
    "circuit_without_voltage": "The circuit of meter {meter} has no voltage; another one of the building "
    "has.",
    "outdoor_circuit": "It is the outdoor circuit: check its breaker and residual-current device.",
    "board_low": "The board measures less than 4.63 V at its supply.",
    "board_throttled": "For that reason, or for heat, its processor is slowed down.",
    "restarts_counted": "It restarted {count} times in {hours} hours, with power present.",
    "clock_ahead": "Its clock is {age} ahead; its times are corrected here.",
    "clock_behind": "Its clock is {age} behind; its times are corrected here.",
    "tamper_open": "The contact “{input}” of the box was opened.",
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
    "still_on_air": "The access point of {device} is still heard near by: it has power.",
    "off_the_air": "The access point of {device} is not heard any more.",
    "silent_together": "{count} devices of the site fell silent at the same time.",
    "neighbours_without_supply": "{dark} of {watched} premises near by lost their supply as well.",
    "neighbours_dark": "{dark} of {watched} premises near by fell silent as well.",
    "neighbour_dark": "One of the premises near by fell silent as well ({watched} heard of).",
    "dark_with_other_providers": "Those who fell silent near by have different Internet providers.",
    "dark_with_one_provider": "All {dark} who fell silent near by have this site's Internet provider.",
    "dark_with_same_provider": "The one who fell silent near by has the same Internet provider.",
    "neighbours_fine": "{fine} of {watched} premises near by have supply.",
    "region_dark": "Nobody is near by; further off {dark} of {watched} premises fell with it ({names}).",
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
    "mains_fed_ran_on": "{device} is fed by the building's mains and ran on: there was power.",
    "kept_running_on_mains": "{device} kept running on the building's mains: there was power.",
    "kept_running_without_ups": "{device} kept running, and no UPS is known here: likely there was power.",
    "speaks_again": "It speaks again and is telling what happened meanwhile.",
    "kept_running": "{device} kept running and measuring: only the way out was gone.",
    "agent_restarted": "{device} kept running, but its program failed or was started again.",
    "agent_stopped": "{device} kept running, but its program stood still.",
    "story_supply_lost": "Its records show no input voltage during the silence.",
    "story_on_battery": "Its records show the UPS on battery during the silence.",
    "story_mains_good": "Its records show the UPS on line during the silence.",
    "story_wan_down": "Its records show the link between device and modem down.",
    "story_modem_silent": "Its records show that the modem itself did not answer.",
    "story_modem_restarted": "Its records show the modem starting anew while the router ran on.",
    "modem_restarted_too": "When it was back its modem was starting as well: they lost power together.",
    "modem_ran_on_mains": "The modem, fed by the mains, answered meanwhile: there were mains.",
    "ups_held": "The UPS carried {device} and its modem all through: the supply did not make the silence.",
    "woke_unheard": "{device} had its power back and ran unheard for {minutes} min: the way out was missing.",
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
    "story_flicker": "Just as it fell silent the UPS left the line for a moment.",
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
    "battery_aged": "Plan the replacement before the rainy season. Bring a battery for this UPS; recycle the "
    "old one.",
    "battery_not_charging": "Check the battery's terminals and the UPS's fuse. If they are sound, battery or "
    "charger failed. Bring a battery and a multimeter.",
    "runtime_low": "See what hangs on the UPS and remove what need not. If nothing can go, the battery is "
    "spent: bring one for this UPS.",
    "overload": "Unplug from the UPS what is not the network's (heaters, coffee makers, printers). "
    "Overloaded, it switches off the moment the mains fail.",
    "ups_hot": "Check that the UPS has air and stands out of the sun. Heat shortens a battery's life.",
    "wiring_fault": "Have an electrician check the socket: polarity and earth. Bring a socket tester and a "
    "multimeter.",
    "undervoltage": "Ask whether lights dim when other things are switched on. If the whole area has it, "
    "report it to the utility (CFE, 071); if not, check connections. Bring a multimeter.",
    "overvoltage": "Unplug what need not run. If the whole area has it, report it to the utility (CFE, "
    "071); if not, check the neutral. Bring a multimeter.",
    "voltage_hazard": "Danger of fire and of electric shock. Call the building now: unplug devices and, if "
    "it can be done without risk, open the main switch. Do not touch the wiring: electricians only, with "
    "insulating gloves and a multimeter. With smoke or a smell of burning, leave and call 911. Report it to "
    "the utility (CFE, 071).",
    "frequency": "It is the whole grid's, or the building runs on a generator. Nothing to repair at the "
    "site.",
    "repeated_transfers": "Check plug, socket and breaker of the UPS: it is mostly these. If they are "
    "sound, ask the utility (CFE, 071) to check the service drop. Bring a multimeter.",
    "regulating": "The building's voltage is wrong for hours. Measure at different hours and report the "
    "readings to the utility (CFE, 071).",
    "bad_connection": "Tighten or replace the loose or corroded connection: service drop, meter, switch or "
    "socket. It heats up under load: electricians only, with the power off. Bring a multimeter and lugs.",
    "open_neutral": "Danger of fire. Call the building now: unplug devices and, if it can be done without "
    "risk, open the main switch. Check the neutral from the service entrance on; if it is loose on the "
    "utility's side, report it (CFE, 071). Electricians only, with insulating gloves and a multimeter.",
    "circuit_dead": "Check breaker and residual-current device of that circuit. If the latter trips again "
    "do not force it: there is a leak. If there is voltage, check the meter. Bring a multimeter.",
    "board_undervoltage": "Replace adapter and cable by original ones (5.1 V, 3 A) and remove what hangs on "
    "the USB ports. Bring both.",
    "restarts": "Check the device's plug and adapter. Bring a spare adapter and a spare device, configured.",
    "clock_wrong": "Check the time server (NTP) in the device's configuration and that it reaches the "
    "Internet; on a Pi with a clock of its own replace its cell.",
    "tamper": "Call the building and ask who opened the box. If nobody knows, do not go alone and follow the "
    "procedure for theft.",
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
