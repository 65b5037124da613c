"""From a question and what is seen to an answer, a tool call or a thing learned."""
