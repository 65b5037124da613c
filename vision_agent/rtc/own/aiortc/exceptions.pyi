from aiortc.exceptions import *
