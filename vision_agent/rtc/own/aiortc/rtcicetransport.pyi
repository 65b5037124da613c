from aiortc.rtcicetransport import *
