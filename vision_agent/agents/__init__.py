"""The ADK agents this server can route calls to, their models and their memory."""
