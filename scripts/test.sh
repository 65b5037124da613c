#!/bin/sh
# Runs the tests, and those that fail once more by themselves.
#
# Most tests hold calls in real time, and several at once load two cores. A few failures are run again alone:
# one that fails again is a fault, one that passes is reported as unsteady. More than eight are not run again.
set -u
# Every worker imports the same modules: bytecode is kept, even where the environment forbids it.
unset PYTHONDONTWRITEBYTECODE
python=${VENV:-.venv}/bin/python
most=8
failed=.pytest_cache/v/cache/lastfailed

# Failures of earlier runs do not count, unless an option asks for them.
case " $* " in
    *" --lf "* | *" --last-failed "* | *" --ff "* | *" --failed-first "*) ;;
    *) rm -f "$failed" ;;
esac

"$python" -m pytest "$@" && exit 0
status=$?
[ "$status" -eq 1 ] || exit "$status"
count=$("$python" -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$failed") || exit 1
[ "$count" -le "$most" ] || exit 1
names=$("$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$failed")
printf '\nFailed beside others, run again alone:\n%s\n\n' "$names"
"$python" -m pytest --last-failed --last-failed-no-failures none "$@" -n 0 || exit 1
printf '\nUNSTEADY: failed beside others and passed alone:\n%s\n' "$names"
