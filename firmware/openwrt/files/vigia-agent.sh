#!/bin/sh
# The agent's commands for people: vigia-agent --print --lang es
[ $# -gt 0 ] || set -- --help
case " $* " in
*" --config "* | *" --help "* | *" --version "*) ;;
*) set -- --config /var/run/vigia/agent.json "$@" ;;
esac
exec /usr/bin/micropython -X heapsize=1024k /usr/lib/vigia/vigia-agent.py "$@"
