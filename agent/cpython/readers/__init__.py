"""Readers that stand on psutil and pyroute2; one whose library is missing is not offered."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.readers.port import Maker

VARIANTS: "dict[str, Maker]" = {}

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
