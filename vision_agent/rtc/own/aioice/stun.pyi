from aioice.stun import *
