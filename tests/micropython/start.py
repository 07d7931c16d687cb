"""Start ``soak`` on MicroPython, out of the folder that the compiled agent lies in."""

import sys

sys.path.insert(0, sys.argv[1])
__import__("vigia-agent")
__import__("agent.soak").soak.main()
