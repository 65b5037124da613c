from aiortc.rtcsctptransport import *
