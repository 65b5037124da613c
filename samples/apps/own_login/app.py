"""A web application with a login of its own, and a video agent inside it.

    cd samples/apps/own_login && uvicorn app:app

Users and sessions are kept in memory, so that the sample needs nothing else. Replace them by yours.
"""

import hmac
import logging
import secrets
from html import escape
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from google.adk.agents import Agent
from google.adk.tools.tool_context import ToolContext

from vision_agent import CallEnded, CallEvent, CallStarted, Settings, TranscriptAdded, VideoAgent

logger = logging.getLogger("own_login")

PASSWORDS = {"ada": "difference", "grace": "compiler"}
ORDERS = {"ada": ["a lamp"], "grace": ["a clock", "a moth"]}

sessions: dict[str, str] = {}
"""Users by the value of their cookie."""


def login(request: Request, session: Annotated[str, Cookie()] = "") -> str:
    """The user who is logged in; everything of the agent depends on it."""
    user = sessions.get(session)
    if user is None:
        raise HTTPException(401, "Log in first.")
    request.state.user = user
    return user


def my_orders(tool_context: ToolContext) -> dict[str, str]:
    """Look up what the caller has ordered."""
    # The user whom `identify` has named: no caller can claim to be another one.
    return {"orders": ", ".join(ORDERS.get(tool_context.user_id, ["nothing"]))}


def note(event: CallEvent) -> None:
    """Record the events of calls; here, in the log."""
    match event:
        case CallStarted():
            logger.info("%s calls", event.user_id)
        case TranscriptAdded():
            logger.info("%s, %s: %s", event.user_id, event.who, event.text)
        case CallEnded():
            logger.info("%s: %s after %.0f s", event.user_id, event.reason, event.lasted_s)


video = VideoAgent(
    # The page is shown inside ours.
    Settings(frame_ancestors=["'self'"]),
    agents=Agent(
        name="clerk",
        description="Knows what its caller has ordered.",
        instruction="You are the clerk of a shop. Look up orders with my_orders. Be brief.",
        tools=[my_orders],
    ),
    identify=lambda request: request.state.user,
    on_event=note,
)
app = FastAPI(lifespan=video.lifespan)
app.include_router(video.router, prefix="/agent", dependencies=[Depends(login)])

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The shop</title>
<style>
  body {{ font: 1rem system-ui; margin: 2rem }}
  iframe {{ width: 100%; height: 40rem; border: 0 }}
</style>
{body}
</html>"""

LOGIN = """
<h1>The shop</h1>
<form method="post" action="/login">
  <label>Name <input name="name" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" required></label>
  <button>Log in</button> {error}
</form>"""

HOME = """
<h1>Hello, {user}</h1>
<form method="post" action="/logout"><button>Log out</button></form>
<iframe src="/agent/" title="Video call"
  allow="camera; microphone; autoplay; display-capture"></iframe>"""


@app.get("/")
def home(session: Annotated[str, Cookie()] = "") -> HTMLResponse:
    """The page: a login, or the agent."""
    user = sessions.get(session)
    body = HOME.format(user=escape(user)) if user else LOGIN.format(error="")
    return HTMLResponse(PAGE.format(body=body))


@app.post("/login")
async def log_in(request: Request) -> Response:
    """Begins a session."""
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    name, password = form.get("name", ""), form.get("password", "")
    if name not in PASSWORDS or not hmac.compare_digest(
        PASSWORDS[name].encode(), password.encode()
    ):
        body = LOGIN.format(error="<strong>Wrong name or password.</strong>")
        return HTMLResponse(PAGE.format(body=body), 403)
    session = secrets.token_urlsafe()
    sessions[session] = name
    response = RedirectResponse("/", 303)
    # Strict: no other site's page can call in the user's name.
    response.set_cookie(
        "session",
        session,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@app.post("/logout")
def log_out(session: Annotated[str, Cookie()] = "") -> Response:
    """Ends the session."""
    sessions.pop(session, None)
    return RedirectResponse("/", 303)
