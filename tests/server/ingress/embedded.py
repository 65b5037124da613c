"""Applications that hold ours, as an embedding program writes them."""

from contextlib import asynccontextmanager

from fastapi import FastAPI

from vision_agent import Settings, create_app


def mounted() -> FastAPI:
    """The shortest: nothing but a mount."""
    parent = FastAPI()
    parent.mount("/agent", create_app(Settings()))
    return parent


def with_its_lifespan() -> FastAPI:
    """The agent starts and ends with the parent."""
    agent = create_app(Settings())
    parent = FastAPI(lifespan=agent.router.lifespan_context)
    parent.mount("/agent", agent)
    return parent


def inside_a_lifespan() -> FastAPI:
    """The parent has things of its own to start."""
    agent = create_app(Settings())

    @asynccontextmanager
    async def lifespan(app):
        async with agent.router.lifespan_context(agent):
            yield

    parent = FastAPI(lifespan=lifespan)
    parent.mount("/agent", agent)
    return parent
