from aiortc.rtp import *
