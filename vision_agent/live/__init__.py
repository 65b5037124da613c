"""The model's side of a call: ADK's runner, its queue, its events; and which models there are."""
