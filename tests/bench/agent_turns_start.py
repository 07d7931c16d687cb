"""Start ``agent_turns`` on MicroPython, out of the folder that the compiled agent lies in."""

import sys

sys.path.insert(0, sys.argv[1])
__import__("vigia-agent")
__import__("agent.agent_turns").agent_turns.main()
