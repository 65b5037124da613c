from aiortc.rtcdtlstransport import *
