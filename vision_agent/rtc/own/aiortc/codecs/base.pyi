from aiortc.codecs.base import *
