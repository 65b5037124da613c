from aiortc.rtcpeerconnection import *
