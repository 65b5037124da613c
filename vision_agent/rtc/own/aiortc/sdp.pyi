from aiortc.sdp import *
