from aioice.ice import *
