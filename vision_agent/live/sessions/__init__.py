"""ADK sessions that outlive a call: in memory at once, in a database write-behind."""
