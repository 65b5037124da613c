from aiortc.codecs import *

from . import base as base
