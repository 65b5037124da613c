"""The engine: hears, looks, answers and speaks with small offline parts."""
