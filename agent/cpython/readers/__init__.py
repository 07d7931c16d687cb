"""Readers that run on CPython alone: a Pi's hardware, and variants that stand on psutil and pyroute2.

One whose library is missing is not offered.
"""

from agent.cpython.readers.gauge import make_gauge
from agent.cpython.readers.pi_power import make_pi_power
from agent.cpython.readers.supply import make_supply
from agent.cpython.readers.tamper import make_tamper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.readers.port import Maker

VARIANTS: "dict[str, Maker]" = {
    "pi_power": make_pi_power,
    "supply": make_supply,
    "gauge": make_gauge,
    "tamper": make_tamper,
}

try:
    from agent.cpython.readers.host import make_host
except ImportError:
    pass
else:
    VARIANTS["host"] = make_host

try:
    from agent.cpython.readers.interfaces import make_interfaces
except ImportError:
    pass
else:
    VARIANTS["interfaces"] = make_interfaces

try:
    from agent.cpython.readers.wifi import make_wifi
except ImportError:
    pass
else:
    VARIANTS["wifi"] = make_wifi
