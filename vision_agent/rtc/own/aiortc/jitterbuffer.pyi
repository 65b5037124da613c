from aiortc.jitterbuffer import *
