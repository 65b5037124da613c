from aiortc.rtcrtpreceiver import *
