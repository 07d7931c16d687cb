"""The running agent's own state in a sentence. Pure."""

from agent.readers import words

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


def sentence(own: "dict[str, Any]", lang: str) -> str:
    """Say the summary in a sentence."""
    es = lang == "es"
    if not own["running"]:
        return "El agente no está en marcha." if es else "The agent is not running."
    up = words.duration(own["up_s"], lang)
    text = "Agente en marcha desde hace " + up if es else "The agent has been running for " + up
    if own["link"] == "up":
        text += ", conectado con el centro" if es else ", connected to the centre"
    else:
        text += ", sin conexión con el centro" if es else ", not connected to the centre"
    if own["heard_s"] is None:
        text += "; el centro todavía no confirma nada" if es else "; the centre has confirmed nothing yet"
    else:
        heard = words.duration(own["heard_s"], lang)
        text += "; última confirmación hace " + heard if es else "; last confirmation " + heard + " ago"
    waiting = str(own["spooled"])
    return text + ("; mensajes en espera: " + waiting + "." if es else "; messages waiting: " + waiting + ".")
