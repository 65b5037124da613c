from aioice.candidate import *
