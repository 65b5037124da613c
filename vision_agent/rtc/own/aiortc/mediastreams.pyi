from aiortc.mediastreams import *
