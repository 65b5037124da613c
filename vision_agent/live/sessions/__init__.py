"""ADK sessions that outlive a call: in memory at once, in a database by write-behind."""
