from aioice.turn import *
