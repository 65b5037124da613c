"""The script of the local Live API while an SDK holds a conversation with it."""

from __future__ import annotations

SCENARIO = """
engine: false
hears: [what time is it in Graz]
answers:
  - {when: {words: hello, turn: 1}, say: Hello.}
  - when: {words: what time is it}
    call: {name: get_time, args: {place: Graz}}
  - {when: {tool: get_time}, say: "It is {time}."}
  - {when: {words: story}, say: Once upon a time there was a story that nobody heard to its end.}
  - {when: {words: which turn, turn: 5}, say: The fifth.}
otherwise: {say: You typed something.}
"""
