"""The protocol of the Live API: exact, whatever the engine behind it can do."""
