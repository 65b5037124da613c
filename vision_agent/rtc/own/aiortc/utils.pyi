from aiortc.utils import *
