#!/bin/sh
# The tests; what fails beside others runs once more by itself.
#
# Most tests hold calls in real time, and several at once load two cores. A few failures are run again alone:
# one that fails again is a fault, one that passes is named as unsteady. More than eight are faults at once.
set -u
# Every worker imports the same modules: they are compiled once, also where nothing is usually left behind.
unset PYTHONDONTWRITEBYTECODE
python=${VENV:-.venv}/bin/python
most=8
failed=.pytest_cache/v/cache/lastfailed

# What failed in earlier runs is none of this one's, unless it is asked for.
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
