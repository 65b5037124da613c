from aiortc import *
from aiortc import __version__ as __version__

from . import codecs as codecs
from . import exceptions as exceptions
from . import jitterbuffer as jitterbuffer
from . import mediastreams as mediastreams
from . import rtcdtlstransport as rtcdtlstransport
from . import rtcicetransport as rtcicetransport
from . import rtcpeerconnection as rtcpeerconnection
from . import rtcrtpparameters as rtcrtpparameters
from . import rtcrtpreceiver as rtcrtpreceiver
from . import rtcrtpsender as rtcrtpsender
from . import rtcsctptransport as rtcsctptransport
from . import rtp as rtp
from . import sdp as sdp
from . import utils as utils
