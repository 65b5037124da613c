from aiortc.rtcrtpparameters import *
