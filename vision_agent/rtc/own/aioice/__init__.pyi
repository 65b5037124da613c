from aioice import *

from . import candidate as candidate
from . import ice as ice
from . import stun as stun
from . import turn as turn
