from aiortc.rtcrtpsender import *
