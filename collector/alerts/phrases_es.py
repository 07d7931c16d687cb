"""What messages and pages say, in the Spanish of Mexico: plain, kind, made to be read aloud.

Every code of the rules has its phrase here and in ``phrases_en``; a test holds the two together.
``{name}`` is a parameter of the fact.
"""

from __future__ import annotations

from typing import Final

CONDITIONS: Final = {
    "supply_lost": "Sin suministro eléctrico",
    "on_battery": "Funciona con batería",
    "battery_low": "Batería a punto de agotarse",
    "battery_replace": "Hay que cambiar la batería",
    "ups_contact_lost": "Sin comunicación con el UPS",
    "ups_self_test": "Autoprueba del UPS",
    "battery_aged": "Batería envejecida",
    "battery_not_charging": "La batería no carga",
    "runtime_low": "Poco respaldo con la batería llena",
    "overload": "UPS sobrecargado",
    "ups_hot": "UPS demasiado caliente",
    "wiring_fault": "Contacto mal conectado",
    "undervoltage": "Voltaje bajo",
    "overvoltage": "Voltaje alto",
    "voltage_hazard": "PELIGRO: voltaje muy alto",
    "frequency": "Frecuencia de la red fuera de lo normal",
    "repeated_transfers": "El UPS pasa a batería una y otra vez",
    "regulating": "El UPS corrige el voltaje gran parte del día",
    "bad_connection": "Falso contacto en la instalación",
    "open_neutral": "Neutro abierto",
    "circuit_dead": "Circuito sin voltaje",
    "board_undervoltage": "Alimentación insuficiente de la tarjeta",
    "restarts": "Equipo que reinicia habiendo luz",
    "clock_wrong": "Reloj del equipo equivocado",
    "tamper": "Gabinete abierto",
    "outage": "Sitio sin comunicación",
    "area": "Falla que abarca varios sitios",
    "device_silent": "Equipo sin comunicación",
    "security": "Identidad del equipo en duda",
}

CAUSES: Final = {
    "mains-area": "apagón en la zona",
    "mains-site": "falta de luz en el inmueble",
    "backhaul-provider": "falla del proveedor de internet",
    "backhaul-site": "falla del enlace a internet en el inmueble",
    "device": "falla del equipo",
    "removed": "equipo retirado",
    "collector": "falla en nuestro propio centro",
    "planned": "paro planeado",
    "unknown": "causa aún desconocida",
}

FACTS: Final = {
    # power
    "input_measured": "El UPS mide {volts} V a la entrada ({pu} del voltaje nominal).",
    "no_input": "El UPS no mide voltaje en su entrada.",
    "input_not_measured": "El UPS pasó a batería; desde entonces no se ha medido el voltaje de entrada.",
    "battery_charge": "Carga de la batería: {percent} %.",
    "battery_runtime": "A la batería le quedan unos {minutes} minutos.",
    "ups_load": "Carga conectada al UPS: {percent} %.",
    "battery_reported_bad": "El propio UPS pide que se cambie la batería.",
    "charge_stalled": "La carga no pasa de {percent} % desde hace {hours} h, habiendo luz.",
    "runtime_lost": "Con la misma carga, el respaldo bajó {percent} %: de {before} a {minutes} minutos.",
    "outage_outlasts": "La mitad de los cortes de este sitio duran {minutes} minutos o más: no alcanza.",
    "outage_carried": "La mitad de los cortes de este sitio duran hasta {minutes} minutos: aún alcanza.",
    "ups_temperature": "Temperatura dentro del UPS: {degrees} °C.",
    "wiring_reported": "El propio UPS avisa que el contacto está mal conectado: fase y neutro invertidos, "
    "o sin tierra.",
    "transfers_counted": "Pasó a batería {count} veces en {hours} horas.",
    "transfer_reason": "Motivo que da el UPS: «{reason}».",
    "regulated": "En las últimas 24 horas corrigió el voltaje durante {hours} horas.",
    "frequency_measured": "Frecuencia medida: {hertz} Hz.",
    "check_neutral": "Voltaje alto o inestable en el inmueble: revise el neutro.",
    "meter_measured": "El medidor {meter} marca {volts} V ({pu} del voltaje nominal).",
    "meter_live": "El medidor {meter} marca {volts} V: en el inmueble sí hay luz.",
    "meter_zero": "El medidor {meter} no mide voltaje.",
    "meter_silent": "El medidor {meter} dejó de responder a la vez que el UPS pasó a batería o calló.",
    "mains_fed_on_air": "{device} está conectado a la luz y su Wi-Fi se oye: en el inmueble sí hay luz.",
    "mains_fed_off_air": "{device} está conectado a la luz y su Wi-Fi ya no se oye.",
    "mains_fed_speaks": "{device} está conectado a la luz y sigue comunicándose: en el inmueble sí hay luz.",
    "legs_apart": "Una fase marca {low} V y otra {high} V: se separan, como cuando falta el neutro.",
    "resistance_measured": "Medidor {meter}: la conexión tiene {ohm} ohm; al subir la corriente, el voltaje "
    "cae.",
    "resistance_usual": "Lo usual en esta conexión son {ohm} ohm.",
    "circuit_without_voltage": "El circuito del medidor {meter} no tiene voltaje; otro del inmueble sí.",
    "outdoor_circuit": "Es el circuito exterior: revise su pastilla y su interruptor diferencial.",
    "board_low": "La tarjeta mide menos de 4.63 V en su alimentación.",
    "board_throttled": "Por eso, o por calor, el procesador trabaja más lento.",
    "restarts_counted": "Se reinició {count} veces en {hours} horas, y había luz.",
    "clock_ahead": "Su reloj está adelantado {age}; aquí se corrigen sus horas.",
    "clock_behind": "Su reloj está atrasado {age}; aquí se corrigen sus horas.",
    "tamper_open": "Se abrió el contacto «{input}» del gabinete.",
    "contact_lost_why": "Motivo de la pérdida de comunicación: {why}.",
    "last_seen_on_battery": "La última vez que se vio estaba con batería, hace {age}.",
    "last_seen_on_line": "La última vez que se vio recibía luz, hace {age}.",
    # before a silence
    "supply_lost_before": "Antes de callar, el UPS {ups} ya no tenía voltaje de entrada ({age} antes).",
    "on_battery_before": "Antes de callar, el UPS {ups} estaba con batería ({age} antes).",
    "battery_low_before": "La batería del UPS {ups} ya estaba casi agotada.",
    "contact_lost_before": "Poco antes se perdió la comunicación con el UPS {ups}.",
    "mains_good_carried": "El UPS {ups} recibía luz {age} antes, y respalda al equipo y al módem.",
    "mains_good_not_carried": "El UPS {ups} recibía luz {age} antes, pero no respalda toda la salida.",
    "device_not_carried": "No consta que un UPS respalde al equipo: sin luz, calla sin avisar.",
    "modem_not_carried": "No consta que un UPS respalde al módem: sin luz, se pierde el enlace.",
    "wan_down_before": "El enlace entre el equipo y el módem ya estaba caído.",
    "probes_failed_before": "Antes de callar, ya no había respuesta más allá del módem.",
    "planned_stop": "El equipo avisó que lo estaban deteniendo de manera ordenada.",
    "ups_alone_before": "El UPS {ups} no recibía corriente aunque en el inmueble sí había luz: clavija, "
    "contacto o su pastilla.",
    "mains_good_spent": "{age} antes el UPS {ups} recibía luz y respalda equipo y módem, pero su "
    "batería está agotada.",
    "line_closed": "El propio equipo cerró su conexión: la máquina y la línea de internet funcionaban.",
    "box_opened": "{age} antes se abrió el gabinete de {device}.",
    # who else
    "others_speak": "Otros equipos del mismo sitio sí se comunican ({count}).",
    "still_on_air": "El Wi-Fi de {device} se sigue oyendo cerca: tiene luz.",
    "off_the_air": "El Wi-Fi de {device} ya no se oye.",
    "silent_together": "{count} equipos del sitio callaron al mismo tiempo.",
    "neighbours_without_supply": "También se fue la luz en {dark} de {watched} inmuebles vecinos.",
    "neighbours_dark": "También callan {dark} de {watched} inmuebles vecinos.",
    "neighbour_dark": "También calló un inmueble vecino (de {watched} con noticias).",
    "dark_with_other_providers": "Los vecinos que callaron tienen distintos proveedores de internet.",
    "dark_with_one_provider": "Los {dark} vecinos que callaron tienen el mismo proveedor de internet.",
    "dark_with_same_provider": "El vecino que calló tiene el mismo proveedor de internet.",
    "neighbours_fine": "Hay luz en {fine} de {watched} inmuebles vecinos.",
    "region_dark": "Sin vecinos cerca; más lejos cayeron a la vez {dark} de {watched} inmuebles ({names}).",
    "circuit_dark": "Del mismo circuito de la compañía de luz cayeron {dark} de {watched} inmuebles.",
    "circuit_fine": "Los otros inmuebles del mismo circuito tienen luz: {fine}.",
    "premises_dark": "En el mismo inmueble cayó también otro sitio.",
    "premises_fine": "Otro sitio del mismo inmueble tiene luz.",
    "provider_dark": "Con el mismo proveedor callaron {dark} de {watched} inmuebles.",
    "provider_fine": "Con el mismo proveedor tienen salida {fine} de {watched} inmuebles.",
    "fell_together_before": "Ya antes cayó junto con {name}: {times} de {of} veces.",
    "area_members": "Abarca {count} sitios: {names}.",
    "did_not_come_back": "La zona volvió hace {age}; este sitio no.",
    "planned_window": "Empezó durante un trabajo anunciado ({what}).",
    "window_overrun": "El trabajo anunciado debió terminar hace {age}.",
    "centre_broker_down": "El centro no recibía ni sus propios mensajes: falla del servidor de mensajes.",
    "centre_uplink_down": "El centro no tenía salida: no respondía ninguno de sus destinos externos.",
    "silent_behind": "{count} equipos que salen a internet por {device} callaron junto con él.",
    # on return
    "restarted": "Al volver, {device} se había reiniciado; eso solo no dice por qué.",
    "restarted_carried": "Al volver, {device} se había reiniciado aunque lo respalda un UPS.",
    "restarted_together": "Al volver, {count} equipos se habían reiniciado: perdieron la luz a la vez.",
    "mains_fed_ran_on": "{device} se alimenta de la luz del inmueble y siguió encendido: sí había luz.",
    "kept_running_on_mains": "{device} siguió encendido con la luz del inmueble: sí había luz.",
    "kept_running_without_ups": "{device} siguió encendido y aquí no se conoce ningún UPS: "
    "lo más probable es que sí hubiera luz.",
    "speaks_again": "Ya volvió a comunicarse y está contando lo que pasó mientras tanto.",
    "kept_running": "{device} siguió encendido y midiendo: solo faltó la salida a internet.",
    "agent_restarted": "{device} siguió encendido, pero su programa falló o se volvió a iniciar.",
    "agent_stopped": "{device} siguió encendido, pero su programa estuvo detenido.",
    "story_supply_lost": "Sus registros muestran que durante el silencio no había voltaje de entrada.",
    "story_on_battery": "Sus registros muestran que durante el silencio el UPS estuvo con batería.",
    "story_mains_good": "Sus registros muestran que durante el silencio el UPS siguió recibiendo luz.",
    "story_wan_down": "Sus registros muestran caído el enlace entre el equipo y el módem.",
    "story_modem_silent": "Sus registros muestran que el propio módem no respondía.",
    "story_modem_restarted": "Sus registros muestran que el módem se reinició mientras el router seguía.",
    "modem_restarted_too": "Al volver, su módem también estaba arrancando: se quedaron sin luz juntos.",
    "modem_ran_on_mains": "El módem, conectado directo a la luz, respondía mientras tanto: había luz.",
    "ups_held": "El UPS sostuvo a {device} y a su módem todo el tiempo: el silencio no fue por la luz.",
    "woke_unheard": "{device} ya tenía luz y trabajó {minutes} min sin que se le oyera: faltaba la salida.",
    "story_wan_up": "Sus registros muestran bien el enlace al módem: la falla estaba más allá.",
    "another_unit": "En el lugar de {device} volvió otro aparato.",
    "upgraded": "{device} volvió con otra versión de sus programas.",
    "restarted_alone": "{device} se había reiniciado mientras otros con la misma alimentación siguieron "
    "encendidos.",
    "ran_before_restart": "{device} siguió encendido {minutes} minutos después de su último mensaje; "
    "se reinició más tarde.",
    "cold_start": "{device} sabe que se había quedado sin corriente.",
    "warm_start": "{device} sabe que se reinició sin perder la corriente.",
    "machine_failed": "{device} informa que lo detuvo su vigilante (watchdog), el calor o una falla del "
    "sistema.",
    "battery_untouched": "La batería del UPS está tan llena como antes ({percent} %): no se usó.",
    "battery_drained": "La batería del UPS bajó de {from} % a {to} %: se usó.",
    "story_flicker": "Justo cuando calló, el UPS pasó a batería por un momento.",
    "story_supply_lost_later": "Sus registros muestran que la luz se fue mucho después de que calló.",
    # who speaks
    "security_bad_signature": "Mensajes cuya firma no es la del equipo: {count}.",
    "security_wrong_device": "Mensajes firmados con la llave de otro equipo: {count}.",
    "security_revoked_key": "Mensajes firmados con una llave revocada: {count}.",
    "security_seq_reused": "Mensajes que repiten un número con otro contenido: {count}.",
    "security_clone": "Dos unidades hablan con la misma llave; indicios: {count}.",
}

REASONS: Final = {
    "server_lost": "no responde el servidor NUT",
    "unknown_ups": "el servidor NUT no conoce ese UPS",
    "driver_lost": "el controlador no está conectado",
    "data_stale": "los datos están viejos",
    "waiting": "el controlador aún no entrega datos",
    "reader": "falla la lectura en el equipo",
    "unknown": "no se sabe",
}

ADVICE: Final = {
    "supply_lost": "Pregunte en el inmueble si hay luz. Si solo falta ahí, revise acometida, "
    "interruptor general y pastillas. Lleve multímetro, lámpara y guantes dieléctricos.",
    "on_battery": "Llame al inmueble y pregunte si hay luz. Si la hay, revise el contacto, la clavija y la "
    "pastilla del UPS. Lleve multímetro.",
    "battery_low": "El sitio quedará sin servicio en minutos si no vuelve la luz. Avise al responsable "
    "del inmueble.",
    "battery_replace": "Programe el cambio. Lleve una batería del modelo del UPS y regrese la usada para "
    "su reciclaje.",
    "ups_contact_lost": "Revise el cable USB entre el UPS y el equipo. Lleve un cable USB de repuesto.",
    "ups_self_test": "No hay nada que hacer.",
    "area": "No envíe cuadrillas sitio por sitio. Pregunte a quien corresponde a la causa: CFE, el "
    "proveedor de internet o el propio centro.",
    "battery_aged": "Programe el cambio de la batería antes de la temporada de lluvias. Lleve una del modelo "
    "del UPS y regrese la usada para su reciclaje.",
    "battery_not_charging": "Revise los bornes de la batería y el fusible del UPS. Si están bien, falla la "
    "batería o el cargador. Lleve una batería y multímetro.",
    "runtime_low": "Vea qué hay conectado al UPS y quite lo que no haga falta. Si no sobra nada, la batería "
    "está gastada: lleve una del modelo del UPS.",
    "overload": "Desconecte del UPS lo que no sea de la red (calefactores, cafeteras, impresoras). Con "
    "sobrecarga, el UPS se apaga en cuanto falte la luz.",
    "ups_hot": "Revise que el UPS tenga ventilación y no le dé el sol. El calor acorta la vida de la "
    "batería.",
    "wiring_fault": "Un electricista debe revisar el contacto: polaridad y tierra física. Lleve probador de "
    "contactos y multímetro.",
    "undervoltage": "Pregunte si en el inmueble las luces bajan al encender otros aparatos. Si pasa en toda "
    "la zona, repórtelo a CFE (071); si no, revise conexiones. Lleve multímetro.",
    "overvoltage": "Desconecte lo que no haga falta. Si pasa en toda la zona, repórtelo a CFE (071); si no, "
    "revise el neutro. Lleve multímetro.",
    "voltage_hazard": "Peligro de incendio y de descarga. Llame ya al inmueble: que desconecten los "
    "aparatos y, si pueden hacerlo sin riesgo, bajen el interruptor general. No toque la instalación: solo "
    "personal electricista, con guantes dieléctricos y multímetro. Si hay humo u olor a quemado, salgan y "
    "llamen al 911. Reporte a CFE (071).",
    "frequency": "Es de toda la red eléctrica, o el inmueble usa una planta de luz. Nada que reparar en el "
    "sitio.",
    "repeated_transfers": "Revise clavija, contacto y pastilla del UPS: es lo más común. Si están bien, "
    "pida a CFE (071) que revise la acometida. Lleve multímetro.",
    "regulating": "El voltaje del inmueble está mal durante horas. Mida a distintas horas y repórtelo a CFE "
    "(071) con esas lecturas.",
    "bad_connection": "Apriete o cambie la conexión floja o corroída: acometida, medidor, interruptor o "
    "contacto. Se calienta con la carga: solo personal electricista, sin tensión. Lleve multímetro y "
    "zapatas.",
    "open_neutral": "Peligro de incendio. Llame ya al inmueble: que desconecten los aparatos y, si pueden "
    "hacerlo sin riesgo, bajen el interruptor general. Revise el neutro desde la acometida; si está suelto "
    "del lado de CFE, repórtelo al 071. Solo personal electricista, con guantes dieléctricos y multímetro.",
    "circuit_dead": "Revise la pastilla y el interruptor diferencial de ese circuito. Si el diferencial "
    "vuelve a botar, no lo fuerce: hay una fuga. Si hay voltaje, revise el medidor. Lleve multímetro.",
    "board_undervoltage": "Cambie el eliminador y el cable por unos originales (5.1 V, 3 A) y quite lo que "
    "cuelgue de los puertos USB. Lleve ambos.",
    "restarts": "Revise clavija y eliminador del equipo. Lleve un eliminador de repuesto y un equipo ya "
    "configurado.",
    "clock_wrong": "Revise el servidor de hora (NTP) en la configuración del equipo y que alcance internet; "
    "en un Pi con reloj propio, cambie su pila.",
    "tamper": "Llame al inmueble y pregunte quién abrió el gabinete. Si nadie sabe, no vaya sin compañía y "
    "siga el protocolo de robo.",
    "device_silent": "Revise alimentación y cable de red del equipo. Lleve eliminador y cable de repuesto.",
    "outage": "Llame primero al inmueble y pregunte si hay luz. Lleve multímetro y un equipo de repuesto.",
    "security": "No envíe cuadrilla todavía. Averigüe quién tiene el equipo o su tarjeta; si fue copiado o "
    "robado, revoque su llave y emita otra.",
}
OUTAGE_ADVICE: Final = {
    "mains-area": "No envíe cuadrilla. Consulte con CFE y espere el regreso de la luz.",
    "mains-site": "Confirme por teléfono si hay luz. Si falta solo ahí, revise interruptor general y "
    "pastillas. Lleve multímetro, lámpara y guantes dieléctricos.",
    "backhaul-provider": "No envíe cuadrilla. Levante el reporte con el proveedor de internet.",
    "backhaul-site": "Revise el módem, su alimentación y el cable hacia el equipo. Lleve eliminador y cable "
    "de red.",
    "device": "Revise el equipo y su eliminador. Lleve un equipo de repuesto ya configurado.",
    "removed": "No vaya sin compañía. Confirme con el responsable del inmueble y siga el protocolo de robo.",
    "collector": "No envíe cuadrilla. Revise el centro de monitoreo y su enlace.",
    "planned": "No hay nada que hacer por ahora.",
    "unknown": "Llame primero al inmueble: pregunte si hay luz y si el módem está encendido.",
}

AREA_PLACE: Final = "{place} y {more} más"
KINDS: Final = {"alert": "Aviso", "update": "Novedad", "recovery": "Recuperado"}
WORDS: Final = {
    "cause": "Causa",
    "provisional": "provisional",
    "final": "definitiva",
    "confidence": "certeza {percent} %",
    "device": "Equipo",
    "since": "Desde",
    "until": "Hasta",
    "lasted": "Duración",
    "facts": "Lo que se sabe",
    "advice": "Qué hacer",
    "address": "Dirección",
    "keys": "Llaves y horario",
    "contacts": "Contacto",
    "safety": "Cuidado",
    "late": "Se supo al volver el equipo.",
    "link": "Ver",
    "closing": "Gracias, no hace falta acudir por este motivo.",
}
UNITS: Final = {"s": "{n} s", "min": "{n} min", "h": "{n} h", "d": "{n} d"}
MONTHS: Final = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")
TIME: Final = "{day} de {month} de {year}, {clock} h (hora de la Ciudad de México)"
