"""Applications that mount the product, written as an embedding program does."""

from contextlib import asynccontextmanager

from fastapi import FastAPI

from vision_agent import Settings, create_app


def mounted() -> FastAPI:
    """Only a mount: the agent starts with the first call."""
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
    """The parent's lifespan enters the agent's."""
    agent = create_app(Settings())

    @asynccontextmanager
    async def lifespan(app):
        async with agent.router.lifespan_context(agent):
            yield

    parent = FastAPI(lifespan=lifespan)
    parent.mount("/agent", agent)
    return parent
